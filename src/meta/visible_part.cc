// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/visible_part.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace sightline {

namespace {

// First and number of the pixels nearest to a span.
std::pair<guint, guint> pixels(float from, float to) {
  const double first = std::floor(from + 0.5), last = std::floor(to + 0.5);
  if (last > first) return {static_cast<guint>(first), static_cast<guint>(last - first)};
  return {static_cast<guint>(std::floor(from)), 1};
}

}  // namespace

Rect visible(const SightBox& box, const SightFrame& frame) {
  constexpr float kAnywhere = std::numeric_limits<int>::max();
  const auto end = [&](guint size) {
    return size > 0 ? std::min(static_cast<float>(size), kAnywhere) : kAnywhere;
  };
  return intersection({box.x, box.y, box.width, box.height},
                      {0, 0, end(frame.width), end(frame.height)});
}

PixelBox nearest_pixels(const Rect& part) {
  const auto [x, width] = pixels(part.x, part.right());
  const auto [y, height] = pixels(part.y, part.bottom());
  return {x, y, width, height};
}

std::optional<Rect> normalised(const Rect& part, const SightFrame& frame) {
  if (frame.width == 0 || frame.height == 0) return std::nullopt;
  const auto width = static_cast<float>(frame.width), height = static_cast<float>(frame.height);
  return Rect{part.x / width, part.y / height, part.width / width, part.height / height};
}

}  // namespace sightline
