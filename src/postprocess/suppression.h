// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Of many overlapping boxes of one class, the best: greedy non-maximum suppression.

#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "core/geometry.h"

namespace sightline {

struct Candidate {
  float confidence = 0;
  int class_id = 0;
  int row = 0;
  Rect box;
};

// Greedy suppression costs candidates × survivors. No picture has this many objects, so what a
// broken network or a threshold of 0 gives beyond it is cut off, weakest first.
inline constexpr std::size_t kMostCandidates = 8192;

enum class ClusterMode { kNms, kNone };

// Keys of [class-attrs-all] and [class-attrs-N].
struct ClassLimits {
  float pre_threshold = 0.2f;
  float post_threshold = 0;
  float iou_threshold = 0.3f;
  int topk = -1;  // −1: no limit
  float min_width = 0, min_height = 0;
  float max_width = std::numeric_limits<float>::infinity(),
        max_height = std::numeric_limits<float>::infinity();
};

// Leaves the kMostCandidates best, in any order.
void keep_strongest(std::vector<Candidate>& candidates);

// The survivors by falling confidence; of equal confidence the lower row, then the lower class, is
// first. A box goes if its IoU with a better survivor of its class is above iou_threshold, if its
// confidence is below post_threshold, or if its class already has topk survivors. class_id is
// below limits.size().
std::vector<Candidate> suppress(std::vector<Candidate> candidates,
                                std::span<const ClassLimits> limits, ClusterMode mode);

}  // namespace sightline
