// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <sys/stat.h>

#include "gallery/dot_products.h"
#include "gallery/gallery.h"
#include "gallery/gallery_file.h"
#include "gallery/sqlite.h"

namespace sightline {
namespace {

constexpr std::chrono::milliseconds kPollInterval{250};

// Everything that deciding needs, never changed once made.
struct Index {
  std::uint64_t version = 0;  // of the indexes that a source has had
  std::optional<ModelFingerprint> model;
  std::vector<std::pair<std::string, std::string>> persons;  // id, name
  std::vector<float> vectors;                                // row-major, rows × dimensions
  std::vector<std::uint32_t> owners;                         // of each row, into `persons`
};

std::shared_ptr<Index> load_index(const Connection& connection) {
  const Transaction snapshot(connection, Transaction::Kind::kRead);
  auto index = std::make_shared<Index>();
  index->model = read_fingerprint(connection);
  const auto dimensions = static_cast<std::size_t>(index->model ? index->model->dimensions : 0);

  std::unordered_map<std::int64_t, std::uint32_t> numbers;
  Statement persons(connection, "SELECT number, id, name FROM persons ORDER BY number");
  while (persons.step()) {
    numbers.emplace(persons.integer(0), static_cast<std::uint32_t>(index->persons.size()));
    index->persons.emplace_back(persons.text(1), persons.text(2));
    if (!is_utf8(persons.text(1)) || !is_utf8(persons.text(2)))
      connection.fail("is damaged: a person's name is not UTF-8. Restore a backup");
  }
  Statement rows(connection, "SELECT id, person, vector FROM embeddings ORDER BY id");
  while (rows.step()) {
    const std::size_t end = index->vectors.size();
    index->vectors.resize(end + dimensions);
    const auto owner = numbers.find(rows.integer(1));
    if (owner == numbers.end() || dimensions == 0 ||
        !decode_vector(rows.blob(2), std::span(index->vectors).subspan(end))) {
      connection.fail("is damaged: embedding " + std::to_string(rows.integer(0)) +
                      " is not sound. See `sightline gallery check`, or restore a backup");
    }
    index->owners.push_back(owner->second);
  }
  return index;
}

constexpr float kBelowAll = -std::numeric_limits<float>::infinity();

// Calls `visit` with the owner and the cosine of each row, in order.
template <typename Visit>
void for_each_similarity(const Index& index, std::span<const float> unit, Visit visit) {
  std::array<float, 512> similarities;
  for (std::size_t begin = 0; begin < index.owners.size(); begin += similarities.size()) {
    const std::size_t rows = std::min(similarities.size(), index.owners.size() - begin);
    dot_products(std::span(index.vectors).subspan(begin * unit.size(), rows * unit.size()), unit,
                 std::span(similarities).first(rows));
    for (std::size_t i = 0; i < rows; ++i) visit(index.owners[begin + i], similarities[i]);
  }
}

// The nearest person and the nearest other person.
Decision search(const Index& index, std::span<const float> unit) {
  constexpr std::uint32_t kNobody = UINT32_MAX;
  std::uint32_t nearest = kNobody;
  float best = kBelowAll, second = kBelowAll;
  for_each_similarity(index, unit, [&](std::uint32_t owner, float similarity) {
    if (owner == nearest) {
      best = std::max(best, similarity);
    } else if (similarity > best) {
      second = best;
      best = similarity;
      nearest = owner;
    } else {
      second = std::max(second, similarity);
    }
  });
  Decision decision;
  if (nearest == kNobody) return decision;
  std::tie(decision.person, decision.name) = index.persons[nearest];
  decision.similarity = std::clamp(best, -1.0f, 1.0f);
  decision.second_similarity = std::clamp(second, -1.0f, 1.0f);
  return decision;
}

// Of each person, the weighted mean over the votes of the similarity of the person's best
// embedding; kBelowAll of persons without one.
std::vector<float> mean_similarities(const Index& index, std::span<const Vote> votes) {
  std::vector<double> sums(index.persons.size());
  std::vector<float> best(index.persons.size());
  double weights = 0;
  for (const Vote& vote : votes) {
    best.assign(best.size(), kBelowAll);
    for_each_similarity(index, vote.unit, [&](std::uint32_t owner, float similarity) {
      best[owner] = std::max(best[owner], similarity);
    });
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += static_cast<double>(vote.weight) * best[i];
    weights += vote.weight;
  }
  std::vector<float> means;
  for (const double sum : sums) means.push_back(static_cast<float>(sum / weights));
  return means;
}

Decision about(const Index& index, std::size_t person, float similarity, float other) {
  Decision decision;
  std::tie(decision.person, decision.name) = index.persons[person];
  decision.similarity = std::clamp(similarity, -1.0f, 1.0f);
  decision.second_similarity = std::clamp(other, -1.0f, 1.0f);
  return decision;
}

// Of equal similarities the person who is first in the gallery's order is nearest.
Tally tally(const Index& index, const std::vector<float>& similarities, const std::string& held) {
  std::size_t nearest = similarities.size(), holder = nearest;
  float best = kBelowAll, second = kBelowAll;
  for (std::size_t i = 0; i < similarities.size(); ++i) {
    if (index.persons[i].first == held && similarities[i] > kBelowAll) holder = i;
    if (similarities[i] > best) {
      second = best;
      best = similarities[i];
      nearest = i;
    } else {
      second = std::max(second, similarities[i]);
    }
  }
  Tally tally;
  tally.version = index.version;
  if (nearest < similarities.size()) tally.decision = about(index, nearest, best, second);
  if (holder < similarities.size())
    tally.held = about(index, holder, similarities[holder], holder == nearest ? second : best);
  return tally;
}

// Tells a file from another that has taken its name. Size, time and whether there is a log matter
// only where SQLite does not look for changes: a file opened as immutable.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  timespec changed{};
  off_t log_size = 0;

