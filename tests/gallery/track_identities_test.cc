// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/track_identities.h"

#include <chrono>
#include <cmath>
#include <map>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../patience.h"
#include "scratch.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;

constexpr int kDimensions = 16;

std::vector<float> at_angle(double degrees) {
  std::vector<float> values(kDimensions, 0);
  values[0] = static_cast<float>(std::cos(degrees * M_PI / 180));
  values[1] = static_cast<float>(std::sin(degrees * M_PI / 180));
  return values;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

std::string add(Gallery& gallery, const std::string& name, const std::vector<float>& values) {
  const auto found = gallery.find_by_name(name);
  const std::string id = found.empty() ? gallery.add_person(name).id : found[0].id;
  gallery.add_embedding(id, values, "a.jpg", {});
  return id;
}

// Ann is at 0 degrees, Bob at 90. Above 0.8 are those within 36.9 degrees.
class TrackIdentitiesTest : public testing::Test {
 protected:
  void SetUp() override {
    add(*gallery_, "Ann", at_angle(0));
    add(*gallery_, "Bob", at_angle(90));
    open({});
  }
  void open(VotingRule voting, DecisionRule rule = {.threshold = 0.8f, .margin = 0.05f}) {
    matcher_ = Matcher::open(path_, rule);
    tracks_ = std::make_unique<TrackIdentities>(*matcher_, voting);
    frame_ = 0;
  }

  struct Look {
    std::uint64_t track;
    double degrees;
    float weight = 1;
  };
  // A frame in which each of the tracks is embedded anew.
  std::vector<std::optional<TrackDecision>> frame(const std::vector<Look>& looks) {
    std::vector<std::vector<float>> embeddings;
    for (const Look& look : looks) embeddings.push_back(at_angle(look.degrees));
    std::vector<TrackSighting> seen;
    for (std::size_t i = 0; i < looks.size(); ++i)
      seen.push_back({looks[i].track, frame_, embeddings[i], looks[i].weight});
    ++frame_;
    return tracks_->decide("door", seen);
  }
  // The name of track 1, seen at `degrees`; "" if unknown.
  std::string name(double degrees, float weight = 1) {
    const auto decision = frame({{1, degrees, weight}})[0]->decision;
    return decision.known ? decision.name : "";
  }

  Scratch scratch_;
  fs::path path_ = scratch_ / "people.db";
  std::unique_ptr<Gallery> gallery_ = make_gallery(path_);
  std::unique_ptr<Matcher> matcher_;
  std::unique_ptr<TrackIdentities> tracks_;
  std::uint64_t frame_ = 0;
};

TEST_F(TrackIdentitiesTest, ANameTakesMinVotesAndSaysHowMany) {
  EXPECT_EQ(name(5), "");
  const auto second = frame({{1, 5}})[0];
  EXPECT_TRUE(second->decision.known);
  EXPECT_EQ(second->decision.name, "Ann");
  EXPECT_EQ(second->votes, 2);
  EXPECT_NEAR(second->decision.similarity, std::cos(5 * M_PI / 180), 1e-6);
  EXPECT_NEAR(second->decision.second_similarity, std::cos(85 * M_PI / 180), 1e-6);
}

TEST_F(TrackIdentitiesTest, OneLuckyViewGivesNoNameAndOneBadOneTakesNone) {
  for (int i = 0; i < 6; ++i) EXPECT_EQ(name(42), "");  // nearer to Ann, and not near enough
  EXPECT_EQ(name(0), "");                               // a lucky one
  for (int i = 0; i < 20; ++i) name(10);
  EXPECT_EQ(name(10), "Ann");
  EXPECT_EQ(name(60), "Ann");  // a bad one, which alone would be unknown
  EXPECT_EQ(name(90), "Ann");  // even one that looks like Bob
  EXPECT_EQ(name(10), "Ann");
}

TEST_F(TrackIdentitiesTest, ANameChangesAsEvidenceGrows) {
  for (int i = 0; i < 20; ++i) name(5);
  EXPECT_EQ(name(5), "Ann");
  // Between the two nobody; and no way back.
  std::vector<std::string> changes{"Ann"};
  for (int degrees = 5; degrees <= 85; ++degrees)
    if (const std::string found = name(degrees); found != changes.back()) changes.push_back(found);
  EXPECT_EQ(changes, (std::vector<std::string>{"Ann", "", "Bob"}));
}

TEST_F(TrackIdentitiesTest, ATrackThatGoesOverToAnotherFaceBeginsAnew) {
  for (const float weight : {1.0f, 0.0f}) {  // even if the other face is not seen well enough
    open({});
    for (int i = 0; i < 20; ++i) name(5);
    EXPECT_EQ(name(60, weight), "Ann");
    EXPECT_EQ(name(60, weight), "Ann");
    EXPECT_EQ(name(5, weight), "Ann");  // it was not another face after all
    EXPECT_EQ(name(85, weight), "Ann");
    EXPECT_EQ(name(85, weight), "Ann");
    EXPECT_EQ(name(85, weight), weight > 0 ? "Bob" : "");
  }
}

// Whether two views are of one face has nothing to do with how many persons are enrolled. The
// threshold of naming has: 9 degrees apart (0.9877) are enough for this gallery's two, and not for
// two thousand (0.9925).
TEST_F(TrackIdentitiesTest, ALargeGalleryNamesFewerAndTellsViewsApartAsASmallOne) {
  const auto named_and_votes = [&] {
    open({}, {});
    std::optional<TrackDecision> last;
    for (int i = 0; i < 12; ++i) last = frame({{1, i % 2 == 0 ? 9.0 : -0.5}, {2, 9}})[0];
    const auto other = frame({{2, 9}})[0];
    return std::pair(std::pair(last->votes, last->decision.name), other->decision.known);
  };
  const std::pair all_views(12, std::string("Ann"));
  EXPECT_EQ(named_and_votes(), std::pair(all_views, true));
  gallery_->begin();
  for (int i = 0; i < 2000; ++i)
    add(*gallery_, "Other " + std::to_string(i), at_angle(180 + i * 0.01));
  gallery_->commit();
  EXPECT_EQ(named_and_votes(), std::pair(all_views, false));
}

TEST_F(TrackIdentitiesTest, CandidatesAreByAllVotes) {
  add(*gallery_, "Cid", at_angle(45));
  open({}, {.threshold = 0.8f, .margin = 0, .candidates = 2});
  frame({{1, 10}});
  const auto decision = frame({{1, 30}})[0]->decision;
  // The later vote counts 1, the earlier 0.85.
  const auto mean = [](double degrees) {
    return static_cast<float>(
        (std::cos((degrees - 30) * M_PI / 180) + 0.85 * std::cos((degrees - 10) * M_PI / 180)) /
        1.85);
  };
  ASSERT_EQ(decision.candidates.size(), 2u);
  EXPECT_EQ(decision.candidates[0].name, "Ann");
  EXPECT_NEAR(decision.candidates[0].similarity, mean(0), 1e-6);
  EXPECT_EQ(decision.candidates[1].name, "Cid");
  EXPECT_NEAR(decision.candidates[1].similarity, mean(45), 1e-6);
  EXPECT_EQ(decision.similarity, decision.candidates[0].similarity);
}

TEST_F(TrackIdentitiesTest, HysteresisKeepsANameJustBelowTheThreshold) {
  for (const float hysteresis : {0.0f, 0.05f}) {
    open({.hysteresis = hysteresis});
    for (int i = 0; i < 20; ++i) name(10);
    for (int i = 0; i < 100; ++i) name(39);  // 0.777
    EXPECT_EQ(name(39), hysteresis > 0 ? "Ann" : "");
    for (int i = 0; i < 100; ++i) name(43);  // 0.731
    EXPECT_EQ(name(43), "");
  }
}

TEST_F(TrackIdentitiesTest, BadViewsCountLessOrNotAtAll) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(name(0, 0), "");
  const auto unknown = frame({{1, 0, 0}})[0];
  EXPECT_EQ(unknown->votes, 0);
  EXPECT_EQ(unknown->decision.name, "Ann");  // the nearest, of the view at hand
  for (int i = 0; i < 10; ++i) name(10);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(name(45, 0), "Ann");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(name(45, 0.01f), "Ann");
}

