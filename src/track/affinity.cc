// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/affinity.h"

#include <algorithm>
#include <cmath>

namespace sightline {

namespace {

constexpr double kGate = 16;  // exceeded by 0.3 % of a chi-squared distribution of four degrees

// What a box beyond the gate is worth that lies on the track's all the same.
constexpr double kSameBox = 0.6;
constexpr double kSameBoxWorth = 0.1;

constexpr float kMaxWidening = 0.5f;     // parts of the box's size, to each side
constexpr double kLandmarkSpread = 0.1;  // parts of the box's size; a standard deviation

double squared(double value) { return value * value; }

Rect widened(const Rect& box, float dx, float dy) {
  return {box.x - dx, box.y - dy, box.width + 2 * dx, box.height + 2 * dy};
}

}  // namespace

double overlap(const Track& track, const Observation& observation) {
  const Rect expected = track.filter.box();
  const Point uncertainty = track.filter.uncertainty();
  const float dx = std::min(uncertainty.x, kMaxWidening * expected.width);
  const float dy = std::min(uncertainty.y, kMaxWidening * expected.height);
  return iou(widened(expected, dx, dy), widened(observation.box, dx, dy));
}

bool is_expected(const Track& track, const Observation& observation) {
  return track.filter.surprise(observation.box) <= kGate;
}

double closeness(const Track& track, const Observation& observation) {
  const double expected = 1 - track.filter.surprise(observation.box) / kGate;
  double same = iou(track.filter.box(), observation.box);
  if (track.state != TrackState::kLost)
    same = std::max(same, double{iou(track.last_box, observation.box)});
  return std::max({expected, kSameBoxWorth * (same - kSameBox), 0.0});
}

std::optional<double> landmark_similarity(const Track& track, const Observation& observation) {
  if (track.landmarks.empty() || track.landmarks.size() != observation.landmarks.size())
    return std::nullopt;
  const Rect from = track.last_box, to = track.filter.box();
  const double spread = 2 * squared(kLandmarkSpread) * to.width * to.height;
  double sum = 0;
  for (std::size_t i = 0; i < track.landmarks.size(); ++i) {
    const Point old = track.landmarks[i], now = observation.landmarks[i];
    const double x = to.x + (old.x - from.x) / from.width * to.width;
    const double y = to.y + (old.y - from.y) / from.height * to.height;
    sum += std::exp(-(squared(now.x - x) + squared(now.y - y)) / spread);
  }
  const double similarity = sum / static_cast<double>(track.landmarks.size());
  return std::isfinite(similarity) ? std::optional(similarity) : std::nullopt;
}

std::optional<double> embedding_distance(const Track& track, const Observation& observation) {
  if (track.embedding.empty() || track.embedding.size() != observation.embedding.size())
    return std::nullopt;
  double product = 0, square = 0;
  for (std::size_t i = 0; i < track.embedding.size(); ++i) {
    product += double{track.embedding[i]} * observation.embedding[i];
    square += squared(observation.embedding[i]);
  }
  const double cosine = product / std::sqrt(square);
  return std::isfinite(cosine) ? std::optional(1 - std::clamp(cosine, -1.0, 1.0)) : std::nullopt;
}

}  // namespace sightline
