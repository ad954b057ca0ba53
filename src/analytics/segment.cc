// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/segment.h"

#include <algorithm>
#include <cmath>

namespace sightline {

// Differences of single-precision coordinates of like size are exact in double, so the sign is
// right but for the last bit of the products.
double orientation(Point a, Point b, Point p) {
  return (double{b.x} - a.x) * (double{p.y} - a.y) - (double{b.y} - a.y) * (double{p.x} - a.x);
}

double signed_distance(const Segment& segment, Point p) {
  const double length =
      std::hypot(double{segment.to.x} - segment.from.x, double{segment.to.y} - segment.from.y);
  return orientation(segment.from, segment.to, p) / length;
}

double distance(const Segment& segment, Point p) {
  const double dx = double{segment.to.x} - segment.from.x;
  const double dy = double{segment.to.y} - segment.from.y;
  const double px = double{p.x} - segment.from.x, py = double{p.y} - segment.from.y;
  const double squared_length = dx * dx + dy * dy;
  const double along =
      squared_length > 0 ? std::clamp((px * dx + py * dy) / squared_length, 0.0, 1.0) : 0;
  return std::hypot(px - along * dx, py - along * dy);
}

int side_change(const Segment& segment, Point p, Point q) {
  const bool was_right = orientation(segment.from, segment.to, p) >= 0;
  const bool is_right = orientation(segment.from, segment.to, q) >= 0;
  return int{is_right} - int{was_right};
}

int crossing(const Segment& segment, Point p, Point q) {
  const int change = side_change(segment, p, q);
  if (change == 0) return 0;
  const bool from_right = orientation(p, q, segment.from) >= 0;
  const bool to_right = orientation(p, q, segment.to) >= 0;
  return from_right != to_right ? change : 0;
}

}  // namespace sightline
