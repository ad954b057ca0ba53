// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/oriented_box.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace sightline {

namespace {

struct Corner {
  double x, y;
};

using Polygon = std::vector<Corner>;

// Positive if `c` is to the right of the way from `a` to `b`, as it is seen.
double side(const Corner& a, const Corner& b, const Corner& c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

double area(const Polygon& polygon) {
  double twice = 0;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Corner &a = polygon[i], &b = polygon[(i + 1) % polygon.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return twice / 2;
}

Polygon polygon_of(const OrientedBox& box) {
  Polygon polygon;
  for (const Point& corner : box) polygon.push_back({corner.x, corner.y});
  return polygon;
}

// The part of `polygon` to the right of the line from `a` to `b` (Sutherland and Hodgman).
Polygon clipped(const Polygon& polygon, const Corner& a, const Corner& b) {
  Polygon inside;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const Corner &from = polygon[i], &to = polygon[(i + 1) % polygon.size()];
    const double before = side(a, b, from), after = side(a, b, to);
    if (before >= 0) inside.push_back(from);
    if ((before > 0 && after < 0) || (before < 0 && after > 0)) {
      const double share = before / (before - after);
      inside.push_back({from.x + share * (to.x - from.x), from.y + share * (to.y - from.y)});
    }
  }
  return inside;
}

}  // namespace

OrientedBox turned(const Rect& upright, double radians) {
  const double c = std::cos(radians), s = std::sin(radians);
  const Point centre = upright.center();
  const double x = upright.width / 2.0, y = upright.height / 2.0;
  const auto corner = [&](double dx, double dy) {
    return Point{static_cast<float>(centre.x + c * dx - s * dy),
                 static_cast<float>(centre.y + s * dx + c * dy)};
  };
  return {corner(-x, -y), corner(x, -y), corner(x, y), corner(-x, y)};
}

Rect bounds(const OrientedBox& box) {
  const auto [left, right] = std::ranges::minmax(box, {}, &Point::x);
  const auto [top, bottom] = std::ranges::minmax(box, {}, &Point::y);
  return {left.x, top.y, right.x - left.x, bottom.y - top.y};
}

float iou(const OrientedBox& a, const OrientedBox& b) {
  const Polygon first = polygon_of(a), second = polygon_of(b);
  Polygon shared = first;
  for (std::size_t i = 0; i < second.size(); ++i)
    shared = clipped(shared, second[i], second[(i + 1) % second.size()]);
  const double intersection = area(shared);
  const double whole = area(first) + area(second) - intersection;
  return whole > 0 && intersection > 0 ? static_cast<float>(intersection / whole) : 0.0f;
}

}  // namespace sightline
