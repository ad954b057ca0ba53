// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <utility>

#include "gallery/best_matches.h"
#include "gallery/calibration.h"
#include "gallery/dot_products.h"
#include "gallery/gallery.h"
#include "gallery/gallery_file.h"
#include "gallery/index_keeper.h"

namespace sightline {
namespace {

using Clock = std::chrono::steady_clock;
using State = std::shared_ptr<const GalleryIndex>;

// What a matcher was asked for, in one place for all its threads.
class SearchTimes {
 public:
  // Counts until it is destroyed.
  class Running {
   public:
    Running(SearchTimes& times, std::size_t searches) : times_(times), searches_(searches) {}
    ~Running() {
      times_.searches_ += searches_;
      times_.nanoseconds_ += static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin_).count());
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    SearchTimes& times_;
    const std::size_t searches_;
    const Clock::time_point begin_ = Clock::now();
  };

  void report(MatcherStatistics& statistics) const {
    statistics.searches = searches_;
    if (statistics.searches > 0) {
      statistics.mean_search_seconds =
          static_cast<double>(nanoseconds_) * 1e-9 / static_cast<double>(statistics.searches);
    }
  }

 private:
  std::atomic<std::uint64_t> searches_{0}, nanoseconds_{0};
};

const char* name_of(EmbeddingIndex::Method method) {
  switch (method) {
    case EmbeddingIndex::Method::kSinglePrecision:
      return "exact";
    case EmbeddingIndex::Method::kBytes:
      return "bytes";
    default:
      return "graph";
  }
}

// One gallery.
class IndexMatcher final : public Matcher {
 public:
  IndexMatcher(const std::string& location, DecisionRule rule)
      : shown_(shown_location(location)), keeper_(location, rule.compare), rule_(rule) {}

  // Whoever is not in this gallery may be in `other`, which is asked, too, and lives as long.
  void add_other(const IndexMatcher& other) { others_.push_back(&other); }

  std::optional<ModelFingerprint> fingerprint() const override { return keeper_.current()->model; }
  std::string problem() const override { return keeper_.problem(); }
  int person_count() const override { return static_cast<int>(keeper_.current()->persons.size()); }
  std::uint64_t version() override { return keeper_.current()->version; }
  float threshold() const override { return threshold_of(*keeper_.current(), {}); }
  float pair_threshold() const override;

  std::vector<Decision> decide_each(std::span<const std::vector<float>> embeddings) override;
  Tally tally(std::span<const Vote> votes, const std::string& held) override;
  MatcherStatistics statistics() const override;

 private:
  // Persons by number with the mean, weighted, of the votes' similarities; kBelowAll of who has no
  // embedding, or in a large gallery is near none of the votes.
  using Means = std::vector<std::pair<std::uint32_t, float>>;

  static std::vector<float> queries(const GalleryIndex& index,
                                    std::span<const std::vector<float>> embeddings);
  static void require_length(const GalleryIndex& index, std::size_t count);
  Means means_of_all(const GalleryIndex& index, std::span<const Vote> votes) const;
  Means means_of_near(const GalleryIndex& index, std::span<const Vote> votes,
                      std::optional<std::uint32_t> held) const;
  const EmbeddingIndex& searched(const GalleryIndex& index) const {
    return index.compare == Compare::kMean ? index.means : index.embeddings;
  }
  std::size_t size() const { return keeper_.current()->embeddings.size(); }
  float threshold_of(const GalleryIndex& index, const OwnRule& own) const;
  Decision about(const GalleryIndex& index, std::uint32_t person, float similarity,
                 float other) const;
  std::optional<float> probability_of(const GalleryIndex& index, float similarity) const;
  PersonCandidate candidate(const GalleryIndex& index, std::uint32_t person,
                            float similarity) const;
  std::vector<PersonCandidate> candidates_of(const GalleryIndex& index, Means means) const;

