// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/clustering.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
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
  const Candidate* candidate;

  explicit Kept(const Candidate& of)
      : left(of.box.x),
        top(of.box.y),
        right(of.box.right()),
        bottom(of.box.bottom()),
        area(of.box.area()),
        candidate(&of) {}

  bool overlaps(const Kept& other, float iou_threshold, const Overlap& overlap) const {
    const float width = std::min(right, other.right) - std::max(left, other.left);
    const float height = std::min(bottom, other.bottom) - std::max(top, other.top);
    if (width <= 0 || height <= 0) return false;
    if (overlap) return overlap(*candidate, *other.candidate) > iou_threshold;
    const float shared = width * height;
    return shared / (area + other.area - shared) > iou_threshold;
  }
};

bool are_alike(const Rect& a, const Rect& b, float eps) {
  const float most = eps * (std::min(a.width, b.width) + std::min(a.height, b.height)) / 2;
  return std::abs(a.x - b.x) <= most && std::abs(a.y - b.y) <= most &&
         std::abs(a.right() - b.right()) <= most && std::abs(a.bottom() - b.bottom()) <= most;
}

// Several boxes becoming one.
class Mean {
 public:
  void add(const Candidate& member, double weight) {
    if (count_++ == 0 || is_stronger(member, best_)) best_ = member;
    weight_ += weight;
    left_ += weight * member.box.x, top_ += weight * member.box.y;
    right_ += weight * member.box.right(), bottom_ += weight * member.box.bottom();
  }
  int count() const { return count_; }
  Candidate result() const {
    Candidate result = best_;
    const auto mean = [&](double sum) { return static_cast<float>(sum / weight_); };
    result.box = {mean(left_), mean(top_), mean(right_) - mean(left_), mean(bottom_) - mean(top_)};
    return result;
  }

 private:
  Candidate best_;
  int count_ = 0;
  double weight_ = 0, left_ = 0, top_ = 0, right_ = 0, bottom_ = 0;
};

// Sets that grow together.
class Partition {
 public:
  explicit Partition(std::size_t size) : parent_(size) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }
  std::size_t find(std::size_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  void join(std::size_t a, std::size_t b) { parent_[find(a)] = find(b); }

 private:
  std::vector<std::size_t> parent_;
};

std::vector<Candidate> dense_clusters(const std::vector<Candidate>& boxes,
                                      const ClassLimits& limits) {
  const std::size_t count = boxes.size();
  const auto alike = [&](std::size_t i, std::size_t k) {
    return are_alike(boxes[i].box, boxes[k].box, limits.eps);
  };
  std::vector<int> neighbours(count, 1);
  std::vector<float> score(count);
  for (std::size_t i = 0; i < count; ++i) score[i] = boxes[i].confidence;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (alike(i, k)) {
        ++neighbours[i], ++neighbours[k];
        score[i] += boxes[k].confidence, score[k] += boxes[i].confidence;
      }
  const auto dense = [&](std::size_t i) {
    return neighbours[i] >= limits.min_boxes && score[i] >= limits.min_score;
  };
  Partition clusters(count);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t k = 0; dense(i) && k < i; ++k)
      if (dense(k) && alike(i, k)) clusters.join(i, k);

  std::vector<Mean> means(count);
  for (std::size_t i = 0; i < count; ++i) {
    // What is not dense belongs to the first dense one that is like it, if there is any.
    std::size_t core = i;
    if (!dense(i))
      for (core = 0; core < count && !(dense(core) && alike(i, core)); ++core) {
      }
    // Boxes that are sure of nothing weigh alike.
    constexpr float kLeastWeight = std::numeric_limits<float>::min();
    if (core < count)
      means[clusters.find(core)].add(boxes[i], std::max(boxes[i].confidence, kLeastWeight));
  }
  std::vector<Candidate> result;
  for (const Mean& mean : means)
    if (mean.count() > 0) result.push_back(mean.result());
  return result;
}

bool lies_inside(const Candidate& inner, int inner_count, const Candidate& outer, int outer_count,
                 float eps) {
  const Rect &a = inner.box, &b = outer.box;
  const float dx = b.width * eps, dy = b.height * eps;
  return (outer_count > std::max(3, inner_count) || inner_count < 3) && a.x >= b.x - dx &&
         a.y >= b.y - dy && a.right() <= b.right() + dx && a.bottom() <= b.bottom() + dy;
}

std::vector<Candidate> grouped(const std::vector<Candidate>& boxes, const ClassLimits& limits) {
  if (limits.group_threshold <= 0) return boxes;
  Partition groups(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (are_alike(boxes[i].box, boxes[k].box, limits.eps)) groups.join(i, k);
  std::vector<Mean> means(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) means[groups.find(i)].add(boxes[i], 1);
  std::erase_if(means, [&](const Mean& mean) { return mean.count() <= limits.group_threshold; });
  std::vector<Candidate> result;
  for (const Mean& mean : means) {
    const bool inside = std::ranges::any_of(means, [&](const Mean& other) {
      return &other != &mean &&
             lies_inside(mean.result(), mean.count(), other.result(), other.count(), limits.eps);
    });
    if (!inside) result.push_back(mean.result());
  }
  return result;
}

std::vector<Candidate> join_alike(const std::vector<Candidate>& candidates,
                                  std::span<const ClassLimits> limits,
                                  const Clustering& clustering) {
  std::vector<std::vector<Candidate>> by_class(limits.size());
  for (const Candidate& candidate : candidates)
    by_class[static_cast<std::size_t>(candidate.class_id)].push_back(candidate);
  std::vector<Candidate> result;
  for (std::size_t id = 0; id < limits.size(); ++id) {
    const auto joined = clustering.is_dense() ? dense_clusters(by_class[id], limits[id])
                                              : grouped(by_class[id], limits[id]);
    result.insert(result.end(), joined.begin(), joined.end());
  }
  return result;
}

}  // namespace

void keep_strongest(std::vector<Candidate>& candidates) {
  if (candidates.size() <= kMostCandidates) return;
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(kMostCandidates);
  std::nth_element(candidates.begin(), end, candidates.end(), is_stronger);
  candidates.erase(end, candidates.end());
}

std::vector<Candidate> cluster(std::vector<Candidate> candidates,
                               std::span<const ClassLimits> limits, const Clustering& clustering,
                               const Overlap& overlap) {
  if (clustering.joins()) candidates = join_alike(candidates, limits, clustering);
  std::sort(candidates.begin(), candidates.end(), is_stronger);
  std::vector<std::vector<Kept>> kept(clustering.class_agnostic ? 1 : limits.size());
  std::vector<int> counts(limits.size());
  std::vector<Candidate> survivors;
  for (const Candidate& candidate : candidates) {
    const auto class_id = static_cast<std::size_t>(candidate.class_id);
    const ClassLimits& limit = limits[class_id];
    std::vector<Kept>& better = kept[clustering.class_agnostic ? 0 : class_id];
    if (candidate.confidence < limit.post_threshold) continue;
    if (limit.topk >= 0 && counts[class_id] >= limit.topk) continue;
    const Kept box(candidate);
    const auto overlaps = [&](const Kept& other) {
      return box.overlaps(other, limit.iou_threshold, overlap);
    };
    if (clustering.suppresses() && std::any_of(better.begin(), better.end(), overlaps)) continue;
    better.push_back(box);
    ++counts[class_id];
    survivors.push_back(candidate);
  }
  return survivors;
}

}  // namespace sightline
