// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/person_means.h"

#include <cmath>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../patience.h"
#include "gallery/gallery.h"
#include "scratch.h"

namespace sightline {
namespace {

// In a plane, so that the mean of some is the direction of the sum.
std::vector<float> at(double degrees) {
  std::vector<float> values(16);
  values[0] = static_cast<float>(std::cos(degrees * M_PI / 180));
  values[1] = static_cast<float>(std::sin(degrees * M_PI / 180));
  return values;
}

// The direction of the mean, in degrees.
double mean_of(std::initializer_list<double> degrees) {
  std::vector<std::vector<float>> views;
  for (const double angle : degrees) views.push_back(at(angle));
  const std::vector<std::span<const float>> spans(views.begin(), views.end());
  const std::vector<float> mean = mean_of_fitting(spans);
  EXPECT_NEAR(std::hypot(mean[0], mean[1]), 1, 1e-6);
  return std::atan2(mean[1], mean[0]) * 180 / M_PI;
}

TEST(MeanOfFitting, IsTheDirectionOfTheSum) {
  EXPECT_NEAR(mean_of({7}), 7, 1e-4);
  EXPECT_NEAR(mean_of({0, 60}), 30, 1e-4);  // of two nobody knows which is wrong
  EXPECT_NEAR(mean_of({-4, 0, 4}), 0, 1e-4);
}

TEST(MeanOfFitting, LeavesOutWhatDoesNotFit) {
  EXPECT_NEAR(mean_of({0, 40, 6}), 3, 1e-4);
  EXPECT_NEAR(mean_of({40, 0, 6}), 3, 1e-4);
  EXPECT_NEAR(mean_of({0, 2, 4, 50, 52}), 2, 1e-4);
  EXPECT_NEAR(mean_of({0, 0, 4}), 4.0 / 3, 0.01);  // the same picture twice speaks against nothing
  EXPECT_NEAR(mean_of({5, 5, 5}), 5, 1e-4);
}

TEST(MeanOfFitting, OfManyFindsTheCentreAllTheSame) {
  std::vector<std::vector<float>> views;
  for (int i = 0; i < 300; ++i) views.push_back(at(i % 10 == 0 ? 60 + i * 0.1 : i % 7));
  const std::vector<std::span<const float>> spans(views.begin(), views.end());
  const std::vector<float> mean = mean_of_fitting(spans);
  EXPECT_NEAR(std::atan2(mean[1], mean[0]) * 180 / M_PI, 3, 0.1);
}

TEST(MeanOfFitting, OppositeOnesHaveOneToo) { EXPECT_NEAR(mean_of({10, 190}), 10, 1e-3); }

class MeansTest : public testing::Test {
 protected:
  MeansTest() { open(); }
  void open() {
    matcher_ = Matcher::open(
        path_, {.threshold = 0.9f, .margin = 0, .compare = Compare::kMean, .candidates = 5});
  }
  std::int64_t add(const std::string& name, const std::vector<float>& values) {
    const auto found = gallery_->find_by_name(name);
    const std::string id = found.empty() ? gallery_->add_person(name).id : found[0].id;
    return gallery_->add_embedding(id, values, "a.jpg", {});
  }

  // Waits until the person's mean is at `degrees`.
  void expect_mean(const std::string& name, double degrees) {
    Decision decision;
    EXPECT_TRUE(eventually([&] {
      decision = matcher_->decide(at(degrees));
      return decision.name == name && decision.similarity > 0.999999f;
    })) << "nearest to "
        << degrees << " degrees: " << decision.name << " " << decision.similarity;
  }

