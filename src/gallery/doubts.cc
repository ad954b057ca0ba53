// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/doubts.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <tuple>

#include "gallery/dot_products.h"

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
    for (std::size_t i = 0; i < sums.size(); ++i)
      rows.push_back(static_cast<float>(
          sums[i] / static_cast<double>(std::max<std::size_t>(counts[i / width], 1))));
  }

  std::span<const float> row(std::size_t person) const {
    const std::size_t width = rows.size() / counts.size();
    return std::span(rows).subspan(person * width, width);
  }
};

// So many vectors are compared with so many rows before the next rows are fetched from memory,
// which is slower than comparing.
constexpr std::size_t kTogether = 16;
constexpr std::size_t kRowsInCache = 1024;

// Calls each(i, row, similarities) with those of unit(i) to some rows, of which `row` is the first,
// until each of `count` vectors has been compared with each row from `begin` on.
template <typename Unit, typename Each>
void compare(std::span<const float> rows, std::size_t begin, std::size_t count, Unit unit,
             Each each) {
  const std::size_t width = unit(0).size();
  const std::size_t end = rows.size() / width;
  std::array<float, kRowsInCache> similarities;
  for (std::size_t row = begin; row < end; row += kRowsInCache) {
    const std::size_t some = std::min(kRowsInCache, end - row);
    for (std::size_t i = 0; i < count; ++i) {
      const std::span<float> out = std::span(similarities).first(some);
      dot_products(rows.subspan(row * width, some * width), unit(i), out);
      each(i, row, std::span<const float>(out));
    }
  }
}

std::vector<float> joined(std::span<const PersonView> views) {
  std::vector<float> rows;
  rows.reserve(views.size() * views.front().unit.size());
  for (const PersonView& view : views) rows.insert(rows.end(), view.unit.begin(), view.unit.end());
  return rows;
}

class Comparison {
 public:
  Comparison(std::span<const PersonView> views, const Means& means,
             const std::function<void(double)>& progress)
      : views_(views), means_(means), progress_(progress), rows_(joined(views)) {}

  Doubts run() {
    std::vector<std::jthread> threads;
    const unsigned count = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < count; ++i) threads.emplace_back([this] { work(); });
    threads.clear();
    std::ranges::sort(found_.mix_ups, [](const MixUp& a, const MixUp& b) {
      const float by_a = a.other - a.own, by_b = b.other - b.own;
      return by_a != by_b ? by_a > by_b : a.view < b.view;
    });
    std::ranges::sort(found_.same_pictures, {},
                      [](const SamePicture& pair) { return std::pair(pair.first, pair.second); });
    return std::move(found_);
  }

 private:
  void work() {
    Doubts found;
    for (std::size_t first; (first = next_.fetch_add(kTogether)) < views_.size();) {
      const std::span<const PersonView> views =
          views_.subspan(first, std::min(kTogether, views_.size() - first));
      find_same_pictures(first, views, found);
      find_mix_ups(first, views, found);
      tell(first);
    }
    const std::lock_guard lock(mutex_);
    std::ranges::move(found.mix_ups, std::back_inserter(found_.mix_ups));
    std::ranges::move(found.same_pictures, std::back_inserter(found_.same_pictures));
  }

  void find_same_pictures(std::size_t first, std::span<const PersonView> views,
                          Doubts& found) const {
    const auto unit = [&](std::size_t i) { return std::span<const float>(views[i].unit); };
    compare(rows_, first, views.size(), unit,
            [&](std::size_t i, std::size_t row, std::span<const float> similarities) {
              for (std::size_t other = 0; other < similarities.size(); ++other)
                if (similarities[other] >= kSamePicture && row + other > first + i)
                  found.same_pictures.push_back({first + i, row + other});
            });
  }

  void find_mix_ups(std::size_t first, std::span<const PersonView> views, Doubts& found) const {
    const std::size_t persons = means_.counts.size();
    std::vector<float> to_persons(views.size() * persons);
    const auto unit = [&](std::size_t i) { return std::span<const float>(views[i].unit); };
    compare(means_.rows, 0, views.size(), unit,
            [&](std::size_t i, std::size_t row, std::span<const float> similarities) {
              std::ranges::copy(similarities, to_persons.begin() +
                                                  static_cast<std::ptrdiff_t>(i * persons + row));
            });
    for (std::size_t i = 0; i < views.size(); ++i)
      if (const auto mix_up =
              mix_up_of(first + i, std::span(to_persons).subspan(i * persons, persons)))
        found.mix_ups.push_back(*mix_up);
  }

  std::optional<MixUp> mix_up_of(std::size_t view, std::span<const float> to_persons) const {
    const std::size_t person = views_[view].person;
    const auto count = static_cast<float>(means_.counts[person]);
    // Of a person's only view nothing says whose it should be instead.
    if (means_.counts[person] < 2) return std::nullopt;
    // Without itself, whose similarity is 1.
    MixUp mix_up{view, (to_persons[person] * count - 1) / (count - 1), person, -1};
    for (std::size_t other = 0; other < to_persons.size(); ++other) {
      if (other == person || means_.counts[other] == 0 || to_persons[other] <= mix_up.other)
        continue;
      mix_up.other = to_persons[other];
      mix_up.person = other;
    }
    return mix_up.other > mix_up.own ? std::optional(mix_up) : std::nullopt;
  }

  void tell(std::size_t view) {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    progress_(static_cast<double>(view) / static_cast<double>(views_.size()));
  }

  std::span<const PersonView> views_;
  const Means& means_;
  const std::function<void(double)>& progress_;
  const std::vector<float> rows_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;  // of what follows
  Doubts found_;
};

std::vector<SamePerson> same_persons(const Means& means, float threshold) {
  const std::size_t persons = means.counts.size();
  std::vector<SamePerson> found;
  for (std::size_t first = 0; first < persons; first += kTogether) {
    const auto unit = [&](std::size_t i) { return means.row(first + i); };
    compare(means.rows, first, std::min(kTogether, persons - first), unit,
            [&](std::size_t i, std::size_t row, std::span<const float> similarities) {
              for (std::size_t other = 0; other < similarities.size(); ++other)
                if (similarities[other] >= threshold && row + other > first + i)
                  found.push_back({first + i, row + other, similarities[other]});
            });
  }
  std::ranges::sort(found, {}, [](const SamePerson& pair) {
    return std::tuple(-pair.similarity, pair.first, pair.second);
  });
  return found;
}

}  // namespace

Doubts find_doubts(std::span<const PersonView> views, float threshold,
                   const std::function<void(double)>& progress) {
  if (views.empty()) return {};
  const Means means(views);
  Doubts doubts = Comparison(views, means, progress).run();
  doubts.same_persons = same_persons(means, threshold);
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
