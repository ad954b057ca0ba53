// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/reinfer_rule.h"

#include <limits>

namespace sightline {

namespace {

constexpr const char* kProperty = "property";
constexpr const char* kInterval = "secondary-reinfer-interval";

// Landmarks of a face that does not move jitter by about this much, in pixels of a 150-pixel crop:
// less is no reason to look again.
constexpr float kResidualNoise = 1;

// Boxes of a detector that looks at each frame jitter by a tenth; a cut changes everything.
constexpr float kAbrupt = 0.4f;

bool by_share(const std::optional<float>& last, const std::optional<float>& now, float share) {
  return share > 0 && last && now && *now > *last * (1 + share);
}

}  // namespace

ReinferRule ReinferRule::from_config(const ConfigFile& config) {
  ReinferRule rule;
  constexpr int kAnyInt = std::numeric_limits<int>::max();
  if (const auto interval = config.find(kProperty, kInterval))
    rule.interval = interval->as_int(0, kAnyInt);
  if (const auto warm_up = config.find(kProperty, "reinfer-warm-up"))
    rule.warm_up = warm_up->as_int(1, kAnyInt);
  const auto share = [&](const char* key, float& value, float maximum) {
    if (const auto given = config.find(kProperty, key)) value = given->as_float(0, maximum);
  };
  share("reinfer-growth", rule.growth, 100);
  share("reinfer-sharper", rule.sharper, 100);
  share("reinfer-frontal", rule.frontal, 1);
  return rule;
}

// A number that went back means that the stream began anew.
bool ReinferRule::is_too_long_ago(std::uint64_t last, std::uint64_t now) const {
  return now < last || now - last > static_cast<std::uint64_t>(interval);
}

bool ReinferRule::is_better(const TrackView& last, const TrackView& now) const {
  if (by_share(last.area, now.area, growth) || by_share(last.sharpness, now.sharpness, sharper))
    return true;
  return frontal > 0 && last.residual && now.residual &&
         *now.residual < *last.residual * (1 - frontal) &&
         *last.residual - *now.residual > kResidualNoise;
}

bool ReinferRule::is_abrupt(const TrackView& before, const TrackView& now) {
  return by_share(before.area, now.area, kAbrupt) || by_share(now.area, before.area, kAbrupt) ||
         by_share(before.sharpness, now.sharpness, kAbrupt) ||
         by_share(now.sharpness, before.sharpness, kAbrupt);
}

}  // namespace sightline
