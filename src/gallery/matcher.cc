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

#include "gallery/dot_products.h"
#include "gallery/follower.h"
#include "gallery/gallery.h"
#include "gallery/gallery_file.h"

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

std::shared_ptr<Index> make_index(Changes changes) {
  auto index = std::make_shared<Index>();
  index->model = changes.model;
  for (Person& person : changes.persons)
    index->persons.emplace_back(std::move(person.id), std::move(person.name));
  index->vectors = std::move(changes.vectors);
  for (const Changes::Row& row : changes.added) index->owners.push_back(row.person);
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

// Keeps an index of a gallery up to date, for many threads.
class IndexSource {
 public:
  explicit IndexSource(const std::string& location)
      : location_(location), follower_(Follower::open(location)) {
    reload();
    schedule();
  }

  // The index, after a look at the gallery if the last one was long enough ago. One thread looks,
  // the others go on with the index there is.
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
  void reload();

  const std::string location_;
  std::atomic<Clock::rep> next_poll_{0};

  std::mutex poll_mutex_;  // guards what reads the gallery
  std::unique_ptr<Follower> follower_;
  std::string refusal_;  // why what the gallery has now is not taken

  std::mutex state_mutex_;  // guards what was read
  std::shared_ptr<const Index> index_;
  std::string problem_;
};

// Another thread may have looked just before; looking twice does no harm.
void IndexSource::poll() {
  std::string problem;
  try {
    reload();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  schedule();
  const std::lock_guard lock(state_mutex_);
  problem_ = std::move(problem);
}

void IndexSource::reload() {
  std::optional<Changes> changes = follower_->poll(0);
  if (!changes && !refusal_.empty()) throw Error(ErrorCode::kGallery, refusal_);
  if (!changes) return;
  refusal_.clear();
  const std::shared_ptr<Index> fresh = make_index(*std::move(changes));
  const std::lock_guard lock(state_mutex_);
  fresh->version = index_ == nullptr ? 1 : index_->version + 1;
  if (index_ != nullptr && index_->model && fresh->model != index_->model) {
    refusal_ = shown_location(location_) + " is another gallery now, of " +
               (fresh->model ? "model " + describe(*fresh->model) : "no model") +
               "; this pipeline runs " + describe(*index_->model) + ". Start it again";
    throw Error(ErrorCode::kGallery, refusal_);
  }
  index_ = fresh;
}

class IndexMatcher final : public Matcher {
 public:
  IndexMatcher(const std::string& location, DecisionRule rule)
      : source_(std::make_unique<IndexSource>(location)), rule_(rule) {}

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

std::unique_ptr<Matcher> Matcher::open(const std::string& location, DecisionRule rule) {
  return std::make_unique<IndexMatcher>(location, rule);
}

}  // namespace sightline
