// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One object over time.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/geometry.h"
#include "track/box_filter.h"
#include "track/observation.h"

namespace sightline {

enum class TrackState {
  kTentative,  // seen too seldom yet; gone at the first frame without it
  kConfirmed,  // seen in the newest frame that was looked at
  kLost,       // confirmed before, and not found in the newest frame
};

// A number that no track of the process has had, from 1.
std::uint64_t next_track_id();

struct Track {
  std::uint64_t id = 0;
  TrackState state = TrackState::kTentative;
  int age = 0;      // frames since the one in which it was seen first
  int hits = 0;     // frames in which it was seen
  double seen = 0;  // when it was seen last, in seconds

  // As it was seen last.
  Rect last_box;
  int class_id = -1;
  std::string label;
  float confidence = 0;
  std::vector<Point> landmarks;
  std::uint64_t parent_track = 0;

  std::vector<float> embedding;  // of length 1: the average of what was seen; empty: none was seen
  BoxFilter filter{Rect{0, 0, 1, 1}};  // where it is now
};

// By how much a newer embedding changes the average.
inline constexpr float kEmbeddingStep = 0.1f;

// Takes the embedding of an observation into the average: cosine similarity is what counts, so both
// are of length 1. One of another length of vector, or without a direction, changes nothing.
void blend_embedding(Track& track, std::span<const float> embedding);

}  // namespace sightline
