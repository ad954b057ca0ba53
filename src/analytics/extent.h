// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How far points reach. Unlike a Rect it keeps the far edges as they are, which x + width may round
// away.

#pragma once

#include <algorithm>
#include <span>

#include "core/geometry.h"

namespace sightline {

struct Extent {
  float left, top, right, bottom;

  bool contains(Point p) const {
    return left <= p.x && p.x <= right && top <= p.y && p.y <= bottom;
  }
};

// Of at least one point.
inline Extent extent_of(std::span<const Point> points) {
  Extent extent{points[0].x, points[0].y, points[0].x, points[0].y};
  for (const Point p : points)
    extent = {std::min(extent.left, p.x), std::min(extent.top, p.y), std::max(extent.right, p.x),
              std::max(extent.bottom, p.y)};
  return extent;
}

}  // namespace sightline
