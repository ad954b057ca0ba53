// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/doubts.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(Doubts, AnEmptyGalleryRaisesNone) {
  const Doubts doubts = find_doubts({}, kThreshold);
  EXPECT_THAT(doubts.mix_ups, IsEmpty());
  EXPECT_THAT(doubts.same_persons, IsEmpty());
  EXPECT_THAT(doubts.same_pictures, IsEmpty());
}

}  // namespace
}  // namespace sightline
