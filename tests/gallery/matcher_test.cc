// SPDX-License-Identifier: LGPL-2.1-or-later

#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../patience.h"
#include "gallery/gallery.h"
#include "scratch.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Mode = Gallery::Mode;
using std::chrono::milliseconds;

constexpr int kDimensions = 16;

std::string add(Gallery& gallery, const std::string& name, std::vector<float> values) {
  const auto found = gallery.find_by_name(name);
  const std::string id = found.empty() ? gallery.add_person(name).id : found[0].id;
  gallery.add_embedding(id, values, "a.jpg", {});
  return id;
}

// In the plane of the first two axes, at `degrees`.
std::vector<float> at_angle(double degrees) {
  std::vector<float> values(kDimensions, 0);
  values[0] = static_cast<float>(std::cos(degrees * M_PI / 180));
  values[1] = static_cast<float>(std::sin(degrees * M_PI / 180));
  return values;
}

class MatcherTest : public testing::Test {
 protected:
  Scratch scratch_;
  fs::path path_ = scratch_ / "people.db";
  std::unique_ptr<Gallery> gallery_ = make_gallery(path_);
};

TEST_F(MatcherTest, AnEmptyGalleryKnowsNobody) {
  const auto matcher = Matcher::open(path_, {});
  const Decision decision = matcher->decide(at_angle(0));
  EXPECT_FALSE(decision.known);
  EXPECT_EQ(decision.person, "");
  EXPECT_EQ(decision.similarity, -1);
  EXPECT_EQ(decision.second_similarity, -1);
  EXPECT_EQ(matcher->person_count(), 0);
  EXPECT_EQ(matcher->fingerprint(), kModel);
}

TEST_F(MatcherTest, ThePersonOfTheNearestEmbeddingAndTheNearestOther) {
  const std::string ann = add(*gallery_, "Ann", at_angle(0));
  add(*gallery_, "Bob", at_angle(90));
  add(*gallery_, "Ann", at_angle(40));
  const auto matcher = Matcher::open(path_, {.threshold = 0.5f, .margin = 0});
  std::vector<float> long_one = at_angle(30);
  for (float& value : long_one) value *= 1000;  // need not be normalised
  const Decision decision = matcher->decide(long_one);
  EXPECT_TRUE(decision.known);
  EXPECT_EQ(decision.person, ann);
  EXPECT_EQ(decision.name, "Ann");
  EXPECT_NEAR(decision.similarity, std::cos(10 * M_PI / 180), 1e-6);
  // Ann's other embedding at 30 degrees' distance is nearer than Bob, and does not count.
  EXPECT_NEAR(decision.second_similarity, std::cos(60 * M_PI / 180), 1e-6);
}

TEST_F(MatcherTest, ThresholdAndMarginDecide) {
  add(*gallery_, "Ann", at_angle(0));
  add(*gallery_, "Bob", at_angle(80));
  const auto known = [&](DecisionRule rule, double degrees) {
    return Matcher::open(path_, rule)->decide(at_angle(degrees)).known;
  };
  EXPECT_TRUE(known({0.86f, 0}, 30));  // cos 30 = 0.866
  EXPECT_FALSE(known({0.87f, 0}, 30));
  EXPECT_TRUE(known({0.5f, 0.22f}, 30));  // cos 30 - cos 50 = 0.2232
  EXPECT_FALSE(known({0.5f, 0.23f}, 30));
  EXPECT_FALSE(known({0.5f, 0.01f}, 40));  // just between the two
  EXPECT_TRUE(known({-1, 0}, 180));
}

TEST_F(MatcherTest, WithOnePersonOnlyTheMarginIsToTheOppositeDirection) {
  add(*gallery_, "Ann", at_angle(0));
  const auto matcher = Matcher::open(path_, {.threshold = 0.5f, .margin = 0.3f});
  EXPECT_TRUE(matcher->decide(at_angle(10)).known);
  EXPECT_EQ(matcher->decide(at_angle(10)).second_similarity, -1);
}