TEST_F(TrackIdentitiesTest, WhatWasTakenOverIsNoNewEvidence) {
  const std::vector<float> other = at_angle(35);
  for (int i = 0; i < 10; ++i) name(5);
  const std::uint64_t source = frame_;
  for (int i = 0; i < 100; ++i) {
    const TrackSighting same{1, source, other, 1};
    const auto decisions = tracks_->decide("door", {&same, 1});
    EXPECT_EQ(decisions[0]->decision.name, "Ann");
    EXPECT_EQ(decisions[0]->votes, 11);
  }
}

TEST_F(TrackIdentitiesTest, ATrackWithoutAnEmbeddingKeepsItsName) {
  name(5), name(5);
  const TrackSighting seen[] = {{1, frame_, {}, 1}, {2, frame_, {}, 1}};
  const auto decisions = tracks_->decide("door", seen);
  EXPECT_EQ(decisions[0]->decision.name, "Ann");
  EXPECT_FALSE(decisions[1]);
  EXPECT_FALSE(tracks_->decide("hall", {seen, 1})[0]);  // a track of another stream
}

TEST_F(TrackIdentitiesTest, TwoTracksOfAFrameAreNotOnePerson) {
  std::vector<std::optional<TrackDecision>> decisions;
  for (int i = 0; i < 3; ++i) decisions = frame({{1, 20}, {2, 10}, {3, 85}});
  EXPECT_FALSE(decisions[0]->decision.known);
  EXPECT_EQ(decisions[0]->decision.name, "Ann");  // the nearest all the same
  EXPECT_TRUE(decisions[1]->decision.known);
  EXPECT_EQ(decisions[2]->decision.name, "Bob");
  // Once the other has gone the name is free.
  EXPECT_TRUE(frame({{1, 20}})[0]->decision.known);

  open({.allow_duplicates = true});
  for (int i = 0; i < 3; ++i) decisions = frame({{1, 20}, {2, 10}});
  EXPECT_TRUE(decisions[0]->decision.known);
  EXPECT_TRUE(decisions[1]->decision.known);
}

