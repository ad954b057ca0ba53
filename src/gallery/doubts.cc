// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/doubts.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include "gallery/dot_products.h"
#include "gallery/screened_rows.h"

namespace sightline {
namespace {

// Embeddings of one picture, decoded or computed twice, differ in the last bits only; of two
// frames that follow each other in a clip they are about 0.999.
constexpr float kSamePicture = 0.99999f;

// Of each person the mean of the unit vectors: its product with a vector is the mean of the
// similarities of that to all the person's views.
struct Means {
  std::vector<std::size_t> counts;
  std::vector<float> rows;  // row-major, person by person

  explicit Means(std::span<const PersonView> views)
      : counts(std::ranges::max_element(views, {}, &PersonView::person)->person + 1) {
    const std::size_t width = views.front().unit.size();
    std::vector<double> sums(counts.size() * width);
    for (const PersonView& view : views) {
      ++counts[view.person];
      for (std::size_t i = 0; i < width; ++i)
        sums[view.person * width + i] += static_cast<double>(view.unit[i]);
    }
    for (std::size_t person = 0; person < counts.size(); ++person) {
      const auto count = static_cast<double>(std::max<std::size_t>(counts[person], 1));
      for (std::size_t i = 0; i < width; ++i)
        rows.push_back(static_cast<float>(sums[person * width + i] / count));
    }
  }

  std::span<const float> row(std::size_t person) const {
    const std::size_t width = rows.size() / counts.size();
    return std::span(rows).subspan(person * width, width);
  }
};

constexpr std::size_t kTogether = 16;  // vectors that are compared with all rows at a time

std::vector<float> joined(std::span<const PersonView> views) {
  std::vector<float> rows;
  rows.reserve(views.size() * views.front().unit.size());
  for (const PersonView& view : views) rows.insert(rows.end(), view.unit.begin(), view.unit.end());
  return rows;
}

class Comparison {
 public:
  Comparison(std::span<const PersonView> views, float threshold,
             const std::function<void(double)>& progress)
      : views_(views),
        threshold_(threshold),
        progress_(progress),
        means_(views),
        rows_(joined(views)),
        screened_views_(rows_, views.front().unit.size()),
        screened_means_(means_.rows, views.front().unit.size()) {}

  Doubts run() {
    std::vector<std::jthread> threads;
    const unsigned count = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    threads.clear();
    std::ranges::sort(found_.mix_ups, [](const MixUp& a, const MixUp& b) {
      const float by_a = a.other - a.own, by_b = b.other - b.own;
      return by_a != by_b ? by_a > by_b : a.view < b.view;
    });
    std::ranges::sort(found_.same_persons, {}, [](const SamePerson& pair) {
      return std::tuple(-pair.similarity, pair.first, pair.second);
    });
    std::ranges::sort(found_.same_pictures, {},
                      [](const SamePicture& pair) { return std::pair(pair.first, pair.second); });
    return std::move(found_);
  }

 private:
  // Persons, and then views, some at a time.
  void work() {
    Doubts found;
    const std::size_t persons = means_.counts.size();
    const std::size_t steps_of_persons = (persons + kTogether - 1) / kTogether;
    const std::size_t steps = steps_of_persons + (views_.size() + kTogether - 1) / kTogether;
    for (std::size_t step; (step = next_++) < steps;) {
      if (step < steps_of_persons) {
        find_same_persons(step * kTogether, std::min(kTogether, persons - step * kTogether), found);
      } else {
        const std::size_t first = (step - steps_of_persons) * kTogether;
        const auto views = views_.subspan(first, std::min(kTogether, views_.size() - first));
        find_same_pictures(first, views, found);
        find_mix_ups(first, views, found);
      }
      tell(static_cast<double>(step) / static_cast<double>(steps));
    }
    const std::lock_guard lock(mutex_);
    std::ranges::move(found.mix_ups, std::back_inserter(found_.mix_ups));
    std::ranges::move(found.same_persons, std::back_inserter(found_.same_persons));
    std::ranges::move(found.same_pictures, std::back_inserter(found_.same_pictures));
  }

  void find_same_persons(std::size_t first, std::size_t count, Doubts& found) const {
    std::vector<ScreenedRows::Query> queries;
    for (std::size_t i = 0; i < count; ++i) queries.push_back({means_.row(first + i), threshold_});
    screened_means_.find(queries, first, [&](std::size_t i, std::size_t other, float similarity) {
      const std::size_t person = first + i;
      const bool both_are_there = means_.counts[person] > 0 && means_.counts[other] > 0;
      if (other > person && both_are_there)
        found.same_persons.push_back({person, other, similarity});
    });
  }

  void find_same_pictures(std::size_t first, std::span<const PersonView> views,
                          Doubts& found) const {
    std::vector<ScreenedRows::Query> queries;
    for (const PersonView& view : views) queries.push_back({view.unit, kSamePicture});
    screened_views_.find(queries, first, [&](std::size_t i, std::size_t other, float) {
      if (other > first + i) found.same_pictures.push_back({first + i, other});
    });
  }

  void find_mix_ups(std::size_t first, std::span<const PersonView> views, Doubts& found) const {
    std::vector<ScreenedRows::Query> queries;
    std::vector<MixUp> nearest;
    for (std::size_t i = 0; i < views.size(); ++i) {
      const std::size_t person = views[i].person;
      const auto count = static_cast<float>(means_.counts[person]);
      // Of a person's only view nothing says whose it should be instead.
      if (means_.counts[person] < 2) continue;
      // Without itself, whose similarity is 1.
      const float own = (dot_product(means_.row(person), views[i].unit) * count - 1) / (count - 1);
      queries.push_back({views[i].unit, own});
      nearest.push_back({first + i, own, person, own});
    }
    screened_means_.find(queries, 0, [&](std::size_t i, std::size_t other, float similarity) {
      MixUp& mix_up = nearest[i];
      if (other == views_[mix_up.view].person || means_.counts[other] == 0) return;
      if (similarity <= mix_up.other) return;
      mix_up.other = similarity;
      mix_up.person = other;
    });
    std::ranges::copy_if(nearest, std::back_inserter(found.mix_ups),
                         [](const MixUp& mix_up) { return mix_up.other > mix_up.own; });
  }

  void tell(double share) {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    progress_(share);
  }

  std::span<const PersonView> views_;
  const float threshold_;
  const std::function<void(double)>& progress_;
  const Means means_;
  const std::vector<float> rows_;
  const ScreenedRows screened_views_, screened_means_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;  // of what follows
  Doubts found_;
};

}  // namespace

Doubts find_doubts(std::span<const PersonView> views, float threshold,
                   const std::function<void(double)>& progress) {
  if (views.empty()) return {};
  Doubts doubts = Comparison(views, threshold, progress).run();
  // Of two persons that are one, every picture is near to the other; that is said once.
  std::set<std::pair<std::size_t, std::size_t>> alike;
  for (const SamePerson& pair : doubts.same_persons) alike.emplace(pair.first, pair.second);
  std::erase_if(doubts.mix_ups, [&](const MixUp& found) {
    return alike.contains({std::min(views[found.view].person, found.person),
                           std::max(views[found.view].person, found.person)});
  });
  return doubts;
}

}  // namespace sightline