TEST_F(MatcherTest, DecidesAsTheObviousReferenceDoes) {
  gallery_->begin();
  std::vector<std::pair<std::string, std::vector<float>>> all;
  for (unsigned i = 0; i < 700; ++i) {
    const std::string name = "Person " + std::to_string(i * i % 90);
    all.emplace_back(name, unit_vector(i, kDimensions));
    add(*gallery_, name, all.back().second);
  }
  gallery_->commit();
  const auto matcher = Matcher::open(path_, {});
  for (unsigned seed = 10000; seed < 10200; ++seed) {
    const std::vector<float> query = unit_vector(seed, kDimensions);
    std::map<std::string, double> best;
    for (const auto& [name, values] : all) {
      double sum = 0;
      for (std::size_t i = 0; i < query.size(); ++i)
        sum += static_cast<double>(values[i]) * query[i];
      best[name] = best.contains(name) ? std::max(best[name], sum) : sum;
    }
    std::pair<double, std::string> first{-2, ""}, second{-2, ""};
    for (const auto& [name, similarity] : best) {
      if (similarity > first.first) {
        second = first;
        first = {similarity, name};
      } else if (similarity > second.first) {
        second = {similarity, name};
      }
    }
    const Decision decision = matcher->decide(query);
    EXPECT_EQ(decision.name, first.second);
    EXPECT_NEAR(decision.similarity, first.first, 2e-6);  // 16 products of single precision
    EXPECT_NEAR(decision.second_similarity, second.first, 2e-6);
  }
}

TEST_F(MatcherTest, EmbeddingsThatAreNoneAreRefused) {
  add(*gallery_, "Ann", at_angle(0));
  const auto matcher = Matcher::open(path_, {});
  const auto refused = [&](std::vector<float> values) {
    return complaint_of(ErrorCode::kInput, [&] { matcher->decide(values); });
  };
  EXPECT_THAT(refused(std::vector<float>(17, 1)), HasSubstr("17 numbers"));
  EXPECT_NE(refused({}), "");
  EXPECT_NE(refused(std::vector<float>(16, 0)), "");
  EXPECT_NE(refused(std::vector<float>(16, std::numeric_limits<float>::infinity())), "");
}

TEST_F(MatcherTest, AnotherProcessesCommitsAreSeenWithinASecond) {
  const auto matcher = Matcher::open(path_, {});
  gallery_.reset();
  ASSERT_EQ(in_child([&] {
              const auto gallery = Gallery::open(path_, Mode::kReadWrite);
              add(*gallery, "Ann", at_angle(0));
              return true;
            }),
            0);
  EXPECT_TRUE(eventually([&] { return matcher->decide(at_angle(5)).name == "Ann"; }));
  ASSERT_EQ(in_child([&] {
              const auto gallery = Gallery::open(path_, Mode::kReadWrite);
              gallery->rename(gallery->find_by_name("Ann").at(0).id, "Anna");
              return true;
            }),
            0);
  EXPECT_TRUE(eventually([&] { return matcher->decide(at_angle(5)).name == "Anna"; }));
  ASSERT_EQ(in_child([&] {
              const auto gallery = Gallery::open(path_, Mode::kReadWrite);
              gallery->remove(gallery->persons().at(0).id);
              return true;
            }),
            0);
  EXPECT_TRUE(eventually([&] { return matcher->person_count() == 0; }));
  EXPECT_EQ(matcher->problem(), "");
}

TEST_F(MatcherTest, AMatcherDoesNotKeepRemovedBytesAlive) {
  const std::string ann = add(*gallery_, "Ann the removed", at_angle(0));
  const auto matcher = Matcher::open(path_, {});
  matcher->decide(at_angle(0));
  gallery_->remove(ann);
  EXPECT_TRUE(gallery_->check().empty());
  EXPECT_FALSE(file_has(path_, "Ann the removed"));
  EXPECT_FALSE(file_has(path_.string() + "-wal", "Ann the removed"));
}