  const std::string shown_;
  IndexKeeper keeper_;
  const DecisionRule rule_;
  std::vector<const IndexMatcher*> others_;
  SearchTimes times_;
};

void IndexMatcher::require_length(const GalleryIndex& index, std::size_t count) {
  if (!index.model || count == static_cast<std::size_t>(index.model->dimensions)) return;
  throw Error(ErrorCode::kInput, "this embedding has " + std::to_string(count) +
                                     " numbers, the gallery is of model " + describe(*index.model));
}

// Row by row, of unit length; empty while there is nothing to compare with.
std::vector<float> IndexMatcher::queries(const GalleryIndex& index,
                                         std::span<const std::vector<float>> embeddings) {
  std::vector<float> rows;
  for (const std::vector<float>& embedding : embeddings) {
    const std::vector<float> unit = to_unit_length(embedding);
    require_length(index, unit.size());
    rows.insert(rows.end(), unit.begin(), unit.end());
  }
  if (index.embeddings.size() == 0) rows.clear();
  return rows;
}

// The person's own, the gallery's, the one that was asked for, else the one for so many embeddings.
float IndexMatcher::threshold_of(const GalleryIndex& index, const OwnRule& own) const {
  for (const std::optional<float>& threshold :
       {own.threshold, index.rule.threshold, rule_.threshold})
    if (threshold) return *threshold;
  std::size_t embeddings = index.embeddings.size();
  for (const IndexMatcher* other : others_) embeddings += other->size();
  return gallery_threshold(embeddings, index.compare);
}

float IndexMatcher::pair_threshold() const {
  return keeper_.current()->rule.threshold.value_or(rule_.threshold.value_or(kPairThreshold));
}

std::optional<float> IndexMatcher::probability_of(const GalleryIndex& index,
                                                  float similarity) const {
  if (!index.calibration) return std::nullopt;
  return static_cast<float>(probability(*index.calibration, similarity));
}

PersonCandidate IndexMatcher::candidate(const GalleryIndex& index, std::uint32_t person,
                                        float similarity) const {
  const PersonTable::Entry& entry = index.persons[person];
  similarity = std::clamp(similarity, -1.0f, 1.0f);
  return {entry.id, entry.name, shown_, similarity, probability_of(index, similarity)};
}

Decision IndexMatcher::about(const GalleryIndex& index, std::uint32_t person, float similarity,
                             float other) const {
  const PersonTable::Entry& entry = index.persons[person];
  Decision decision;
  decision.person = entry.id;
  decision.name = entry.name;
  decision.gallery = shown_;
  decision.similarity = std::clamp(similarity, -1.0f, 1.0f);
  decision.second_similarity = std::clamp(other, -1.0f, 1.0f);
  decision.threshold = threshold_of(index, entry.rule);
  decision.probability = probability_of(index, decision.similarity);
  const float margin = entry.rule.margin.value_or(index.rule.margin.value_or(rule_.margin));
  decision.known = decision.similarity >= decision.threshold &&
                   decision.similarity - decision.second_similarity >= margin;
  return decision;
}

std::vector<Decision> IndexMatcher::decide_each(std::span<const std::vector<float>> embeddings) {
  const SearchTimes::Running running(times_, embeddings.size());
  const State index = keeper_.current();
  const std::vector<float> rows = queries(*index, embeddings);
  std::vector<Decision> decisions(embeddings.size());
  if (rows.empty()) return decisions;
  const std::size_t wanted = std::max<std::size_t>(2, rule_.candidates);
  const auto found = searched(*index).nearest_owners(rows, wanted);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const float second = found[i].size() > 1 ? found[i][1].similarity : kBelowAll;
    decisions[i] = about(*index, found[i].at(0).owner, found[i][0].similarity, second);
    for (const Match& match :
         std::span(found[i]).first(std::min(found[i].size(), rule_.candidates)))
      decisions[i].candidates.push_back(candidate(*index, match.owner, match.similarity));
  }
  return decisions;
}

IndexMatcher::Means IndexMatcher::means_of_all(const GalleryIndex& index,
                                               std::span<const Vote> votes) const {
  const EmbeddingIndex& persons = searched(index);
  std::vector<double> sums(persons.owners());
  std::vector<float> best(sums.size());
  double weights = 0;
  for (const Vote& vote : votes) {
    persons.similarities_of_owners(vote.unit, best);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] += static_cast<double>(vote.weight) * static_cast<double>(best[i]);
    weights += static_cast<double>(vote.weight);
  }
  Means means;
  for (std::uint32_t person = 0; person < sums.size(); ++person)
    means.emplace_back(person, static_cast<float>(sums[person] / weights));
  return means;
}

