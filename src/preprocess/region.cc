// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/region.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace sightline {

namespace {

std::string to_string(const Rect& r) {
  return std::to_string(r.width) + "×" + std::to_string(r.height) + " at (" + std::to_string(r.x) +
         ", " + std::to_string(r.y) + ")";
}

}  // namespace

Region Region::box(const Rect& source, Size tensor, Placement placement) {
  if (source.empty() || !std::isfinite(source.x) || !std::isfinite(source.y) ||
      !std::isfinite(source.width) || !std::isfinite(source.height))
    throw Error(ErrorCode::kInput,
                "the box " + to_string(source) + " is empty or not finite: nothing can be cropped");
  if (tensor.width <= 0 || tensor.height <= 0)
    throw Error(ErrorCode::kInput, "a box cannot be put into a tensor of " +
                                       std::to_string(tensor.width) + "×" +
                                       std::to_string(tensor.height) + " pixels");

  const double step_x = static_cast<double>(source.width) / tensor.width;
  const double step_y = static_cast<double>(source.height) / tensor.height;
  if (placement == Placement::kStretch)
    return {{step_x, 0, source.x, 0, step_y, source.y}, std::nullopt};

  const double step = std::max(step_x, step_y);
  const double width = source.width / step, height = source.height / step;
  const bool centered = placement == Placement::kLetterboxCentered;
  const double left = centered ? (tensor.width - width) / 2 : 0;
  const double top = centered ? (tensor.height - height) / 2 : 0;
  return {{step, 0, source.x - left * step, 0, step, source.y - top * step},
          Rect{static_cast<float>(left), static_cast<float>(top), static_cast<float>(width),
               static_cast<float>(height)}};
}

Region Region::frame(Size frame, Size tensor, Placement placement) {
  return box({0, 0, static_cast<float>(frame.width), static_cast<float>(frame.height)}, tensor,
             placement);
}

Region Region::aligned(std::span<const Point> landmarks, std::span<const Point> target) {
  return {least_squares_similarity(landmarks, target).inverse(), std::nullopt};
}

}  // namespace sightline
