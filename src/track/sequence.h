// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A tracker's result beside the truth, frame by frame: what every score is computed from.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/geometry.h"
#include "track/assignment.h"

namespace sightline {

// A box with the identity that somebody gave it.
struct LabelledBox {
  std::int64_t identity = 0;
  Rect box;
  bool ignored = false;  // of the truth: whether it is found or not counts neither way
};

// One frame. Identities are numbered from 0, the truth's and the result's each for themselves.
struct ComparedFrame {
  std::vector<int> truth;
  std::vector<int> result;
  WeightMatrix similarity{0, 0};  // of each true box (row) to each box of the result: 0 to 1
};

// A whole recording.
struct ComparedSequence {
  std::vector<ComparedFrame> frames;
  int truth_identities = 0;
  int result_identities = 0;

  std::size_t truth_boxes() const;
  std::size_t result_boxes() const;
};

// Similarity is the intersection over union. Boxes of the truth that are ignored are left out, and
// with each the box of the result that lies on it (intersection over union of 0.5 or more, in the
// best assignment to all of the truth): finding what one need not find is no mistake. `truth` and
// `result` are the frames in order, equally many.
ComparedSequence compare(std::span<const std::vector<LabelledBox>> truth,
                         std::span<const std::vector<LabelledBox>> result);

}  // namespace sightline