TEST_F(TrackIdentitiesTest, WhoHasANameKeepsItAgainstOneThatIsHardlyMoreSimilar) {
  open({.hysteresis = 0.02f});
  for (int i = 0; i < 40; ++i) frame({{1, 20}});  // 0.940
  for (int i = 0; i < 40; ++i) {
    const auto decisions = frame({{1, 20}, {2, 18}});  // 0.951
    EXPECT_TRUE(decisions[0]->decision.known);
    EXPECT_FALSE(decisions[1]->decision.known);
  }
  std::vector<std::optional<TrackDecision>> decisions;
  for (int i = 0; i < 40; ++i) decisions = frame({{1, 20}, {2, 10}});  // 0.985
  EXPECT_FALSE(decisions[0]->decision.known);
  EXPECT_TRUE(decisions[1]->decision.known);
}

TEST_F(TrackIdentitiesTest, FacesSideBySideNeverSwapNames) {
  std::mt19937 random(5);
  std::normal_distribution<double> noise(0, 18);  // single views are taken for the other at times
  int wrong_alone = 0;
  for (int i = 0; i < 500; ++i) {
    const double ann = 10 + noise(random), bob = 80 + noise(random);
    wrong_alone += matcher_->decide(at_angle(ann)).name == "Bob" ? 1 : 0;
    const auto decisions = frame({{1, ann}, {2, bob}});
    if (decisions[0]->decision.known) {
      EXPECT_EQ(decisions[0]->decision.name, "Ann") << i;
    }
    if (decisions[1]->decision.known) {
      EXPECT_EQ(decisions[1]->decision.name, "Bob") << i;
    }
  }
  EXPECT_GT(wrong_alone, 5);
}

