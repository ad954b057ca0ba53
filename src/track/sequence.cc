// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/sequence.h"

#include <algorithm>
#include <map>

namespace sightline {

namespace {

using Boxes = std::vector<LabelledBox>;

constexpr double kSameBox = 0.5;  // intersection over union from which on boxes mean one object

class Numbering {
 public:
  int operator()(std::int64_t identity) {
    return numbers_.emplace(identity, static_cast<int>(numbers_.size())).first->second;
  }
  int count() const { return static_cast<int>(numbers_.size()); }

 private:
  std::map<std::int64_t, int> numbers_;
};

WeightMatrix overlaps(const Boxes& truth, const Boxes& result) {
  WeightMatrix matrix(truth.size(), result.size());
  for (std::size_t t = 0; t < truth.size(); ++t)
    for (std::size_t r = 0; r < result.size(); ++r) matrix(t, r) = iou(truth[t].box, result[r].box);
  return matrix;
}

// The boxes of `result` but those that lie on an ignored box of `truth`.
Boxes without_ignored(const Boxes& truth, const Boxes& result) {
  if (std::ranges::none_of(truth, &LabelledBox::ignored)) return result;
  WeightMatrix close = overlaps(truth, result);
  for (std::size_t t = 0; t < truth.size(); ++t)
    for (std::size_t r = 0; r < result.size(); ++r)
      if (close(t, r) < kSameBox) close(t, r) = 0;
  const std::vector<int> assigned = assign(close);
  std::vector<bool> left_out(result.size());
  for (std::size_t t = 0; t < truth.size(); ++t)
    if (truth[t].ignored && assigned[t] != kUnassigned)
      left_out[static_cast<std::size_t>(assigned[t])] = true;
  Boxes kept;
  for (std::size_t r = 0; r < result.size(); ++r)
    if (!left_out[r]) kept.push_back(result[r]);
  return kept;
}

std::vector<int> numbered(const Boxes& boxes, Numbering& numbering) {
  std::vector<int> numbers;
  for (const LabelledBox& box : boxes) numbers.push_back(numbering(box.identity));
  return numbers;
}

std::size_t total(const std::vector<ComparedFrame>& frames,
                  std::vector<int> ComparedFrame::*boxes) {
  std::size_t count = 0;
  for (const ComparedFrame& frame : frames) count += (frame.*boxes).size();
  return count;
}

}  // namespace

std::size_t ComparedSequence::truth_boxes() const { return total(frames, &ComparedFrame::truth); }
std::size_t ComparedSequence::result_boxes() const { return total(frames, &ComparedFrame::result); }

ComparedSequence compare(std::span<const Boxes> truth, std::span<const Boxes> result) {
  ComparedSequence sequence;
  Numbering of_truth, of_result;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const Boxes found = without_ignored(truth[i], result[i]);
    Boxes wanted = truth[i];
    std::erase_if(wanted, [](const LabelledBox& box) { return box.ignored; });
    sequence.frames.push_back(
        {numbered(wanted, of_truth), numbered(found, of_result), overlaps(wanted, found)});
  }
  sequence.truth_identities = of_truth.count();
  sequence.result_identities = of_result.count();
  return sequence;
}

}  // namespace sightline
