// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/camera_motion.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "track/assignment.h"

namespace sightline {

namespace {

constexpr std::size_t kMinPairs = 4;
constexpr double kMinOverlap = 0.1;

// The standard deviation of a median of n normal values is 1.25 / sqrt(n) times theirs, and theirs
// is 1.48 times the median of the absolute deviations.
constexpr double kMedianDeviation = 1.25 * 1.48;

double median_of(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The median, shrunk by the part of its square that may be chance.
double agreed(std::vector<double> values) {
  const double median = median_of(values);
  if (median == 0) return 0;
  for (double& value : values) value = std::abs(value - median);
  const double deviation =
      kMedianDeviation * median_of(values) / std::sqrt(static_cast<double>(values.size()));
  return median * median * median / (median * median + deviation * deviation);
}

}  // namespace

Point common_motion(std::span<const Track* const> tracks,
                    std::span<const Observation* const> observations) {
  WeightMatrix weights(tracks.size(), observations.size());
  for (std::size_t t = 0; t < tracks.size(); ++t)
    for (std::size_t o = 0; o < observations.size(); ++o)
      weights(t, o) = iou(tracks[t]->filter.box(), observations[o]->box) - kMinOverlap;
  const std::vector<int> columns = assign(weights);
  std::vector<double> across, down;
  for (std::size_t t = 0; t < tracks.size(); ++t) {
    if (columns[t] == kUnassigned) continue;
    const Point from = tracks[t]->filter.box().center();
    const Point to = observations[static_cast<std::size_t>(columns[t])]->box.center();
    across.push_back(double{to.x} - from.x);
    down.push_back(double{to.y} - from.y);
  }
  if (across.size() < kMinPairs) return {};
  return {static_cast<float>(agreed(across)), static_cast<float>(agreed(down))};
}

}  // namespace sightline
