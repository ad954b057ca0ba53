// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/index_keeper.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <unordered_set>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include "gallery/gallery_file.h"
#include "gallery/index_file.h"
#include "gallery/person_means.h"
#include "gallery/search_threads.h"

namespace sightline {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenLooks{250};
// Programs that end at once begin nothing that takes long.
constexpr std::chrono::seconds kSettled{2};

IndexStamp stamp_of(const GalleryIndex& index) {
  return {index.gallery, index.change, index.model.value_or(ModelFingerprint{})};
}

bool wants_graph(const EmbeddingIndex& embeddings) {
  return embeddings.size() >= EmbeddingIndex::kGraphFrom && !embeddings.centre().empty();
}

std::shared_ptr<NeighborGraph> make_graph(const EmbeddingIndex& embeddings, std::size_t threads,
                                          const std::function<bool(std::size_t)>& progress) {
  auto graph = std::make_shared<NeighborGraph>(embeddings.centre(), embeddings.rows());
  const bool complete = graph->add_all(
      embeddings.rows(), threads, [&](std::size_t row) { return embeddings.values(row); },
      progress);
  if (!complete) return nullptr;
  std::vector<std::uint32_t> removed;
  for (std::uint32_t row = 0; row < embeddings.rows(); ++row)
    if (embeddings.owner(row) == EmbeddingIndex::kNobody) removed.push_back(row);
  graph->wipe(removed);
  return graph;
}

void write_file(const std::string& location, const GalleryIndex& index) {
  write_index_file(index_file_of(location), {stamp_of(index), index.persons, index.embeddings});
}

// The number of each person of `changes`.
std::vector<std::uint32_t> take_persons(PersonTable& persons, const Changes& changes) {
  std::vector<std::uint32_t> numbers;
  for (const Person& person : changes.persons) {
    std::optional<std::uint32_t> number = persons.find(person.id);
    if (!number) number = persons.add({person.id, person.name, person.rule});
    persons.change(*number, person.name, person.rule);
    numbers.push_back(*number);
  }
  return numbers;
}

// Whether there are any is what `next` compares with. `removed` are rows of `before`, which may be
// null; the rows of `next` have the same numbers.
void bring_means_up_to_date(const GalleryIndex* before, GalleryIndex& next,
                            std::span<const std::uint32_t> removed) {
  const EmbeddingIndex& embeddings = next.embeddings;
  if (next.compare != Compare::kMean) {
    next.means = EmbeddingIndex(1);
    return;
  }
  if (before == nullptr || before->compare != Compare::kMean ||
      next.means.dimensions() != embeddings.dimensions()) {
    next.means = means_of(embeddings);
    return;
  }
  std::vector<std::uint32_t> touched;
  for (const std::uint32_t row : removed) touched.push_back(before->embeddings.owner(row));
  for (std::size_t row = before->embeddings.rows(); row < embeddings.rows(); ++row)
    if (embeddings.owner(row) != EmbeddingIndex::kNobody) touched.push_back(embeddings.owner(row));
  update_means(embeddings, std::move(touched), next.means);
}

void require_same_model(const GalleryIndex& before, const Changes& changes) {
  if (!before.model || changes.model == before.model) return;
  throw Error(ErrorCode::kGallery,
              "the gallery is another one now, of " +
                  (changes.model ? "model " + describe(*changes.model) : "no model") +
                  "; this pipeline runs " + describe(*before.model) + ". Start it again");
}

}  // namespace

std::shared_ptr<GalleryIndex> with_changes(const GalleryIndex* before, const Changes& changes,
                                           std::vector<std::uint32_t>& removed_rows) {
  if (before != nullptr) require_same_model(*before, changes);
  const bool anew = before == nullptr || changes.complete || !before->model;
  auto next = anew ? std::make_shared<GalleryIndex>() : std::make_shared<GalleryIndex>(*before);
  next->version = before == nullptr ? 1 : before->version + 1;
  next->gallery = changes.gallery;
  next->change = changes.version;
  next->model = changes.model;
  next->rule = changes.rule;
  next->calibration = changes.calibration;
  if (!changes.model) return next;
  const auto dimensions = static_cast<std::size_t>(changes.model->dimensions);
  if (anew) next->embeddings = EmbeddingIndex(changes.model->dimensions);

  const std::vector<std::uint32_t> numbers = take_persons(next->persons, changes);
  std::vector<std::int64_t> gone = changes.removed;
  for (const Changes::Row& row : changes.added) gone.push_back(row.id);  // if it was there before
  for (const std::uint32_t row : next->embeddings.remove(std::move(gone)))
    removed_rows.push_back(row);
  for (std::size_t i = 0; i < changes.added.size(); ++i) {
    const Changes::Row& row = changes.added[i];
    next->embeddings.add({row.id, numbers.at(row.person),
                          std::span(changes.vectors).subspan(i * dimensions, dimensions)});
  }
  for (const std::string& id : changes.removed_persons)
    if (const auto number = next->persons.find(id)) next->persons.remove(*number);
  return next;
}