TEST_F(MatcherTest, AFileThatTookTheNameIsNoticed) {
  add(*gallery_, "Ann", at_angle(0));
  const auto matcher = Matcher::open(path_, {});
  const auto second = Matcher::open(path_, {});
  {
    const auto next = make_gallery(scratch_ / "next.db");  // many more pages than the old file
    next->begin();
    add(*next, "Bob", at_angle(0));
    for (unsigned i = 0; i < 300; ++i) add(*next, "Other", unit_vector(i, kDimensions));
    next->commit();
  }
  gallery_.reset();
  fs::rename(scratch_ / "next.db", path_);
  for (const auto* each : {&matcher, &second}) {
    EXPECT_TRUE(eventually([&] { return (*each)->decide(at_angle(0)).name == "Bob"; }));
    EXPECT_EQ((*each)->person_count(), 2);
    EXPECT_EQ((*each)->problem(), "");
  }
}

TEST_F(MatcherTest, AFileThatIsGoneOrSpoiledLeavesTheLastGoodIndex) {
  add(*gallery_, "Ann", at_angle(0));
  gallery_.reset();
  const auto matcher = Matcher::open(path_, {});
  const auto problem_has = [&](const std::string& part) {
    return eventually([&] { return matcher->problem().find(part) != std::string::npos; });
  };
  fs::rename(path_, scratch_ / "aside.db");
  EXPECT_TRUE(problem_has("does not exist"));
  EXPECT_EQ(matcher->decide(at_angle(0)).name, "Ann");

  std::ofstream(path_) << "no gallery at all";
  EXPECT_TRUE(problem_has("no SQLite file"));
  EXPECT_EQ(matcher->decide(at_angle(0)).name, "Ann");
  EXPECT_EQ(matcher->person_count(), 1);

  fs::rename(scratch_ / "aside.db", path_);
  EXPECT_TRUE(eventually([&] { return matcher->problem().empty(); }));
  EXPECT_EQ(matcher->decide(at_angle(0)).name, "Ann");
}

TEST_F(MatcherTest, ADamagedRowLeavesTheLastGoodIndex) {
  add(*gallery_, "Ann", at_angle(0));
  const auto matcher = Matcher::open(path_, {});
  raw_sql(path_,
          "UPDATE gallery SET change = change + 1;"
          "UPDATE embeddings SET vector = x'0011', changed = (SELECT change FROM gallery)");
  EXPECT_TRUE(eventually(
      [&] { return matcher->problem().find("embedding 1 is not sound") != std::string::npos; }));
  EXPECT_EQ(matcher->decide(at_angle(0)).name, "Ann");
}

TEST_F(MatcherTest, AGalleryOfAnotherModelDoesNotTakeOver) {
  add(*gallery_, "Ann", at_angle(0));
  gallery_.reset();
  const auto matcher = Matcher::open(path_, {});
  {
    const auto other = Gallery::open(scratch_ / "other.db", Mode::kCreate);
    other->require_model({"91bc0000", "another", kDimensions});
    add(*other, "Bob", at_angle(0));
  }
  fs::rename(scratch_ / "other.db", path_);
  EXPECT_TRUE(eventually([&] { return matcher->problem().find("91bc0000") != std::string::npos; }));
  EXPECT_EQ(matcher->decide(at_angle(0)).name, "Ann");
  EXPECT_EQ(matcher->fingerprint(), kModel);
}

TEST_F(MatcherTest, ANewGalleryGetsItsModelWhileRunning) {
  const fs::path path = scratch_ / "new.db";
  const auto gallery = Gallery::open(path, Mode::kCreate);
  const auto matcher = Matcher::open(path, {});
  EXPECT_FALSE(matcher->fingerprint().has_value());
  EXPECT_FALSE(matcher->decide(std::vector<float>(99, 1)).known);
  gallery->require_model(kModel);
  add(*gallery, "Ann", at_angle(0));
  EXPECT_TRUE(eventually([&] { return matcher->fingerprint() == kModel; }));
}

