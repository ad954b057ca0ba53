// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Something that was found in a frame, before anybody knows which track it belongs to.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/geometry.h"

namespace sightline {

// What it points to has to live for one call only.
struct Observation {
  Rect box;  // pixels
  int class_id = -1;
  std::string_view label;
  float confidence = 1;
  std::span<const Point> landmarks;  // empty: none
  std::span<const float> embedding;  // empty: none
  std::uint64_t parent_track = 0;    // the track of the object that it is part of; 0: none
};

// Whether a track can be made of it: its numbers are finite, its box is not empty, and no edge is
// farther out than 10 million pixels, where single precision no longer tells pixels apart.
bool is_trackable(const Observation& observation);

}  // namespace sightline
