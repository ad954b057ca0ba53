// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/doubts.h"

#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scratch.h"

namespace sightline {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

PersonView view(std::size_t person, double degrees) {
  const double radians = degrees * M_PI / 180;
  return {person, {static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))}};
}

const float kThreshold = static_cast<float>(std::cos(10 * M_PI / 180));

TEST(Doubts, AViewNearerToAnotherPersonIsAProbableMixUp) {
  const Doubts doubts = find_doubts(
      std::vector{view(0, 0), view(0, 5), view(1, 60), view(0, 62), view(1, 66)}, kThreshold);
  ASSERT_THAT(doubts.mix_ups, SizeIs(1));
  EXPECT_EQ(doubts.mix_ups[0].view, 3u);
  EXPECT_EQ(doubts.mix_ups[0].person, 1u);
  EXPECT_NEAR(doubts.mix_ups[0].own, (std::cos(62 * M_PI / 180) + std::cos(57 * M_PI / 180)) / 2,
              1e-5);
  EXPECT_NEAR(doubts.mix_ups[0].other, (std::cos(2 * M_PI / 180) + std::cos(4 * M_PI / 180)) / 2,
              1e-5);
}

TEST(Doubts, TheClearestMixUpIsFirst) {
  const Doubts doubts = find_doubts(std::vector{view(0, 0), view(0, 20), view(1, 24), view(1, 60),
                                                view(1, 62), view(2, 63), view(2, 120)},
                                    kThreshold);
  ASSERT_GE(doubts.mix_ups.size(), 2u);
  for (std::size_t i = 1; i < doubts.mix_ups.size(); ++i)
    EXPECT_GE(doubts.mix_ups[i - 1].other - doubts.mix_ups[i - 1].own,
              doubts.mix_ups[i].other - doubts.mix_ups[i].own);
}

TEST(Doubts, OfAPersonsOnlyViewNobodyCanTell) {
  EXPECT_THAT(find_doubts(std::vector{view(0, 0), view(1, 5)}, kThreshold).mix_ups, IsEmpty());
}

TEST(Doubts, PersonsWhoAreAlikeOnAverageAreProbablyOne) {
  const Doubts doubts = find_doubts(
      std::vector{view(0, 0), view(0, 6), view(1, 3), view(1, 8), view(2, 16), view(2, 40)},
      kThreshold);
  ASSERT_THAT(doubts.same_persons, SizeIs(1));
  EXPECT_EQ(doubts.same_persons[0].first, 0u);
  EXPECT_EQ(doubts.same_persons[0].second, 1u);
  const double mean = (std::cos(3 * M_PI / 180) + std::cos(8 * M_PI / 180) +
                       std::cos(3 * M_PI / 180) + std::cos(2 * M_PI / 180)) /
                      4;
  EXPECT_NEAR(doubts.same_persons[0].similarity, mean, 1e-5);
}

TEST(Doubts, BetweenTwoPersonsThatAreOneNothingIsMixedUp) {
  const Doubts doubts =
      find_doubts(std::vector{view(0, 0), view(0, 8), view(1, 4), view(1, 5)}, kThreshold);
  EXPECT_THAT(doubts.same_persons, SizeIs(1));
  EXPECT_THAT(doubts.mix_ups, IsEmpty());
}

TEST(Doubts, OnePictureTwiceOfOnePersonOrOfTwo) {
  const Doubts doubts =
      find_doubts(std::vector{view(0, 0), view(1, 50), view(0, 0), view(2, 50)}, kThreshold);
  ASSERT_THAT(doubts.same_pictures, SizeIs(2));
  EXPECT_EQ(doubts.same_pictures[0].first, 0u);
  EXPECT_EQ(doubts.same_pictures[0].second, 2u);
  EXPECT_EQ(doubts.same_pictures[1].first, 1u);
  EXPECT_EQ(doubts.same_pictures[1].second, 3u);
}

// The definitions, word for word, in double precision. Margins keep rounding from deciding.
struct Reference {
  std::vector<std::vector<double>> to_persons;  // of each view: mean similarity, itself left out
  std::size_t persons = 0;

  explicit Reference(const std::vector<PersonView>& views) {
    for (const PersonView& v : views) persons = std::max(persons, v.person + 1);
    for (std::size_t i = 0; i < views.size(); ++i) {
      std::vector<double> sums(persons);
      std::vector<int> counts(persons);
      for (std::size_t j = 0; j < views.size(); ++j) {
        if (i == j) continue;
        ++counts[views[j].person];
        for (std::size_t k = 0; k < views[i].unit.size(); ++k)
          sums[views[j].person] += static_cast<double>(views[i].unit[k]) * views[j].unit[k];
      }
      for (std::size_t p = 0; p < persons; ++p) sums[p] = counts[p] > 0 ? sums[p] / counts[p] : -2;
      to_persons.push_back(sums);
    }
  }
};

TEST(Doubts, AmongManyAreThoseThatTheDefinitionsName) {
  constexpr std::size_t kPersons = 300, kViews = 1500;
  const std::vector<float> axis = unit_vector(9999, 32);
  std::vector<PersonView> views;
  for (unsigned i = 0; i < kViews; ++i) {
    const std::size_t person = i % 7 == 0 ? 3 * (i % 100) : i % kPersons;
    const std::vector<float> own = unit_vector(100000 + static_cast<unsigned>(person), 32);
    std::vector<float> unit = unit_vector(i, 32);
    for (std::size_t k = 0; k < unit.size(); ++k)
      unit[k] = axis[k] + 0.2f * own[k] + 0.4f * unit[k];
    views.push_back({person, to_unit_length(unit)});
  }
  constexpr float kAlike = 0.86f;
  constexpr double kMargin = 1e-5;  // of sums of floats
  const Doubts doubts = find_doubts(views, kAlike);
  const Reference reference(views);
  std::set<std::pair<std::size_t, std::size_t>> alike;
  for (const SamePerson& pair : doubts.same_persons) alike.emplace(pair.first, pair.second);
  const auto are_alike = [&](std::size_t a, std::size_t b) {
    return alike.contains({std::min(a, b), std::max(a, b)});
  };
  std::map<std::size_t, std::size_t> mixed_up;
  for (const MixUp& found : doubts.mix_ups) mixed_up[found.view] = found.person;
  std::size_t expected = 0;
  for (std::size_t i = 0; i < views.size(); ++i) {
    const std::vector<double>& means = reference.to_persons[i];
    const double own = means[views[i].person];
    double best = -2;
    std::size_t nearest = 0;
    for (std::size_t p = 0; p < means.size(); ++p)
      if (p != views[i].person && means[p] > best) best = means[p], nearest = p;
    if (own < -1 || std::abs(best - own) < kMargin || are_alike(views[i].person, nearest)) continue;
    EXPECT_EQ(mixed_up.contains(i), best > own) << i << ": " << best << " " << own;
    expected += best > own ? 1 : 0;
  }
  EXPECT_GT(expected, 10u);  // or this would test nothing
  EXPECT_GT(alike.size(), 0u);
}

TEST(Doubts, AnEmptyGalleryRaisesNone) {
  const Doubts doubts = find_doubts({}, kThreshold);
  EXPECT_THAT(doubts.mix_ups, IsEmpty());
  EXPECT_THAT(doubts.same_persons, IsEmpty());
  EXPECT_THAT(doubts.same_pictures, IsEmpty());
}

}  // namespace
}  // namespace sightline
