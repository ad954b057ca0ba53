// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where an object is, in a picture whose height is 1: distances and angles are those of the picture
// whatever its size.

#pragma once

#include <cmath>
#include <optional>

#include "analytics/rules.h"
#include "core/geometry.h"

namespace sightline {

// The points of one box that can count.
struct Place {
  Point bottom_center;
  Point center;

  Point at(Anchor anchor) const { return anchor == Anchor::kBottomCenter ? bottom_center : center; }
};

// Of a box in pixels of a `frame` with a size; none if a number is not finite.
inline std::optional<Place> place_of(const Rect& box, Size frame) {
  const double height = frame.height, x = box.x + double{box.width} / 2;
  const auto point = [&](double y) {
    return Point{static_cast<float>(x / height), static_cast<float>(y / height)};
  };
  const Place place{point(double{box.y} + box.height), point(box.y + double{box.height} / 2)};
  const bool finite = std::isfinite(place.center.x) && std::isfinite(place.center.y) &&
                      std::isfinite(place.bottom_center.y);
  return finite ? std::optional(place) : std::nullopt;
}

// A point or vector of the rules, which are in shares of width and height.
inline Point from_share(Point share, float aspect) { return {share.x * aspect, share.y}; }

// The cosine of the angle between two vectors; 0 if one has no length.
inline double cosine(Point a, Point b) {
  const double lengths = std::hypot(a.x, a.y) * std::hypot(b.x, b.y);
  return lengths > 0 ? (double{a.x} * b.x + double{a.y} * b.y) / lengths : 0;
}

}  // namespace sightline
