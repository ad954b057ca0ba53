// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which of many shapes may be near a point, without looking at each.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analytics/extent.h"
#include "core/geometry.h"

namespace sightline {

// An area in cells; each knows the extents that reach into it. What lies beyond the area belongs to
// the cells at its edge, so that everything is found wherever it is.
class Grid {
 public:
  // `area` is not empty. An extent may be flat or beyond the area. It is known by its index.
  Grid(std::span<const Extent> extents, const Rect& area);

  // The extents that may contain `p`, ascending.
  std::span<const std::uint32_t> near(Point p) const;

  // Sets `found` to the extents that the way p → q may touch, ascending.
  void near(Point p, Point q, std::vector<std::uint32_t>& found) const;

 private:
  static constexpr int kSide = 32;  // cells

  struct Cells {
    int left, top, right, bottom;  // the last ones included
  };

  static std::size_t cell_at(int row, int column) {
    return static_cast<std::size_t>(row) * kSide + static_cast<std::size_t>(column);
  }
  int column_of(float x) const;
  int row_of(float y) const;
  Cells cells_of(const Extent& extent) const;

  Rect area_;
  std::array<std::uint32_t, kSide * kSide + 1> first_{};  // of each cell, in items_
  std::vector<std::uint32_t> items_;
};

}  // namespace sightline