TEST_F(TrackIdentitiesTest, ChangesOfTheGalleryHoldForTracksThatAreThere) {
  for (int i = 0; i < 5; ++i) name(5);
  // No new evidence from here on.
  const auto now = [&] {
    const TrackSighting seen{1, frame_, {}, 1};
    const auto decision = tracks_->decide("door", {&seen, 1})[0]->decision;
    return decision.known ? decision.name : "";
  };
  const auto becomes = [&](const std::string& expected) {
    return eventually([&] { return now() == expected; });
  };
  EXPECT_EQ(now(), "Ann");
  gallery_->rename(gallery_->find_by_name("Ann").at(0).id, "Anna");
  EXPECT_TRUE(becomes("Anna"));
  gallery_->remove(gallery_->find_by_name("Anna").at(0).id);
  EXPECT_TRUE(becomes(""));
  add(*gallery_, "Eve", at_angle(4));
  EXPECT_TRUE(becomes("Eve"));
}

TEST_F(TrackIdentitiesTest, AnyNumberOfTracksTakesBoundedMemory) {
  TrackIdentities few(*matcher_, {}, 50);
  const std::vector<float> ann = at_angle(0);
  for (std::uint64_t track = 0; track < 2000; ++track) {
    const TrackSighting seen{track, track, ann, 1};
    few.decide("door", {&seen, 1});
  }
  EXPECT_EQ(few.size(), 50u);
  // More tracks in one frame than fit: all are decided.
  std::vector<TrackSighting> crowd;
  for (std::uint64_t track = 0; track < 200; ++track) crowd.push_back({track, 1, ann, 1});
  for (const auto& decision : few.decide("hall", crowd)) ASSERT_TRUE(decision);
  EXPECT_EQ(few.size(), 50u);
  few.clear();
  EXPECT_EQ(few.size(), 0u);
}

TEST_F(TrackIdentitiesTest, AnEmptyGalleryKnowsNobody) {
  for (const Person& person : gallery_->persons()) gallery_->remove(person.id);
  open({});
  for (int i = 0; i < 3; ++i) {
    const auto decision = frame({{1, 5}})[0]->decision;
    EXPECT_FALSE(decision.known);
    EXPECT_EQ(decision.person, "");
    EXPECT_EQ(decision.similarity, -1);
  }
}

// The definition, in double precision, from all that was ever seen of a track.
class Reference {
 public:
  Reference(std::map<std::string, std::vector<std::vector<float>>> people, DecisionRule rule,
            VotingRule voting)
      : people_(std::move(people)), rule_(rule), voting_(voting) {}

  struct Answer {
    std::string name;
    double similarity = 0;
    double nearest_to_a_limit = 1;  // how far the decision was from another one
  };
  Answer see(const std::vector<float>& embedding, float weight) {
    Answer answer;
    const auto consider = [&](double distance) {
      answer.nearest_to_a_limit = std::min(answer.nearest_to_a_limit, std::abs(distance));
    };
    const double least = static_cast<double>(*rule_.threshold - voting_.hysteresis);
    const double own_similarity = seen_.empty() ? 1 : mean({embedding});
    consider(own_similarity - least);
    if (own_similarity >= least) {
      doubtful_.clear();
      if (weight > 0) seen_.emplace_back(embedding, weight);
    } else {
      doubtful_.emplace_back(embedding, weight);
      if (doubtful_.size() == 3) {
        seen_.clear();
        name_.clear();
        for (const auto& one : doubtful_)
          if (one.second > 0) seen_.push_back(one);
        doubtful_.clear();
        ++restarts;
      }
    }
    if (seen_.empty()) return {"", 0, 0};  // all that there is does not count: not compared
    std::vector<std::pair<double, std::string>> means;
    for (const auto& [name, rows] : people_) means.emplace_back(mean(rows), name);
    std::sort(means.rbegin(), means.rend());
    const double best = means[0].first, margin = best - means[1].first;
    consider(best - static_cast<double>(*rule_.threshold));
    consider(margin - static_cast<double>(rule_.margin));
    consider(margin);
    const bool accepted = best >= static_cast<double>(*rule_.threshold) &&
                          margin >= static_cast<double>(rule_.margin) &&
                          seen_.size() >= static_cast<std::size_t>(voting_.min_votes);
    if (accepted) {
      name_ = means[0].second;
    } else if (!name_.empty()) {
      const double own = mean(people_.at(name_));
      consider(own - least);
      if (own < least) name_.clear();
    }
    answer.name = name_;
    answer.similarity = name_.empty() ? best : mean(people_.at(name_));
    return answer;
  }