// What takes long, in a thread of the least priority, on an index that does not change. The graph
// is not changed meanwhile either.
class IndexKeeper::Task {
 public:
  enum class Kind { kGraph, kFile };

  Task(Kind task_kind, std::string location, std::shared_ptr<const GalleryIndex> of,
       std::uint64_t renumbered)
      : kind(task_kind),
        index(std::move(of)),
        numbering(renumbered),
        location_(std::move(location)) {
    thread_ = std::thread([this] { run(); });
  }
  ~Task() {
    stopping_ = true;
    thread_.join();
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  bool is_done() const { return done_.load(std::memory_order_acquire); }

  const Kind kind;
  const std::shared_ptr<const GalleryIndex> index;
  const std::uint64_t numbering;
  std::shared_ptr<NeighborGraph> graph;  // when it is done; null: it could not be made
  bool written = false;

 private:
  void run() {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 19);
    try {
      if (kind == Kind::kGraph) {
        graph = make_graph(index->embeddings, 1, [this](std::size_t) { return !stopping_; });
      } else {
        write_file(location_, *index);
        written = true;
      }
    } catch (const std::exception&) {
      // Searches are exact without a graph, and a folder that cannot be written to has no file.
    }
    done_.store(true, std::memory_order_release);
  }

  const std::string location_;
  std::atomic<bool> stopping_{false}, done_{false};
  std::thread thread_;
};

IndexKeeper::IndexKeeper(const std::string& location, std::optional<Compare> compare)
    : location_(location), has_file_(!is_database_url(location)), compare_(compare) {
  open();
  thread_ = std::thread([this] { follow(); });
}

IndexKeeper::~IndexKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

std::shared_ptr<const GalleryIndex> IndexKeeper::current() const {
  const std::lock_guard lock(mutex_);
  return index_;
}

std::string IndexKeeper::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void IndexKeeper::publish(std::shared_ptr<GalleryIndex> index) {
  std::shared_ptr<const GalleryIndex> last = std::move(index);
  const std::lock_guard lock(mutex_);
  index_.swap(last);  // the last one's memory is given back outside of the lock
}

void IndexKeeper::set_problem(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  problem_ = problem;
}

// The index of the file, if there is one and it is of use. What is wrong with it is no problem.
std::shared_ptr<GalleryIndex> IndexKeeper::from_file() {
  if (!has_file_) return nullptr;
  try {
    StoredIndex stored = read_index_file(index_file_of(location_));
    auto index = std::make_shared<GalleryIndex>();
    index->gallery = stored.stamp.gallery;
    index->change = stored.stamp.change;
    index->model = stored.stamp.model;
    index->persons = std::move(stored.persons);
    index->embeddings = std::move(stored.index);
    index->compare = compare_by({});
    if (index->compare == Compare::kMean) index->means = means_of(index->embeddings);
    return index;
  } catch (const Error&) {
    return nullptr;
  }
}

void IndexKeeper::open() {
  follower_ = Follower::open(location_);
  if (std::shared_ptr<GalleryIndex> stored = from_file()) {
    const std::optional<Changes> changes = follower_->poll(stored->change);
    if (changes && !changes->complete && changes->gallery == stored->gallery &&
        changes->model == stored->model) {
      rows_in_file_ = stored->embeddings.rows();
      graph_in_file_ = stored->embeddings.graph() != nullptr;
      publish(std::move(stored));
      take(*changes);
      return;
    }
    follower_ = Follower::open(location_);  // which tells everything
  }
  const std::optional<Changes> changes = follower_->poll(0);
  take(changes ? *changes : Changes());
}

Compare IndexKeeper::compare_by(const OwnRule& rule) const {
  return compare_.value_or(rule.compare.value_or(Compare::kBest));
}

void IndexKeeper::take(const Changes& changes) {
  std::vector<std::uint32_t> removed;
  const std::shared_ptr<const GalleryIndex> before = current();
  std::shared_ptr<GalleryIndex> next;
  try {
    next = with_changes(before.get(), changes, removed);
  } catch (const Error& error) {
    throw Error(error.code(), shown_location(location_) + ": " + error.what());
  }
  const bool anew = before != nullptr && changes.complete;
  next->compare = compare_by(changes.rule);
  bring_means_up_to_date(changes.complete ? nullptr : before.get(), *next, removed);
  if (anew || next->embeddings.is_sparse()) {
    if (!anew) next->embeddings = next->embeddings.compacted();
    ++renumbered_;
    to_wipe_.clear();
    removed.clear();
  }
  to_wipe_.insert(to_wipe_.end(), removed.begin(), removed.end());
  const bool forgets = anew || !removed.empty() || !changes.removed_persons.empty();
  if (forgets && rows_in_file_ > 0) {
    rows_in_file_ = 0;
    remove_index_file(location_);
  }
  publish(std::move(next));
}

bool IndexKeeper::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void IndexKeeper::follow() {
  const Clock::time_point settled = Clock::now() + kSettled;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      if (stop_.wait_for(lock, kBetweenLooks, [this] { return stopping_; })) break;
    }
    look();
    if (Clock::now() >= settled) tend();
  }
  task_.reset();
}

