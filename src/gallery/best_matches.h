// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The best of what a search comes across.

#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <vector>

#include "gallery/embedding_index.h"

namespace sightline {

inline constexpr float kBelowAll = -std::numeric_limits<float>::infinity();

inline bool is_better(const Match& a, const Match& b) {
  return a.similarity > b.similarity || (a.similarity == b.similarity && a.row < b.row);
}

// The best `wanted` rows.
class BestRows {
 public:
  explicit BestRows(std::size_t wanted) : wanted_(wanted) {}

  // What is not above this need not be offered, if rows are offered in their order.
  float floor() const {
    if (wanted_ == 0) return std::numeric_limits<float>::infinity();
    return heap_.size() < wanted_ ? kBelowAll : heap_.front().similarity;
  }
  void offer(const Match& match) {
    if (heap_.size() == wanted_) {
      if (wanted_ == 0 || !is_better(match, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), is_better);
      heap_.pop_back();
    }
    heap_.push_back(match);
    std::push_heap(heap_.begin(), heap_.end(), is_better);
  }
  const std::vector<Match>& matches() const { return heap_; }  // in no order
  std::vector<Match> sorted() const {
    std::vector<Match> best = heap_;
    std::sort(best.begin(), best.end(), is_better);
    return best;
  }

 private:
  std::size_t wanted_;
  std::vector<Match> heap_;  // with the worst on top
};

// The nearest row of each of the `wanted` nearest owners.
class BestOwners {
 public:
  explicit BestOwners(std::size_t wanted) : wanted_(wanted) {}

  float floor() const {
    if (wanted_ == 0) return std::numeric_limits<float>::infinity();
    return best_.size() < wanted_ ? kBelowAll : best_.back().similarity;
  }
  void offer(const Match& match) {
    auto place = std::find_if(best_.begin(), best_.end(),
                              [&](const Match& other) { return other.owner == match.owner; });
    if (place != best_.end()) {
      if (!is_better(match, *place)) return;
      best_.erase(place);
    } else if (best_.size() == wanted_) {
      if (wanted_ == 0 || !is_better(match, best_.back())) return;
      best_.pop_back();
    }
    best_.insert(std::upper_bound(best_.begin(), best_.end(), match, is_better), match);
  }
  const std::vector<Match>& matches() const { return best_; }
  const std::vector<Match>& sorted() const { return best_; }

 private:
  std::size_t wanted_;
  std::vector<Match> best_;  // best first
};

}  // namespace sightline
