// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/clustering.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scratch.h"

namespace sightline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Groups = std::vector<std::vector<std::size_t>>;

// The textbook: all pairs of groups, the two with the greatest mean similarity, again and again.
Groups slow_cluster(const std::vector<Embedding>& faces, double limit) {
  Groups groups;
  for (std::size_t i = 0; i < faces.size(); ++i) groups.push_back({i});
  const auto mean = [&](const auto& a, const auto& b) {
    double sum = 0;
    for (const std::size_t i : a)
      for (const std::size_t j : b)
        sum += std::inner_product(faces[i].begin(), faces[i].end(), faces[j].begin(), 0.0);
    return sum / static_cast<double>(a.size() * b.size());
  };
  for (;;) {
    double best = limit;
    std::size_t first = 0, second = 0;
    for (std::size_t a = 0; a < groups.size(); ++a)
      for (std::size_t b = a + 1; b < groups.size(); ++b)
        if (const double similarity = mean(groups[a], groups[b]); similarity >= best)
          best = similarity, first = a, second = b;
    if (second == 0) break;
    groups[first].insert(groups[first].end(), groups[second].begin(), groups[second].end());
    groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(second));
  }
  for (auto& group : groups) std::ranges::sort(group);
  std::ranges::sort(groups, [](const auto& a, const auto& b) {
    return a.size() != b.size() ? a.size() > b.size() : a.front() < b.front();
  });
  return groups;
}

// Faces of persons who look more or less alike.
std::vector<Embedding> faces_of(unsigned seed, int persons, int each, double spread) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<Embedding> faces;
  for (int person = 0; person < persons; ++person) {
    const Embedding centre = unit_vector(seed * 1000 + static_cast<unsigned>(person), 16);
    for (int i = 0; i < each; ++i) {
      Embedding face = centre;
      for (float& value : face) value += static_cast<float>(spread * normal(random));
      faces.push_back(to_unit_length(face));
    }
  }
  std::shuffle(faces.begin(), faces.end(), random);
  return faces;
}

TEST(Clustering, EqualsTheTextbooksAlgorithm) {
  int merged = 0;
  for (unsigned seed = 1; seed <= 20; ++seed)
    for (const double limit : {0.3, 0.6, 0.8, 0.95}) {
      const std::vector<Embedding> faces = faces_of(seed, 8, 6, 0.02 * seed);
      const Groups expected = slow_cluster(faces, limit);
      ASSERT_EQ(cluster(faces, static_cast<float>(limit)), expected) << seed << ", " << limit;
      merged += expected.size() > 1 && expected.size() < faces.size() ? 1 : 0;
    }
  EXPECT_GT(merged, 40);  // else there was nothing to get wrong
}

TEST(Clustering, PersonsThatAreFarApartAreToldApart) {
  const std::vector<Embedding> faces = faces_of(7, 12, 10, 0.05);
  const Groups groups = cluster(faces, 0.7f);
  ASSERT_EQ(groups.size(), 12u);
  for (const auto& group : groups) EXPECT_EQ(group.size(), 10u);
}

TEST(Clustering, OneLuckyPairDoesNotJoinTwoPersons) {
  // Two groups of three; one face of each lies half-way between them.
  std::vector<Embedding> faces;
  for (const double degrees : {0.0, 4.0, 28.0, 60.0, 56.0, 32.0}) {
    const double radians = degrees * M_PI / 180;
    faces.push_back({static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))});
  }
  const auto limit = static_cast<float>(std::cos(25 * M_PI / 180));
  EXPECT_THAT(cluster(faces, limit),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 5), ElementsAre(3, 4)));
}

TEST(Clustering, LargestFirstThenByTheEarliestFace) {
  const std::vector<Embedding> faces = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 1, 0}};
  EXPECT_THAT(cluster(faces, 0.9f), ElementsAre(ElementsAre(1, 3), ElementsAre(0), ElementsAre(2)));
}

TEST(Clustering, SaysHowFarItIs) {
  std::vector<double> shares;
  const std::vector<Embedding> faces = faces_of(7, 12, 10, 0.05);
  cluster(faces, 0.7f, [&](double share) { shares.push_back(share); });
  EXPECT_EQ(shares.front(), 0);
  EXPECT_GT(shares.back(), 0.9);
  EXPECT_TRUE(std::ranges::is_sorted(shares));
}

TEST(Clustering, NoFacesOneFaceAndEqualFaces) {
  EXPECT_THAT(cluster({}, 0.5f), IsEmpty());
  EXPECT_THAT(cluster(std::vector<Embedding>{{1, 0}}, 0.5f), ElementsAre(ElementsAre(0)));
  const Groups groups = cluster(std::vector<Embedding>(200, Embedding{0.6f, 0.8f}), 0.999f);
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups.front().size(), 200u);
}

}  // namespace
}  // namespace sightline