  Scratch scratch_;
  std::filesystem::path path_ = scratch_ / "people.db";
  std::unique_ptr<Gallery> gallery_ = make_gallery(path_);
  std::unique_ptr<Matcher> matcher_;
};

TEST_F(MeansTest, FollowWhatIsAddedMovedAndRemoved) {
  add("Ann", at(0));
  add("Bob", at(90));
  expect_mean("Ann", 0);
  const std::int64_t second = add("Ann", at(20));
  expect_mean("Ann", 10);
  EXPECT_EQ(matcher_->decide(at(10)).candidates.size(), 2u);
  EXPECT_NEAR(matcher_->decide(at(40)).similarity, std::cos(30 * M_PI / 180), 1e-6);
  gallery_->remove_embedding(second);
  expect_mean("Ann", 0);
  add("Cid", at(110));
  expect_mean("Cid", 110);
  gallery_->merge_persons(gallery_->find_by_name("Cid")[0].id, gallery_->find_by_name("Bob")[0].id);
  expect_mean("Bob", 100);
  gallery_->remove(gallery_->find_by_name("Ann")[0].id);
  EXPECT_TRUE(eventually([&] { return matcher_->person_count() == 1; }));
  EXPECT_EQ(matcher_->decide(at(0)).name, "Bob");
  EXPECT_EQ(matcher_->decide(at(0)).candidates.size(), 1u);
}

TEST_F(MeansTest, AWrongPictureNamesNobody) {
  for (const double degrees : {0.0, 2.0, 4.0, 90.0}) add("Ann", at(degrees));
  open();
  EXPECT_TRUE(matcher_->decide(at(2)).known);
  EXPECT_FALSE(matcher_->decide(at(90)).known);
  EXPECT_TRUE(Matcher::open(path_, {.threshold = 0.9f, .margin = 0})->decide(at(90)).known);
}

TEST_F(MeansTest, TheGallerysOwnRuleCountsUnlessOneIsAskedForAndIsFollowed) {
  for (const double degrees : {0.0, 2.0, 4.0, 90.0}) add("Ann", at(degrees));
  const DecisionRule as_gallery{.threshold = 0.9f, .margin = 0};
  const DecisionRule best{.threshold = 0.9f, .margin = 0, .compare = Compare::kBest};
  const auto following = Matcher::open(path_, as_gallery), asked = Matcher::open(path_, best);
  const auto knows = [&](Matcher& matcher) { return matcher.decide(at(90)).known; };
  EXPECT_TRUE(knows(*following));
  gallery_->set_rule("", {{}, {}, Compare::kMean});
  EXPECT_TRUE(eventually([&] { return !knows(*following); }));
  EXPECT_FALSE(knows(*Matcher::open(path_, as_gallery)));
  EXPECT_TRUE(knows(*asked));
  EXPECT_TRUE(knows(*Matcher::open(path_, best)));
  add("Bob", at(60));  // followed by whoever has the means
  EXPECT_TRUE(eventually([&] { return following->decide(at(60)).name == "Bob"; }));
  gallery_->set_rule("", {{}, {}, Compare::kBest});
  EXPECT_TRUE(eventually([&] { return knows(*following); }));
  gallery_->set_rule("", {{}, {}, Compare::kMean});
  gallery_->set_rule("", {});
  EXPECT_TRUE(eventually([&] { return knows(*following); }));
}

// By the definition, in double precision, with as many persons as make the search one by bytes.
TEST_F(MeansTest, AreComparedWithAsTheReferenceDoes) {
  for (const unsigned persons : {300u, 5000u}) {
    gallery_ = make_gallery(scratch_ / (std::to_string(persons) + ".db"));
    path_ = scratch_ / (std::to_string(persons) + ".db");
    std::map<std::string, std::vector<double>> means;
    gallery_->begin();
    for (unsigned person = 0; person < persons; ++person) {
      const std::string name = "P" + std::to_string(person);
      std::vector<double> sum(16);
      for (unsigned view = 0; view < 2; ++view) {  // of two none is left out
        const std::vector<float> values = unit_vector(2 * person + view, 16);
        for (std::size_t k = 0; k < 16; ++k) sum[k] += static_cast<double>(values[k]);
        add(name, values);
      }
      double length = 0;
      for (const double value : sum) length += value * value;
      for (double& value : sum) value /= std::sqrt(length);
      means[name] = sum;
    }
    gallery_->commit();
    open();
    EXPECT_EQ(matcher_->statistics().index, persons < 4096 ? "exact" : "bytes");
    for (unsigned seed = 0; seed < 20; ++seed) {
      const std::vector<float> query = unit_vector(1'000'000 + seed, 16);
      std::vector<std::pair<double, std::string>> ranked;
      for (const auto& [name, mean] : means) {
        double product = 0;
        for (std::size_t k = 0; k < 16; ++k) product += mean[k] * static_cast<double>(query[k]);
        ranked.emplace_back(product, name);
      }
      std::sort(ranked.rbegin(), ranked.rend());
      const Vote vote{query, 1};
      for (const Decision& decision :
           {matcher_->decide(query), matcher_->tally({&vote, 1}, "").decision}) {
        EXPECT_EQ(decision.name, ranked[0].second);
        EXPECT_NEAR(decision.similarity, ranked[0].first, 2e-6);  // 16 products
        EXPECT_NEAR(decision.second_similarity, ranked[1].first, 2e-6);
        ASSERT_EQ(decision.candidates.size(), 5u);
        for (std::size_t i = 0; i < 5; ++i)
          EXPECT_NEAR(decision.candidates[i].similarity, ranked[i].first, 2e-6);
      }
    }
  }
}

}  // namespace
}  // namespace sightline