TEST_F(MatcherTest, SeveralEmbeddingsAreDecidedAsEachAlone) {
  for (int i = 0; i < 30; ++i) add(*gallery_, "Person " + std::to_string(i), at_angle(5 * i));
  const auto matcher = Matcher::open(path_, {.threshold = 0.5f, .margin = 0});
  std::vector<std::vector<float>> queries;
  for (int i = 0; i < 70; ++i) queries.push_back(at_angle(2.1 * i));
  const std::vector<Decision> decisions = matcher->decide_each(queries);
  ASSERT_EQ(decisions.size(), queries.size());
  for (std::size_t i = 0; i < queries.size(); ++i) {
    const Decision alone = matcher->decide(queries[i]);
    EXPECT_EQ(decisions[i].person, alone.person);
    EXPECT_EQ(decisions[i].similarity, alone.similarity);
    EXPECT_EQ(decisions[i].second_similarity, alone.second_similarity);
  }
  const MatcherStatistics statistics = matcher->statistics();
  EXPECT_EQ(statistics.persons, 30u);
  EXPECT_EQ(statistics.embeddings, 30u);
  EXPECT_EQ(statistics.searches, 70u + 70);
  EXPECT_GT(statistics.mean_search_seconds, 0);
  EXPECT_EQ(statistics.index, "exact");
}

TEST_F(MatcherTest, OwnRulesTakeThePlaceOfTheOneThatWasAskedFor) {
  const std::string ann = add(*gallery_, "Ann", at_angle(0));
  add(*gallery_, "Bob", at_angle(90));
  const auto known = [&] {
    return Matcher::open(path_, {.threshold = 0.9f, .margin = 0})->decide(at_angle(30)).known;
  };
  EXPECT_FALSE(known());  // cos 30 = 0.866
  gallery_->set_rule("", {.threshold = 0.8f, .margin = {}});
  EXPECT_TRUE(known());
  gallery_->set_rule(ann, {.threshold = 0.88f, .margin = {}});
  EXPECT_FALSE(known());
}

// By the tail of the similarities of strangers in LFW: 0.01 % of pairs reach 0.9900, so of
// strangers to 175 pictures about 1 %; 0.001 % reach 0.9924.
TEST(GalleryThreshold, GrowsWithTheNumberOfPictures) {
  EXPECT_EQ(gallery_threshold(0), kPairThreshold);
  EXPECT_EQ(gallery_threshold(1), kPairThreshold);
  EXPECT_NEAR(gallery_threshold(5), kPairThreshold, 0.0015);
  EXPECT_NEAR(gallery_threshold(175), 0.9900, 0.0005);
  EXPECT_NEAR(gallery_threshold(1754), 0.9924, 0.0005);
  EXPECT_LT(gallery_threshold(1'000'000), 1);
  EXPECT_GT(gallery_threshold(175, Compare::kMean), gallery_threshold(175));
}

