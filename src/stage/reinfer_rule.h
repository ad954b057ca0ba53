// SPDX-License-Identifier: LGPL-2.1-or-later
//
// When a network looks again at an object whose track it has seen.

#pragma once

#include <cstdint>
#include <optional>

#include "core/config_file.h"

namespace sightline {

// What can be told of a view of an object without running the network on it.
struct TrackView {
  float area = 0;                  // of its box, in pixels of the frame
  std::optional<float> sharpness;  // of the crop; nothing where the rule does not ask for it
  std::optional<float> residual;   // of an aligned crop
};

// A track is looked at when it is new, when the last look is too long ago, and when it is seen
// better than at the last look: larger, sharper, or turned to the camera.
struct ReinferRule {
  int interval = 0;      // frames of the stream after which it is looked at again; 0: at each
  int warm_up = 1;       // this many of a new track's views are looked at whatever they are
  float growth = 0.2f;   // more area by this share; 0: growth is no reason
  float sharper = 0.5f;  // likewise of sharpness
  float frontal = 0.3f;  // less of the residual by this share

  // Reads the keys secondary-reinfer-interval, reinfer-warm-up, -growth, -sharper and -frontal of
  // group [property]. Throws Error(kConfig).
  static ReinferRule from_config(const ConfigFile& config);

  bool takes_over() const { return interval > 0; }  // whether results are ever taken over
  // Whether a track that was looked at in frame `last` of its stream is to be looked at in `now`.
  bool is_too_long_ago(std::uint64_t last, std::uint64_t now) const;
  bool is_better(const TrackView& last, const TrackView& now) const;
  // Whether `now` follows `before`, the view of the frame before it, so abruptly that the track may
  // have gone over to another object: a cut, or a tracker's mistake. It is new then.
  static bool is_abrupt(const TrackView& before, const TrackView& now);
};

}  // namespace sightline
