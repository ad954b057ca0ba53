// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Of many overlapping boxes of one class, one: the best, or their mean.

#pragma once

#include <cstddef>
#include <functional>
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

enum class ClusterMode {
  kGroupRectangles,  // boxes that are alike become their mean, as OpenCV's groupRectangles() has it
  kDbscan,           // boxes that lie densely become their mean
  kNms,              // greedy suppression
  kHybrid,           // kDbscan, then kNms
  kNone
};

struct Clustering {
  ClusterMode mode = ClusterMode::kNms;
  bool class_agnostic = false;  // a box also suppresses those of other classes

  bool suppresses() const { return mode == ClusterMode::kNms || mode == ClusterMode::kHybrid; }
  bool is_dense() const { return mode == ClusterMode::kDbscan || mode == ClusterMode::kHybrid; }
  bool joins() const { return is_dense() || mode == ClusterMode::kGroupRectangles; }
};

// Keys of [class-attrs-all] and [class-attrs-N].
struct ClassLimits {
  float pre_threshold = 0.2f;
  float post_threshold = 0;
  float iou_threshold = 0.3f;  // kNms: of the two classes' the one of the weaker box counts
  // Two boxes are alike if none of their four edges is farther apart than eps times half the sum of
  // the smaller width and the smaller height.
  float eps = 0;
  int min_boxes = 0;        // kDbscan: so many alike, itself included, make a box dense, …
  float min_score = 0;      // … and so much confidence in all
  int group_threshold = 0;  // kGroupRectangles: a group has more boxes than that; 0: no grouping
  int topk = -1;            // −1: no limit
  float min_width = 0, min_height = 0;
  float max_width = std::numeric_limits<float>::infinity(),
        max_height = std::numeric_limits<float>::infinity();
  float roi_top = 0, roi_bottom = 0;  // rows of the frame where no box may be; 0: no limit
};

// Leaves the kMostCandidates best, in any order.
void keep_strongest(std::vector<Candidate>& candidates);

// Intersection over union of what two boxes stand for, where that is not the boxes themselves.
// Asked for only where the boxes meet.
using Overlap = std::function<float(const Candidate&, const Candidate&)>;

// The survivors by falling confidence; of equal confidence the lower row, then the lower class, is
// first. Of what clustering leaves, a box goes if its confidence is below post_threshold, or if its
// class already has topk survivors. class_id is below limits.size().
//
// kNms: a box goes if its intersection over union with a better survivor of its class (of any, if
// class_agnostic) is above iou_threshold.
//
// kDbscan: dense boxes that are alike, and the others that are like one of them, become one, whose
// edges are the means of theirs, weighted by confidence. What is like no dense box is noise. The
// confidence and the row are those of the best of them.
//
// kGroupRectangles: boxes that are alike, directly or by others between them, become their mean; a
// group goes if it has not more boxes than group_threshold, or lies inside (by eps of its size) of
// one that has more boxes than it and more than 3, or if it has fewer than 3 itself. Confidence and
// row as above (nvinfer reports −0.1).
std::vector<Candidate> cluster(std::vector<Candidate> candidates,
                               std::span<const ClassLimits> limits, const Clustering& clustering,
                               const Overlap& overlap = {});

}  // namespace sightline