TEST_F(MatcherTest, ALargeGalleryAsksForMoreUnlessSomebodySaidHowMuch) {
  const std::string ann = add(*gallery_, "Ann", at_angle(0));
  // 9 degrees from Ann: 0.9877, and far from all others.
  const auto decision = [&](DecisionRule rule) {
    return Matcher::open(path_, rule)->decide(at_angle(9));
  };
  EXPECT_EQ(decision({}).threshold, kPairThreshold);
  EXPECT_TRUE(decision({}).known);
  gallery_->begin();
  for (unsigned i = 0; i < 2000; ++i) add(*gallery_, "Other", at_angle(100 + i * 0.01));
  gallery_->commit();
  const Decision among_many = decision({});
  EXPECT_EQ(among_many.name, "Ann");
  EXPECT_FALSE(among_many.known);
  EXPECT_NEAR(among_many.threshold, 0.9925, 0.0005);
  EXPECT_EQ(Matcher::open(path_, {})->pair_threshold(), kPairThreshold);

  EXPECT_TRUE(decision({.threshold = 0.98f}).known);
  EXPECT_EQ(decision({.threshold = 0.98f}).threshold, 0.98f);
  gallery_->set_rule("", {.threshold = 0.985f, .margin = {}});
  EXPECT_TRUE(decision({}).known);
  EXPECT_EQ(decision({}).threshold, 0.985f);
  EXPECT_EQ(Matcher::open(path_, {})->pair_threshold(), 0.985f);
  gallery_->set_rule(ann, {.threshold = 0.999f, .margin = {}});
  EXPECT_FALSE(decision({}).known);
  EXPECT_EQ(decision({}).threshold, 0.999f);
}

TEST_F(MatcherTest, CandidatesAreTheNearestPersonsWithTheirProbability) {
  for (int i = 0; i < 30; ++i) add(*gallery_, "Person " + std::to_string(i), at_angle(5 * i));
  add(*gallery_, "Person 0", at_angle(6));
  gallery_->set_calibration(Calibration{10, -9});
  const Decision without = Matcher::open(path_, {})->decide(at_angle(2.1));
  EXPECT_TRUE(without.candidates.empty());
  const auto matcher = Matcher::open(path_, {.threshold = 1, .candidates = 3});
  const Decision unknown = matcher->decide(at_angle(9.5));
  EXPECT_FALSE(unknown.known);
  ASSERT_EQ(unknown.candidates.size(), 3u);  // at 10, 6 (the best of two) and 5 degrees
  const std::pair<const char*, double> expected[] = {
      {"Person 2", 0.5}, {"Person 0", 3.5}, {"Person 1", 4.5}};
  for (std::size_t i = 0; i < 3; ++i) {
    const PersonCandidate& found = unknown.candidates[i];
    const double similarity = std::cos(expected[i].second * M_PI / 180);
    EXPECT_EQ(found.name, expected[i].first);
    EXPECT_EQ(found.gallery, path_);
    EXPECT_NEAR(found.similarity, similarity, 1e-6);
    ASSERT_TRUE(found.probability);
    EXPECT_NEAR(*found.probability, 1 / (1 + std::exp(-(10 * similarity - 9))), 1e-5);
  }
  EXPECT_EQ(unknown.probability, unknown.candidates[0].probability);
  const auto more = Matcher::open(path_, {.candidates = 100});  // than there are
  EXPECT_EQ(more->decide(at_angle(1)).candidates.size(), 30u);
}

class PriorityTest : public MatcherTest {
 protected:
  PriorityTest() {
    add(*gallery_, "Staff", at_angle(0));
    add(*visitors_, "Visitor", at_angle(20));
  }
  std::unique_ptr<Matcher> open(std::optional<float> threshold, std::size_t candidates = 0) {
    const std::vector<std::string> both{path_, scratch_ / "visitors.db"};
    return Matcher::open(both, {.threshold = threshold, .margin = 0, .candidates = candidates});
  }
  std::unique_ptr<Gallery> visitors_ = make_gallery(scratch_ / "visitors.db");
};

TEST_F(PriorityTest, TheFirstGalleryThatAcceptsDecides) {
  const auto matcher = open(0.9f);
  const Decision first = matcher->decide(at_angle(15));  // nearer to the visitor: cos 15 = 0.966
  EXPECT_TRUE(first.known);
  EXPECT_EQ(first.name, "Staff");
  EXPECT_THAT(first.gallery, HasSubstr("people.db"));
  const Decision second = matcher->decide(at_angle(40));  // cos 40 = 0.77, cos 20 = 0.94
  EXPECT_TRUE(second.known);
  EXPECT_EQ(second.name, "Visitor");
  EXPECT_THAT(second.gallery, HasSubstr("visitors.db"));
  EXPECT_EQ(matcher->person_count(), 2);
}

