// SPDX-License-Identifier: LGPL-2.1-or-later

#include "changing_gallery.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <sys/resource.h>

#include "gallery/index_keeper.h"
#include "process_status.h"
#include "search_times.h"

namespace sightline::bench {
namespace {

constexpr std::size_t kAtOnce = 20;  // rows of a commit: half of them added, half removed
constexpr double kIdleSeconds = 2;

// As IndexKeeper publishes.
class Published {
 public:
  explicit Published(std::shared_ptr<const GalleryIndex> index) : index_(std::move(index)) {}
  std::shared_ptr<const GalleryIndex> current() const {
    const std::lock_guard lock(mutex_);
    return index_;
  }
  void publish(std::shared_ptr<const GalleryIndex> index) {
    const std::lock_guard lock(mutex_);
    index_.swap(index);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const GalleryIndex> index_;
};

std::shared_ptr<const GalleryIndex> gallery_of(const DrawnGallery& drawn) {
  auto gallery = std::make_shared<GalleryIndex>();
  gallery->gallery = "bench";
  gallery->model = ModelFingerprint{"bench", "bench", drawn.index.dimensions()};
  for (std::size_t owner = 0; owner < drawn.index.owners(); ++owner)
    gallery->persons.add({"person " + std::to_string(owner), "Person", {}});
  gallery->embeddings = drawn.index;
  return gallery;
}

// Searches until it is told to stop.
class Searcher {
 public:
  Searcher(const Published& published, const Queries& queries)
      : published_(published), queries_(queries) {}

  void run(const std::atomic<bool>& stop) {
    const auto dimensions = static_cast<std::size_t>(published_.current()->embeddings.dimensions());
    const std::size_t all = queries_.values.size() / dimensions;
    for (std::size_t i = 0; !stop; ++i) {
      const Switches before = switches();
      const double begin = now(), begin_at_work = thread_cpu_seconds();
      const std::shared_ptr<const GalleryIndex> index = published_.current();
      longest_wait = std::max(longest_wait, now() - begin);
      index->embeddings.nearest_owners(
          std::span(queries_.values).subspan(i % all * dimensions, dimensions), 2);
      const double at_work = thread_cpu_seconds() - begin_at_work, seconds = now() - begin;
      const Switches after = switches();
      seconds_.push_back(seconds);
      figures_.longest_at_work = std::max(figures_.longest_at_work, at_work);
      figures_.lost_core += after.forced > before.forced;
      if (after.own == before.own) continue;
      ++figures_.waited;
      figures_.longest_waited = std::max(figures_.longest_waited, seconds);
    }
  }
  SearchFigures figures() const {
    SearchFigures all = figures_;
    all.count = seconds_.size();
    if (seconds_.empty()) return all;
    all.median = quantile(seconds_, 0.5);
    all.p99 = quantile(seconds_, 0.99);
    all.longest = quantile(seconds_, 1);
    return all;
  }
  double longest_wait = 0;

 private:
  // From this thread to others.
  struct Switches {
    long own, forced;
  };
  static Switches switches() {
    rusage used{};
    ::getrusage(RUSAGE_THREAD, &used);
    return {used.ru_nvcsw, used.ru_nivcsw};
  }

  const Published& published_;
  const Queries& queries_;
  std::vector<double> seconds_;
  SearchFigures figures_;
};

// New rows are the queries of strangers; old ones go in steps over the whole gallery.
Changes next_changes(const DrawnGallery& drawn, std::size_t number, std::size_t groups) {
  const auto dimensions = static_cast<std::size_t>(drawn.index.dimensions());
  const std::size_t strangers = drawn.strangers.values.size() / dimensions;
  Changes changes;
  changes.gallery = "bench";
  changes.version = static_cast<std::int64_t>(number) + 1;
  changes.model = ModelFingerprint{"bench", "bench", drawn.index.dimensions()};
  for (std::size_t i = 0; i < kAtOnce / 2; ++i) {
    const std::size_t each = number * kAtOnce / 2 + i;
    changes.added.push_back({static_cast<std::int64_t>(drawn.index.rows() + each + 1),
                             static_cast<std::uint32_t>(changes.persons.size())});
    Person& person = changes.persons.emplace_back();
    person.id = "new " + std::to_string(each);
    const float* values = drawn.strangers.values.data() + each % strangers * dimensions;
    changes.vectors.insert(changes.vectors.end(), values, values + dimensions);
    changes.removed.push_back(
        static_cast<std::int64_t>(each * drawn.index.rows() / (groups * kAtOnce / 2)) + 1);
  }
  return changes;
}

void change(const DrawnGallery& drawn, Published& published, std::size_t groups) {
  for (std::size_t number = 0; number < groups; ++number) {
    std::vector<std::uint32_t> removed;
    const auto before = published.current();
    const std::shared_ptr<GalleryIndex> next =
        with_changes(before.get(), next_changes(drawn, number, groups), removed);
    published.publish(next);
    const std::shared_ptr<NeighborGraph>& graph = next->embeddings.graph();
    if (graph == nullptr) continue;
    while (graph->size() < next->embeddings.rows() && !graph->is_full())
      graph->add(next->embeddings.values(graph->size()));
    graph->wipe(removed);
  }
}

}  // namespace

ChangeFigures measure_changes(const DrawnGallery& drawn, std::size_t changes) {
  ChangeFigures figures;
  const std::size_t groups = std::max<std::size_t>(changes / kAtOnce, 1);
  figures.changes = groups * kAtOnce;
  Published published(gallery_of(drawn));
  const auto search_during = [&](const std::function<void()>& work) {
    Searcher searcher(published, drawn.known);
    std::atomic<bool> stop{false};
    std::thread searching([&] { searcher.run(stop); });
    work();
    stop = true;
    searching.join();
    return searcher;
  };
  figures.idle = search_during([] {
                   std::this_thread::sleep_for(std::chrono::duration<double>(kIdleSeconds));
                 }).figures();
  const double begin = now();
  const Searcher during = search_during([&] { change(drawn, published, groups); });
  figures.seconds = now() - begin;
  figures.during = during.figures();
  figures.longest_wait = during.longest_wait;
  return figures;
}

}  // namespace sightline::bench
