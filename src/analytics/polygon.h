// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Areas of a picture.

#pragma once

#include <vector>

#include "analytics/extent.h"
#include "core/geometry.h"

namespace sightline {

class Polygon {
 public:
  // At least three corners, finite; the last is joined to the first. Edges may touch and cross.
  explicit Polygon(std::vector<Point> corners);

  // By the even-odd rule: what two loops both cover is outside. Edges and corners are inside.
  bool contains(Point p) const;

  double distance(Point p) const;  // to the nearest edge

  const Extent& extent() const { return extent_; }

 private:
  std::vector<Point> corners_;
  Extent extent_;
};

}  // namespace sightline