TEST_F(PriorityTest, IfNoneAcceptsTheNearestOfAllIsReported) {
  const Decision decision = open(0.99f)->decide(at_angle(35));
  EXPECT_FALSE(decision.known);
  EXPECT_EQ(decision.name, "Visitor");
}

TEST_F(PriorityTest, TheNearestPersonsAreOfAllGalleriesWhicheverDecides) {
  add(*gallery_, "Boss", at_angle(60));
  const auto matcher = open(0.9f, 2);
  const Decision decision = matcher->decide(at_angle(15));
  EXPECT_EQ(decision.name, "Staff");
  ASSERT_EQ(decision.candidates.size(), 2u);
  EXPECT_EQ(decision.candidates[0].name, "Visitor");
  EXPECT_THAT(decision.candidates[0].gallery, HasSubstr("visitors.db"));
  EXPECT_EQ(decision.candidates[1].name, "Staff");
  EXPECT_THAT(decision.candidates[1].gallery, HasSubstr("people.db"));
  const Vote vote{at_angle(15), 1};
  const Tally tally = matcher->tally({&vote, 1}, "");
  ASSERT_EQ(tally.decision.candidates.size(), 2u);
  EXPECT_EQ(tally.decision.candidates[0].name, "Visitor");
  EXPECT_EQ(tally.decision.candidates[1].name, "Staff");
}

TEST_F(PriorityTest, TheThresholdIsOfAllPicturesThatAreComparedWith) {
  visitors_->begin();
  for (unsigned i = 1; i < 174; ++i) add(*visitors_, "V" + std::to_string(i), unit_vector(i, 16));
  visitors_->commit();
  const auto matcher = open(std::nullopt);  // 175 pictures
  EXPECT_NEAR(matcher->decide(at_angle(0)).threshold, 0.9900, 0.0002);
  EXPECT_EQ(matcher->decide(at_angle(0)).name, "Staff");
  EXPECT_NEAR(matcher->threshold(), 0.9900, 0.0002);
}

TEST_F(PriorityTest, VotesAreCountedInEach) {
  const std::vector<Vote> votes{{at_angle(35), 1}, {at_angle(45), 1}};
  const std::string visitor = visitors_->find_by_name("Visitor").at(0).id;
  const Tally tally = open(0.9f)->tally(votes, visitor);
  EXPECT_TRUE(tally.decision.known);
  EXPECT_EQ(tally.decision.name, "Visitor");
  ASSERT_TRUE(tally.held.has_value());
  EXPECT_EQ(tally.held->person, visitor);
}

TEST_F(PriorityTest, GalleriesOfDifferentModelsAreRefused) {
  const auto other = Gallery::open(scratch_ / "other.db", Mode::kCreate);
  other->require_model({"91bc0000", "another", kDimensions});
  const std::vector<std::string> both{path_, scratch_ / "other.db"};
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { Matcher::open(both, {}); }),
              HasSubstr("of one model"));
}

TEST_F(MatcherTest, ManyThreadsDecideWhileAWriterCommits) {
  add(*gallery_, "Ann", at_angle(0));
  const auto matcher = Matcher::open(path_, {});
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, seen_last{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        const Decision decision = matcher->decide(at_angle(0));
        if (!decision.known || decision.name != "Ann" || decision.similarity < 0.999f) ++wrong;
        if (matcher->person_count() == 11) ++seen_last;
        std::this_thread::yield();
      }
    });
  }
  for (int i = 0; i < 10; ++i) {
    add(*gallery_, "Other " + std::to_string(i), at_angle(90 + i));
    std::this_thread::sleep_for(milliseconds(60));
  }
  EXPECT_TRUE(eventually([&] { return seen_last > 0; }));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(matcher->problem(), "");
}

}  // namespace
}  // namespace sightline
