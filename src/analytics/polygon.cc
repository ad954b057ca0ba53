// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/polygon.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "analytics/segment.h"

namespace sightline {
namespace {

bool between(float value, float a, float b) {
  return std::min(a, b) <= value && value <= std::max(a, b);
}

}  // namespace

Polygon::Polygon(std::vector<Point> corners)
    : corners_(std::move(corners)), extent_(extent_of(corners_)) {}

bool Polygon::contains(Point p) const {
  if (!extent_.contains(p)) return false;
  bool inside = false;
  Point a = corners_.back();
  for (const Point b : corners_) {
    const double side = orientation(a, b, p);
    if (side == 0 && between(p.x, a.x, b.x) && between(p.y, a.y, b.y)) return true;
    // Half-open: a corner belongs to the edge below it, so that a ray through it counts once.
    const bool crosses_row = (a.y > p.y) != (b.y > p.y);
    if (crosses_row && (side > 0) == (a.y > b.y)) inside = !inside;
    a = b;
  }
  return inside;
}

double Polygon::distance(Point p) const {
  double nearest = std::numeric_limits<double>::infinity();
  Point a = corners_.back();
  for (const Point b : corners_) {
    nearest = std::min(nearest, sightline::distance({a, b}, p));
    a = b;
  }
  return nearest;
}

}  // namespace sightline
