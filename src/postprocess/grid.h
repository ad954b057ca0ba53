// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Grids that detectors lay over the network's input: a cell for each stride pixels along a side.

#pragma once

#include <array>
#include <cstdint>

#include "core/geometry.h"
#include "postprocess/postprocess.h"

namespace sightline {

inline constexpr std::array kUsualStrides = {8, 16, 32};

inline std::int64_t cells_along(int pixels, int stride) {
  return (std::int64_t{pixels} + stride - 1) / stride;
}

inline std::int64_t cells_of(Size input, int stride) {
  return cells_along(input.width, stride) * cells_along(input.height, stride);
}

// Of all the usual strides.
inline std::int64_t usual_cells(Size input) {
  std::int64_t cells = 0;
  for (const int stride : kUsualStrides) cells += cells_of(input, stride);
  return cells;
}

// How many objects a network that suppresses itself tells of, as it is usually trained.
inline constexpr std::int64_t kUsualQueries = 300;

inline bool is_single_table(const NetworkShape& network) {
  return network.outputs.size() == 1 && network.outputs[0].shape.size() == 2;
}

// A column for each cell, as YOLOv8 and its kin are exported.
inline bool is_anchor_free_table(const NetworkShape& network) {
  return is_single_table(network) && network.outputs[0].shape[1] == usual_cells(network.input) &&
         network.outputs[0].shape[0] < network.outputs[0].shape[1];
}

}  // namespace sightline
