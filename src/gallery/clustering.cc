// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/clustering.h"

#include <algorithm>
#include <utility>

#include "gallery/dot_products.h"

namespace sightline {
namespace {

struct Group {
  std::vector<std::size_t> faces;
  std::vector<double> sum;  // of their vectors
  std::size_t row;          // of its mean among those that may still grow
};

// Groups by a chain of nearest neighbours: from any group to the nearest, from there to the
// nearest, and so on, until two are each other's nearest. These can be joined at once, whatever the
// others are: average linkage is reducible, a union is never nearer to a third than its nearer
// part.
class Linkage {
 public:
  Linkage(std::span<const Embedding> faces, float limit) : limit_(limit) {
    width_ = faces.empty() ? 0 : faces.front().size();
    for (std::size_t i = 0; i < faces.size(); ++i) {
      groups_.push_back({{i}, {faces[i].begin(), faces[i].end()}, rows_.size()});
      rows_.push_back(i);
      means_.insert(means_.end(), faces[i].begin(), faces[i].end());
    }
  }

  std::vector<std::vector<std::size_t>> run(const std::function<void(double)>& progress) {
    const auto all = static_cast<double>(rows_.size());
    std::vector<std::size_t> chain;
    while (!rows_.empty()) {
      if (progress) progress(1 - static_cast<double>(rows_.size()) / all);
      if (chain.empty()) chain.push_back(rows_.front());
      const std::size_t end = chain.back();
      const auto [nearest, similarity] =
          nearest_to(end, chain.size() > 1 ? chain[chain.size() - 2] : end);
      if (nearest == end || similarity < limit_) {
        finish(end);
        chain.pop_back();
      } else if (chain.size() > 1 && nearest == chain[chain.size() - 2]) {
        chain.resize(chain.size() - 2);
        join(std::min(end, nearest), std::max(end, nearest));
      } else {
        chain.push_back(nearest);
      }
    }
    return std::move(finished_);
  }

 private:
  // Of equally near ones `before`, so that the chain cannot go round in circles; `group` itself if
  // there is no other.
  std::pair<std::size_t, float> nearest_to(std::size_t group, std::size_t before) {
    similarities_.resize(rows_.size());
    const std::span<const float> mean(means_.data() + groups_[group].row * width_, width_);
    dot_products(means_, mean, similarities_);
    std::size_t nearest = before;
    float best = before == group ? -2 : similarities_[groups_[before].row];
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      if (rows_[row] == group || similarities_[row] <= best) continue;
      best = similarities_[row];
      nearest = rows_[row];
    }
    return {nearest, best};
  }

  void join(std::size_t into, std::size_t from) {
    Group& group = groups_[into];
    Group& other = groups_[from];
    group.faces.insert(group.faces.end(), other.faces.begin(), other.faces.end());
    for (std::size_t i = 0; i < width_; ++i) {
      group.sum[i] += other.sum[i];
      means_[group.row * width_ + i] =
          static_cast<float>(group.sum[i] / static_cast<double>(group.faces.size()));
    }
    remove_row(from);
    other = {};
  }

  // It grows no more: whatever else is joined comes no nearer.
  void finish(std::size_t group) {
    std::ranges::sort(groups_[group].faces);
    finished_.push_back(std::move(groups_[group].faces));
    remove_row(group);
  }

  // The last row takes its place.
  void remove_row(std::size_t group) {
    const std::size_t row = groups_[group].row, last = rows_.size() - 1;
    rows_[row] = rows_[last];
    groups_[rows_[row]].row = row;
    std::copy_n(means_.begin() + static_cast<std::ptrdiff_t>(last * width_), width_,
                means_.begin() + static_cast<std::ptrdiff_t>(row * width_));
    rows_.pop_back();
    means_.resize(last * width_);
  }

  const float limit_;
  std::size_t width_ = 0;
  std::vector<Group> groups_;
  std::vector<std::size_t> rows_;  // the group of each row of `means_`
  std::vector<float> means_;       // row-major, of the groups that may still grow
  std::vector<float> similarities_;
  std::vector<std::vector<std::size_t>> finished_;
};

}  // namespace

std::vector<std::vector<std::size_t>> cluster(std::span<const Embedding> faces, float limit,
                                              const std::function<void(double)>& progress) {
  std::vector<std::vector<std::size_t>> groups = Linkage(faces, limit).run(progress);
  std::ranges::sort(groups, [](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() > b.size() : a.front() < b.front();
  });
  return groups;
}

}  // namespace sightline
