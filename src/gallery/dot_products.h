// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Dot products of one vector with many, as fast as memory delivers them.

#pragma once

#include <span>

namespace sightline {

// out[i] = row i · query. `rows` holds out.size() × query.size() values. Equal rows give equal
// results, wherever they stand. Runs on the best instruction set of this CPU.
void dot_products(std::span<const float> rows, std::span<const float> query, std::span<float> out);

// Of one row.
inline float dot_product(std::span<const float> row, std::span<const float> query) {
  float product = 0;
  dot_products(row, query, {&product, 1});
  return product;
}

}  // namespace sightline
