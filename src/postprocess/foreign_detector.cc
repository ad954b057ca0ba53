// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/foreign_detector.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace sightline {

namespace {

constexpr float kFarthest = 1e6f;  // what Detector takes for a place

OrientedBox corners_of(const Detection& object) {
  if (object.corners) return *object.corners;
  const Rect& box = object.box;
  return {Point{box.x, box.y},
          {box.right(), box.y},
          {box.right(), box.bottom()},
          {box.x, box.bottom()}};
}

std::string as_text(float value) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  text << value;
  return text.str();
}

}  // namespace

std::optional<std::string> implausible(std::span<const float> values) {
  for (const float value : values)
    if (!(std::abs(value) <= kFarthest)) return as_text(value);
  return std::nullopt;
}

ForeignDetector::ForeignDetector(const ConfigFile& config, const NetworkShape& network,
                                 ForeignParser parser)
    : Detector(config, {network.input, {}}, class_count(config)),
      parser_(std::move(parser)),
      network_(network) {}

void ForeignDetector::fail(std::size_t index, const std::string& complaint) const {
  parser_.fail("object " + std::to_string(index) + ": " + complaint);
}

bool ForeignDetector::reaches_threshold(std::size_t index, float confidence,
                                        std::int64_t class_id) const {
  if (!std::isfinite(confidence))
    fail(index, "confidence " + as_text(confidence) + ", expected a finite number");
  if (confidence < least_threshold()) return false;  // networks fill up their lists with such
  if (class_id < 0 || class_id >= classes())
    fail(index, "class " + std::to_string(class_id) + ", expected 0 to " +
                    std::to_string(classes() - 1) + " (num-detected-classes)");
  return confidence >= threshold(static_cast<int>(class_id));
}

void ForeignDetector::check(std::size_t index, const Detection& object) const {
  const Rect& box = object.box;
  const float edges[] = {box.x, box.y, box.width, box.height};
  if (const auto what = implausible(edges))
    fail(index,
         "its box has an edge or size of " + *what + ", expected pixels of the network's input");
  if (box.width < 0 || box.height < 0)
    fail(index, "its box is " + as_text(box.width) + " × " + as_text(box.height) +
                    " pixels, expected no negative size");
  const auto check_points = [&](std::span<const Point> points, const char* which) {
    for (const Point& point : points) {
      const float place[] = {point.x, point.y};
      if (const auto what = implausible(place))
        fail(index,
             std::string(which) + " at " + *what + ", expected pixels of the network's input");
    }
  };
  check_points(object.landmarks, "a landmark");
  if (object.corners) check_points(*object.corners, "a corner");
  if (const auto what = implausible(object.landmark_confidences))
    fail(index, "a landmark's confidence is " + *what + ", expected a finite number");
  if (object.mask) {
    const Rect& area = object.mask->area;
    const float place[] = {area.x, area.y, area.width, area.height};
    if (const auto what = implausible(place)) fail(index, "its mask lies at " + *what);
    if (area.empty() && !box.empty()) fail(index, "its mask covers nothing");
  }
}

Mask ForeignDetector::read_mask(std::size_t index, const float* values, std::size_t width,
                                std::size_t height, const Rect& area) const {
  const std::string size = std::to_string(width) + " × " + std::to_string(height);
  if (values == nullptr) fail(index, "its mask is " + size + " pixels and a null pointer");
  if (width == 0 || height == 0 || width > kMostMaskPixels || height > kMostMaskPixels / width)
    fail(index,
         "its mask is " + size + " pixels, expected 1 to " + std::to_string(kMostMaskPixels));
  const std::span<const float> pixels(values, width * height);
  if (!std::ranges::all_of(pixels, [](float value) { return std::isfinite(value); }))
    fail(index, "its mask holds what is no finite number");
  return {
      Tensor::copy_of("mask", {static_cast<std::int64_t>(height), static_cast<std::int64_t>(width)},
                      pixels),
      area};
}

Results ForeignDetector::survivors(std::vector<Detection> objects) const {
  std::vector<Candidate> candidates;
  candidates.reserve(objects.size());
  bool any_turned = false;
  for (std::size_t i = 0; i < objects.size(); ++i) {
    candidates.push_back(
        {objects[i].confidence, objects[i].class_id, static_cast<int>(i), objects[i].box});
    any_turned = any_turned || objects[i].corners;
  }
  keep_strongest(candidates);
  const auto object_of = [&](const Candidate& candidate) -> Detection& {
    return objects[static_cast<std::size_t>(candidate.row)];
  };
  Overlap overlap;
  if (any_turned)
    overlap = [&](const Candidate& a, const Candidate& b) {
      return iou(corners_of(object_of(a)), corners_of(object_of(b)));
    };
  return finish(
      std::move(candidates),
      [&](const Candidate& survivor, Detection& detection) {
        const std::string label = std::move(detection.label);
        const Rect box = detection.box;  // several may have become this one
        detection = std::move(object_of(survivor));
        detection.box = box;
        detection.label = label;
      },
      overlap);
}

}  // namespace sightline