void IndexKeeper::look() {
  try {
    const auto known = current()->change;
    const std::optional<Changes> changes = follower_->poll(lasting_problem_.empty() ? known : 0);
    if (changes) {
      lasting_problem_ = "of another model, or cannot be read";  // unless all goes well
      take(*changes);
      lasting_problem_.clear();
    }
    set_problem(lasting_problem_);
  } catch (const std::exception& error) {
    if (!lasting_problem_.empty()) lasting_problem_ = error.what();
    set_problem(error.what());
  }
}

void IndexKeeper::tend() {
  if (task_ != nullptr) {
    if (!task_->is_done()) return;
    finish_task();
  }
  tend_graph();
  begin_task();
}

void IndexKeeper::finish_task() {
  const std::unique_ptr<Task> task = std::move(task_);
  if (task->kind == Task::Kind::kGraph) {
    if (task->graph == nullptr || task->numbering != renumbered_) return;
    auto next = std::make_shared<GalleryIndex>(*current());
    next->embeddings.set_graph(task->graph);
    publish(std::move(next));
    return;
  }
  rows_in_file_ = task->index->embeddings.rows();  // not written: not tried again for a while
  graph_in_file_ = task->index->embeddings.graph() != nullptr;
  look();
  // Somebody was removed since, and perhaps the file of before was, too.
  const std::shared_ptr<const GalleryIndex> now = current();
  const bool same = task->numbering == renumbered_ &&
                    task->index->embeddings.rows() - task->index->embeddings.size() ==
                        now->embeddings.rows() - now->embeddings.size() &&
                    task->index->persons.numbers() - task->index->persons.size() ==
                        now->persons.numbers() - now->persons.size();
  if (same || !task->written) return;
  rows_in_file_ = 0;
  try {
    remove_index_file(location_);
  } catch (const Error& error) {
    set_problem(error.what());
  }
}

// New rows get into the graph, removed ones out of it, while nobody else works on it.
void IndexKeeper::tend_graph() {
  constexpr std::chrono::milliseconds kAtATime{100};
  const std::shared_ptr<const GalleryIndex> index = current();
  const std::shared_ptr<NeighborGraph>& graph = index->embeddings.graph();
  if (graph == nullptr) return;
  const Clock::time_point end = Clock::now() + kAtATime;
  while (graph->size() < index->embeddings.rows() && !graph->is_full() && Clock::now() < end)
    graph->add(index->embeddings.values(graph->size()));
  std::erase_if(to_wipe_, [&](std::uint32_t row) { return row >= index->embeddings.rows(); });
  const auto in_graph = std::partition(to_wipe_.begin(), to_wipe_.end(),
                                       [&](std::uint32_t row) { return row >= graph->size(); });
  if (in_graph != to_wipe_.end()) graph->wipe({in_graph, to_wipe_.end()});
  to_wipe_.erase(in_graph, to_wipe_.end());
}

void IndexKeeper::begin_task() {
  const std::shared_ptr<const GalleryIndex> index = current();
  const EmbeddingIndex& embeddings = index->embeddings;
  const auto begin = [&](Task::Kind kind) {
    task_ = std::make_unique<Task>(kind, location_, index, renumbered_);
  };
  const std::size_t rows = embeddings.rows();
  const bool graph_is_old = embeddings.graph() == nullptr ||
                            (embeddings.graph()->is_full() && rows > embeddings.graph()->size());
  if (has_file_ && embeddings.size() >= kIndexFileFrom && index->model) {
    constexpr std::size_t kGrown = 20;  // a file is written again when this part has been added
    const bool is_old = rows_in_file_ == 0 ||
                        rows - std::min(rows, rows_in_file_) > rows / kGrown ||
                        (embeddings.graph() != nullptr && !graph_in_file_);
    if (is_old) {
      begin(Task::Kind::kFile);
      return;
    }
  }
  if (wants_graph(embeddings) && graph_is_old) begin(Task::Kind::kGraph);
}

bool make_index_file(const std::string& location,
                     const std::function<bool(std::size_t, std::size_t)>& progress) {
  if (is_database_url(location)) return false;
  const auto changes = Follower::open(location)->poll(0);
  if (!changes) return false;
  std::vector<std::uint32_t> removed;
  const std::shared_ptr<GalleryIndex> index = with_changes(nullptr, *changes, removed);
  EmbeddingIndex& embeddings = index->embeddings;
  if (embeddings.size() < kIndexFileFrom) return false;
  if (wants_graph(embeddings)) {
    auto graph = make_graph(embeddings, search_threads(), [&](std::size_t done) {
      return !progress || progress(done, embeddings.rows());
    });
    if (graph == nullptr) return false;
    embeddings.set_graph(std::move(graph));
  }
  write_file(location, *index);
  // Who was removed meanwhile must not be in it.
  const auto since = Follower::open(location)->poll(index->change);
  const bool same = since && !since->complete && since->removed.empty() &&
                    since->removed_persons.empty() && since->gallery == index->gallery;
  if (!same) remove_index_file(location);
  return same;
}

}  // namespace sightline
