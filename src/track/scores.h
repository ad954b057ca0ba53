// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How good a tracker's result is: the scores of the field, as their authors and the tools of
// MOTChallenge compute them. Rates are 0 to 1; where nothing could be counted they are 0.

#pragma once

#include <cstddef>
#include <vector>

#include "track/sequence.h"

namespace sightline {

inline constexpr double kMatchThreshold = 0.5;  // similarity from which on a box counts as found

// CLEAR MOT (Bernardin and Stiefelhagen 2008), with what MOTChallenge adds. In each frame, pairs of
// the frame before that are still similar enough stay; the rest is assigned for the largest sum of
// similarities.
struct ClearMot {
  std::size_t matches = 0;
  std::size_t misses = 0;
  std::size_t false_positives = 0;
  std::size_t identity_switches = 0;  // an object is matched to another track than the last time
  std::size_t fragmentations = 0;     // an object was matched, was not, and is again
  int mostly_tracked = 0;             // objects matched in 80 % of their frames or more
  int partially_tracked = 0;
  int mostly_lost = 0;  // in less than 20 %

  double mota = 0;  // 1 - (misses + false positives + switches) / objects; may be negative
  double motp = 0;  // mean similarity of matched pairs
  double recall = 0;
  double precision = 0;
};
ClearMot clear_mot(const ComparedSequence& sequence, double threshold = kMatchThreshold);

// Identity scores (Ristani et al. 2016): each object goes with at most one track of the whole
// recording, so that most boxes agree.
struct IdentityScores {
  std::size_t true_positives = 0;
  std::size_t false_positives = 0;
  std::size_t false_negatives = 0;

  double idf1 = 0;
  double precision = 0;
  double recall = 0;
};
IdentityScores identity_scores(const ComparedSequence& sequence,
                               double threshold = kMatchThreshold);

// Higher order tracking accuracy (Luiten et al. 2020): the mean over localisation thresholds of the
// geometric mean of how well is detected and how well is associated.
struct Hota {
  struct AtAlpha {
    double alpha = 0;
    double hota = 0;
    double detection = 0;
    double association = 0;
  };
  std::vector<AtAlpha> by_alpha;  // 0.05, 0.10, … 0.95

  double hota = 0;          // means of the above
  double detection = 0;     // DetA
  double association = 0;   // AssA
  double localisation = 0;  // LocA: mean similarity of matched pairs
};
Hota hota(const ComparedSequence& sequence);

}  // namespace sightline