// Whoever has the largest mean is among the nearest of at least one vote.
IndexMatcher::Means IndexMatcher::means_of_near(const GalleryIndex& index,
                                                std::span<const Vote> votes,
                                                std::optional<std::uint32_t> held) const {
  const EmbeddingIndex& persons = searched(index);
  const std::size_t near_each = std::max<std::size_t>(16, rule_.candidates);
  std::vector<float> rows;
  for (const Vote& vote : votes) rows.insert(rows.end(), vote.unit.begin(), vote.unit.end());
  std::set<std::uint32_t> near;
  if (held) near.insert(*held);
  for (const std::vector<Match>& matches : persons.nearest_owners(rows, near_each))
    for (const Match& match : matches) near.insert(match.owner);

  Means means;
  for (const std::uint32_t person : near) {
    double sum = 0, weights = 0;
    for (const Vote& vote : votes) {
      float best = kBelowAll;
      persons.for_each_row_of(person, [&](std::uint32_t row) {
        best = std::max(best, dot_product(persons.values(row), vote.unit));
      });
      sum += static_cast<double>(vote.weight) * static_cast<double>(best);
      weights += static_cast<double>(vote.weight);
    }
    means.emplace_back(person, static_cast<float>(sum / weights));
  }
  return means;
}

// Of equal similarities the person who is first in the gallery's order is nearer.
std::vector<PersonCandidate> IndexMatcher::candidates_of(const GalleryIndex& index,
                                                         Means means) const {
  std::erase_if(means, [](const auto& mean) { return mean.second == kBelowAll; });
  const auto end =
      means.begin() + static_cast<std::ptrdiff_t>(std::min(means.size(), rule_.candidates));
  std::partial_sort(means.begin(), end, means.end(), [](const auto& a, const auto& b) {
    return a.second > b.second || (a.second == b.second && a.first < b.first);
  });
  std::vector<PersonCandidate> candidates;
  for (auto mean = means.begin(); mean != end; ++mean)
    candidates.push_back(candidate(index, mean->first, mean->second));
  return candidates;
}

// Of equal similarities the person who is first in the gallery's order is nearest.
Tally IndexMatcher::tally(std::span<const Vote> votes, const std::string& held) {
  const SearchTimes::Running running(times_, votes.size());
  const State index = keeper_.current();
  for (const Vote& vote : votes) require_length(*index, vote.unit.size());
  Tally tally;
  tally.version = index->version;
  if (index->embeddings.size() == 0) return tally;
  const std::optional<std::uint32_t> holder =
      held.empty() ? std::nullopt : index->persons.find(held);
  const bool is_small = searched(*index).method() == EmbeddingIndex::Method::kSinglePrecision;
  const Means means = is_small ? means_of_all(*index, votes) : means_of_near(*index, votes, holder);

  std::optional<std::uint32_t> nearest;
  float best = kBelowAll, second = kBelowAll, held_similarity = kBelowAll;
  for (const auto& [person, similarity] : means) {
    if (person == holder) held_similarity = similarity;
    if (similarity > best) {
      second = best;
      best = similarity;
      nearest = person;
    } else {
      second = std::max(second, similarity);
    }
  }
  if (nearest) tally.decision = about(*index, *nearest, best, second);
  if (held_similarity > kBelowAll)
    tally.held = about(*index, *holder, held_similarity, holder == nearest ? second : best);
  if (rule_.candidates > 0) tally.decision.candidates = candidates_of(*index, means);
  return tally;
}

MatcherStatistics IndexMatcher::statistics() const {
  const State index = keeper_.current();
  MatcherStatistics statistics;
  statistics.persons = index->persons.size();
  statistics.embeddings = index->embeddings.size();
  statistics.index = name_of(searched(*index).method());
  times_.report(statistics);
  return statistics;
}

// Several galleries: the first that accepts somebody decides. If none does, the nearest person of
// all is reported as such.
class PriorityMatcher final : public Matcher {
 public:
  PriorityMatcher(std::span<const std::string> locations, const DecisionRule& rule)
      : candidates_(rule.candidates) {
    for (const std::string& location : locations)
      matchers_.push_back(std::make_unique<IndexMatcher>(location, rule));
    for (const auto& one : matchers_)
      for (const auto& other : matchers_)
        if (one != other) one->add_other(*other);
    require_one_model(locations);
  }

  std::optional<ModelFingerprint> fingerprint() const override {
    for (const auto& matcher : matchers_)
      if (auto model = matcher->fingerprint()) return model;
    return std::nullopt;
  }
  std::string problem() const override {
    for (const auto& matcher : matchers_)
      if (std::string problem = matcher->problem(); !problem.empty()) return problem;
    return "";
  }
  int person_count() const override { return sum<int>(&Matcher::person_count); }
  std::uint64_t version() override {
    std::uint64_t version = 0;
    for (const auto& matcher : matchers_) version += matcher->version();
    return version;
  }
  float threshold() const override { return matchers_.front()->threshold(); }
  float pair_threshold() const override { return matchers_.front()->pair_threshold(); }