  // All zero if there is no file.
  static FileIdentity of(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};  // opening it will tell why
    FileIdentity found{status.st_dev, status.st_ino, status.st_size, status.st_mtim, 0};
    if (::stat((path.string() + "-wal").c_str(), &status) == 0) found.log_size = status.st_size;
    return found;
  }

  bool is_same_file(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
  bool is_unchanged(const FileIdentity& other) const {
    return size == other.size && log_size == other.log_size &&
           changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
  }
};

// Keeps an index of a file up to date, for many threads.
class IndexSource {
 public:
  explicit IndexSource(const std::filesystem::path& path) : path_(path) {
    reload(Connection::kDefaultPatience);
    schedule();
  }

  // The index, after a look at the file if the last one was long enough ago. One thread looks, the
  // others go on with the index there is.
  std::shared_ptr<const Index> current() {
    if (Clock::now().time_since_epoch().count() >= next_poll_.load(std::memory_order_relaxed)) {
      const std::unique_lock polling(poll_mutex_, std::try_to_lock);
      if (polling.owns_lock()) poll();
    }
    const std::lock_guard lock(state_mutex_);
    return index_;
  }

  std::string problem() {
    current();
    const std::lock_guard lock(state_mutex_);
    return problem_;
  }

 private:
  using Clock = std::chrono::steady_clock;

  void schedule() { next_poll_ = (Clock::now() + kPollInterval).time_since_epoch().count(); }
  void poll();
  void reload(int patience);

  const std::filesystem::path path_;
  std::atomic<Clock::rep> next_poll_{0};

  std::mutex poll_mutex_;  // guards what reads the file
  std::unique_ptr<Connection> connection_;
  FileIdentity identity_;
  std::int64_t version_ = 0;
  bool loaded_ = false;  // whether `index_` is what `version_` says

  std::mutex state_mutex_;  // guards what was read
  std::shared_ptr<const Index> index_;
  std::string problem_;
};

// Another thread may have looked just before; looking twice does no harm.
void IndexSource::poll() {
  std::string problem;
  try {
    reload(0);  // a pipeline does not wait for a lock: while one is held, the last index answers
  } catch (const std::exception& error) {
    problem = error.what();
    // From scratch next time. A file that has replaced another needs it: SQLite shares the state
    // of its log between all who have it open, and makes it anew only when all have let go.
    connection_.reset();
  }
  schedule();
  const std::lock_guard lock(state_mutex_);
  problem_ = std::move(problem);
}

void IndexSource::reload(int patience) {
  const FileIdentity found = FileIdentity::of(path_);
  const bool stale = connection_ == nullptr || !found.is_same_file(identity_) ||
                     (connection_->is_immutable() && !found.is_unchanged(identity_));
  if (stale) {
    loaded_ = false;
    connection_.reset();
    connection_ = open_gallery_file(path_, Gallery::Mode::kReadOnly, patience);
    identity_ = found;
  }
  connection_->set_patience(patience);
  const std::int64_t version = connection_->number("PRAGMA data_version");
  if (loaded_ && version == version_) return;

  // The version was read first: a commit in between is loaded now and once more at the next poll.
  loaded_ = false;
  std::shared_ptr<Index> fresh = load_index(*connection_);
  const std::lock_guard lock(state_mutex_);
  fresh->version = index_ == nullptr ? 1 : index_->version + 1;
  if (index_ != nullptr && index_->model && fresh->model != index_->model) {
    connection_->fail("is another gallery now, of " +
                      (fresh->model ? "model " + describe(*fresh->model) : "no model") +
                      "; this pipeline runs " + describe(*index_->model) + ". Start it again");
  }
  index_ = std::move(fresh);
  version_ = version;
  loaded_ = true;
}

class FileMatcher final : public Matcher {
 public:
  FileMatcher(const std::filesystem::path& path, DecisionRule rule)
      : source_(std::make_unique<IndexSource>(path)), rule_(rule) {}

  std::optional<ModelFingerprint> fingerprint() const override { return source_->current()->model; }
  std::string problem() const override { return source_->problem(); }
  int person_count() const override { return static_cast<int>(source_->current()->persons.size()); }

  Decision decide(std::span<const float> embedding) override {
    const std::shared_ptr<const Index> index = source_->current();
    const std::vector<float> unit = to_unit_length(embedding);
    require_length(*index, unit.size());
    Decision decision = search(*index, unit);
    decision.known = rule_.accepts(decision);
    return decision;
  }

  Tally tally(std::span<const Vote> votes, const std::string& held) override {
    const std::shared_ptr<const Index> index = source_->current();
    for (const Vote& vote : votes) require_length(*index, vote.unit.size());
    Tally tally = sightline::tally(*index, mean_similarities(*index, votes), held);
    tally.decision.known = rule_.accepts(tally.decision);
    return tally;
  }

  std::uint64_t version() override { return source_->current()->version; }
  const DecisionRule& rule() const override { return rule_; }

 private:
  static void require_length(const Index& index, std::size_t count) {
    if (!index.model || count == static_cast<std::size_t>(index.model->dimensions)) return;
    throw Error(ErrorCode::kInput, "this embedding has " + std::to_string(count) +
                                       " numbers, the gallery is of model " +
                                       describe(*index.model));
  }

  const std::unique_ptr<IndexSource> source_;
  const DecisionRule rule_;
};

}  // namespace

std::unique_ptr<Matcher> Matcher::open(const std::filesystem::path& path, DecisionRule rule) {
  return std::make_unique<FileMatcher>(path, rule);
}

}  // namespace sightline