  int restarts = 0;

 private:
  double mean(const std::vector<std::vector<float>>& rows) const {
    double sum = 0, weights = 0;
    const std::size_t begin = seen_.size() > 16 ? seen_.size() - 16 : 0;
    for (std::size_t i = begin; i < seen_.size(); ++i) {
      double best = -2;
      for (const auto& row : rows) best = std::max(best, dot(row, seen_[i].first));
      const double weight = static_cast<double>(seen_[i].second) *
                            std::pow(0.85, static_cast<double>(seen_.size() - 1 - i));
      sum += weight * best;
      weights += weight;
    }
    return sum / weights;
  }

  std::map<std::string, std::vector<std::vector<float>>> people_;
  DecisionRule rule_;
  VotingRule voting_;
  std::vector<std::pair<std::vector<float>, float>> seen_;
  std::vector<std::pair<std::vector<float>, float>> doubtful_;
  std::string name_;
};

TEST_F(TrackIdentitiesTest, DecidesAsTheObviousReferenceDoes) {
  std::map<std::string, std::vector<std::vector<float>>> people;
  gallery_->begin();
  for (const Person& person : gallery_->persons()) gallery_->remove(person.id);
  for (unsigned i = 0; i < 60; ++i) {
    const std::string name = "Person " + std::to_string(i % 20);
    people[name].push_back(unit_vector(i, kDimensions));
    add(*gallery_, name, people[name].back());
  }
  gallery_->commit();
  const DecisionRule rule{.threshold = 0.82f, .margin = 0.02f};
  const VotingRule voting{.min_votes = 3, .hysteresis = 0.04f};
  std::mt19937 random(11);
  // A track's views share what makes them unlike the enrolled pictures, and differ a little.
  std::normal_distribution<float> shared(0, 0.15f), own(0, 0.075f);
  int named = 0, changes = 0, restarts = 0;
  for (unsigned track = 0; track < 30; ++track) {
    open(voting, rule);
    Reference reference(people, rule, voting);
    std::string last;
    std::vector<float> unlike(kDimensions);
    for (float& value : unlike) value = shared(random);
    for (unsigned look = 0; look < 60; ++look) {
      // Another person from the middle on, as after a tracker's mistake.
      std::vector<float> view = unit_vector(look < 30 ? track : track + 7, kDimensions);
      for (std::size_t i = 0; i < view.size(); ++i) view[i] += unlike[i] + own(random);
      if (random() % 15 == 0) view = unit_vector(1000 + look, kDimensions);
      view = to_unit_length(view);
      const float weight =
          random() % 5 == 0 && look > 0 ? 0 : 0.1f + 0.9f * (random() % 100) / 100.0f;
      const TrackSighting seen{1, look, view, weight};
      const auto found = tracks_->decide("door", {&seen, 1})[0]->decision;
      const Reference::Answer expected = reference.see(view, weight);
      // Sums of single precision may tip what is this close.
      if (expected.nearest_to_a_limit < 1e-5) break;
      ASSERT_EQ(found.known ? found.name : "", expected.name) << track << " " << look;
      EXPECT_NEAR(found.similarity, expected.similarity, 1e-5);
      named += found.known ? 1 : 0;
      changes += last != expected.name ? 1 : 0;
      last = expected.name;
    }
    restarts += reference.restarts;
  }
  EXPECT_GT(restarts, 10);
  EXPECT_GT(named, 300);  // all kinds of answer were compared
  EXPECT_LT(named, 1600);
  EXPECT_GT(changes, 30);
}

}  // namespace
}  // namespace sightline