  std::vector<Decision> decide_each(std::span<const std::vector<float>> embeddings) override;
  Tally tally(std::span<const Vote> votes, const std::string& held) override;
  MatcherStatistics statistics() const override;

 private:
  template <typename Number>
  Number sum(Number (Matcher::*count)() const) const {
    Number all = 0;
    for (const auto& matcher : matchers_) all += ((*matcher).*count)();
    return all;
  }
  void require_one_model(std::span<const std::string> locations) const;
  static bool comes_before(const Decision& a, const Decision& b) {
    return !b.known && (a.known || a.similarity > b.similarity);
  }

  void take(const Decision& other, Decision& decision) const;

  const std::size_t candidates_;
  std::vector<std::unique_ptr<IndexMatcher>> matchers_;  // first the one that counts most
};

void PriorityMatcher::require_one_model(std::span<const std::string> locations) const {
  const std::optional<ModelFingerprint> first = fingerprint();
  for (std::size_t i = 0; i < matchers_.size(); ++i) {
    const std::optional<ModelFingerprint> other = matchers_[i]->fingerprint();
    if (!other || other == first) continue;
    throw Error(ErrorCode::kGallery,
                shown_location(locations[i]) + " was made with model " + describe(*other) +
                    ", a gallery before it with " + describe(*first) +
                    ". Galleries that are used together must be of one model: enrol again with "
                    "one of the two");
  }
}

// What the next gallery says, into what those before it have said. The nearest persons are those of
// all galleries, whichever decides.
void PriorityMatcher::take(const Decision& other, Decision& decision) const {
  std::vector<PersonCandidate> candidates = std::move(decision.candidates);
  candidates.insert(candidates.end(), other.candidates.begin(), other.candidates.end());
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const PersonCandidate& a, const PersonCandidate& b) {
                     return a.similarity > b.similarity;
                   });
  candidates.resize(std::min(candidates.size(), candidates_));
  if (comes_before(other, decision)) decision = other;
  decision.candidates = std::move(candidates);
}

std::vector<Decision> PriorityMatcher::decide_each(std::span<const std::vector<float>> embeddings) {
  std::vector<Decision> decisions = matchers_.front()->decide_each(embeddings);
  for (std::size_t next = 1; next < matchers_.size(); ++next) {
    const std::vector<Decision> others = matchers_[next]->decide_each(embeddings);
    for (std::size_t i = 0; i < decisions.size(); ++i) take(others[i], decisions[i]);
  }
  return decisions;
}

Tally PriorityMatcher::tally(std::span<const Vote> votes, const std::string& held) {
  Tally all = matchers_.front()->tally(votes, held);
  for (std::size_t next = 1; next < matchers_.size(); ++next) {
    const Tally other = matchers_[next]->tally(votes, held);
    all.version += other.version;
    take(other.decision, all.decision);
    if (other.held) all.held = other.held;
  }
  return all;
}

// The times of the galleries that are searched one after the other add up.
MatcherStatistics PriorityMatcher::statistics() const {
  MatcherStatistics all;
  for (const auto& matcher : matchers_) {
    const MatcherStatistics one = matcher->statistics();
    all.persons += one.persons;
    all.embeddings += one.embeddings;
    all.searches = std::max(all.searches, one.searches);
    all.mean_search_seconds += one.mean_search_seconds;
    all.index += (all.index.empty() ? "" : ",") + one.index;
  }
  return all;
}

}  // namespace

Decision Matcher::decide(std::span<const float> embedding) {
  const std::vector<float> one(embedding.begin(), embedding.end());
  return decide_each({&one, 1})[0];
}

std::unique_ptr<Matcher> Matcher::open(const std::string& location, DecisionRule rule) {
  return std::make_unique<IndexMatcher>(location, rule);
}

std::unique_ptr<Matcher> Matcher::open(std::span<const std::string> locations, DecisionRule rule) {
  if (locations.size() == 1) return open(locations.front(), rule);
  if (locations.empty())
    throw Error(ErrorCode::kConfig,
                "no gallery is given. Make one: sightline enroll NAME IMAGE...");
  return std::make_unique<PriorityMatcher>(locations, rule);
}

}  // namespace sightline
