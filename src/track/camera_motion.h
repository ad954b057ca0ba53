// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What all tracks have in common: the motion of the camera.

#pragma once

#include <span>

#include "track/observation.h"
#include "track/track.h"

namespace sightline {

// By how many pixels the picture moved beyond what the tracks expected: the median over pairs of
// overlapping boxes, less where they disagree, and none if there are fewer than four pairs.
Point common_motion(std::span<const Track* const> tracks,
                    std::span<const Observation* const> observations);

}  // namespace sightline
