// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/suppression.h"

#include <algorithm>
#include <tuple>

namespace sightline {

namespace {

bool is_stronger(const Candidate& a, const Candidate& b) {
  return std::tuple(-a.confidence, a.row, a.class_id) <
         std::tuple(-b.confidence, b.row, b.class_id);
}

// A survivor, with what comparing needs worked out once.
struct Kept {
  float left, top, right, bottom, area;

  explicit Kept(const Rect& box)
      : left(box.x), top(box.y), right(box.right()), bottom(box.bottom()), area(box.area()) {}

  bool overlaps(const Kept& other, float iou_threshold) const {
    const float width = std::min(right, other.right) - std::max(left, other.left);
    const float height = std::min(bottom, other.bottom) - std::max(top, other.top);
    if (width <= 0 || height <= 0) return false;
    const float shared = width * height;
    return shared / (area + other.area - shared) > iou_threshold;
  }
};

}  // namespace

void keep_strongest(std::vector<Candidate>& candidates) {
  if (candidates.size() <= kMostCandidates) return;
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(kMostCandidates);
  std::nth_element(candidates.begin(), end, candidates.end(), is_stronger);
  candidates.erase(end, candidates.end());
}

std::vector<Candidate> suppress(std::vector<Candidate> candidates,
                                std::span<const ClassLimits> limits, ClusterMode mode) {
  std::sort(candidates.begin(), candidates.end(), is_stronger);
  std::vector<std::vector<Kept>> kept(limits.size());
  std::vector<Candidate> survivors;
  for (const Candidate& candidate : candidates) {
    const auto class_id = static_cast<std::size_t>(candidate.class_id);
    const ClassLimits& limit = limits[class_id];
    std::vector<Kept>& better = kept[class_id];
    if (candidate.confidence < limit.post_threshold) continue;
    if (limit.topk >= 0 && better.size() >= static_cast<std::size_t>(limit.topk)) continue;
    const Kept box(candidate.box);
    const auto overlaps = [&](const Kept& other) {
      return box.overlaps(other, limit.iou_threshold);
    };
    if (mode == ClusterMode::kNms && std::any_of(better.begin(), better.end(), overlaps)) continue;
    better.push_back(box);
    survivors.push_back(candidate);
  }
  return survivors;
}

}  // namespace sightline
