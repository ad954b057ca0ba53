// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How much speaks for an observation being a track's object.

#pragma once

#include <optional>

#include "track/observation.h"
#include "track/track.h"

namespace sightline {

// 0 to 1: intersection over union of the observed box and of where the track is now. Both are
// widened by what is not known of where it is, so that an object that comes out from behind another
// need not be where a straight line would have it.
double overlap(const Track& track, const Observation& observation);

// Whether the box is within the filter's gate: what chance exceeds once in 300 times.
bool is_expected(const Track& track, const Observation& observation);

// How well the box fits to what the track's filter expects: 1 exactly, 0 at the gate. A track of
// which little is known fits everything less well than one that is seen all the time. Since people
// turn and detectors err more often by much than chance does, a box that overlaps by more than 0.6
// with where the track is expected, or was a frame ago, fits a little in any case.
double closeness(const Track& track, const Observation& observation);

// 0 to 1: how well the landmarks lie where the track's would be now, as object keypoint similarity
// has it. Nothing if one of them has none, or another number of them.
std::optional<double> landmark_similarity(const Track& track, const Observation& observation);

// 1 - cosine of the observation's embedding and of the track's, 0 to 2. Nothing if one of them has
// none, or they are of different length.
std::optional<double> embedding_distance(const Track& track, const Observation& observation);

}  // namespace sightline
