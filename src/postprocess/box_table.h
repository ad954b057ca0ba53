// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Detectors whose one output is a table of boxes: a box has its numbers and a score for each class.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/geometry.h"
#include "core/tensor.h"
#include "postprocess/clustering.h"
#include "postprocess/screening.h"

namespace sightline {

// A box by its centre.
inline Rect centred(float x, float y, float width, float height) {
  return {x - width / 2, y - height / 2, width, height};
}

// A row for each box ([n, columns], as the table is written) or, as most exporters leave it, a
// column ([columns, n]), so that the numbers of one kind lie side by side.
struct BoxTable {
  std::size_t boxes = 0;
  std::size_t columns = 0;
  bool by_column = false;  // [columns, n]

  float at(std::span<const float> values, std::size_t box, std::size_t column) const {
    return values[by_column ? column * boxes + box : box * columns + column];
  }
  // Whose centre, width and height are the first four columns.
  Rect centred_box(std::span<const float> values, int row) const {
    const auto box = static_cast<std::size_t>(row);
    return centred(at(values, box, 0), at(values, box, 1), at(values, box, 2), at(values, box, 3));
  }
};

// Of [columns, n] or [n, columns] with at least so many columns: there are more boxes than columns.
// Nothing if it is no such table, or larger than any network's.
std::optional<BoxTable> find_box_table(const Shape& shape, std::size_t least_columns);

// The best class of each box, where that reaches what its class asks for: `thresholds` has one a
// class, and classes after those do not count. Scores are the columns from `first` on. Adds
// candidates in the order of the boxes; a NaN is no score. Where two classes are equal the first
// one is taken.
void find_best_classes(const BoxTable& table, std::span<const float> values, std::size_t first,
                       std::span<const float> thresholds, std::vector<Candidate>& found);

// `columns` of the table, which is output `output`, from the first on, as screening.h has numbers.
Strided columns_of(const BoxTable& table, std::size_t output, std::size_t first,
                   std::size_t columns);

// What find_best_classes() looks at, with the box before the scores.
ScreenPart best_classes(const BoxTable& table, std::size_t output, std::size_t first,
                        std::span<const float> thresholds);

}  // namespace sightline
