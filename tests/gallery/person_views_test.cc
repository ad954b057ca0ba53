// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/person_views.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// In a plane, so that the similarity of two is the cosine of the angle between them.
std::vector<Embedding> at(std::initializer_list<double> degrees) {
  std::vector<Embedding> views;
  for (const double angle : degrees) {
    const double radians = angle * M_PI / 180;
    views.push_back({static_cast<float>(std::cos(radians)), static_cast<float>(std::sin(radians))});
  }
  return views;
}

float within(double degrees) { return static_cast<float>(std::cos(degrees * M_PI / 180)); }

TEST(PersonViews, WhatIsFarFromAllOthersDoesNotFit) {
  EXPECT_THAT(misfits(at({0, 4, 60, 8}), within(10)), ElementsAre(2));
  EXPECT_THAT(misfits(at({0, 4, -4, 8}), within(10)), IsEmpty());
}

TEST(PersonViews, OneViewInBetweenJoinsTwoThatAreFarApart) {
  EXPECT_THAT(misfits(at({0, 18, 9}), within(10)), IsEmpty());
  EXPECT_THAT(misfits(at({0, 18}), within(10)), ElementsAre(1));
}

TEST(PersonViews, TheLargestGroupStaysAndOfEqualOnesTheEarliest) {
  EXPECT_THAT(misfits(at({60, 0, 2, 61, 4}), within(10)), ElementsAre(0, 3));
  EXPECT_THAT(misfits(at({60, 0, 2, 61}), within(10)), ElementsAre(1, 2));
}

TEST(PersonViews, ManyNewViewsDoNotOutvoteASettledOne) {
  EXPECT_THAT(misfits(at({0, 60, 61, 62, 3}), within(10), 1), ElementsAre(1, 2, 3));
  EXPECT_THAT(misfits(at({0, 60, 61, 1, 62}), within(10), 2), ElementsAre(1, 2, 4));
}

TEST(PersonViews, NoViewsAndOneView) {
  EXPECT_THAT(misfits({}, within(10)), IsEmpty());
  EXPECT_THAT(misfits(at({50}), within(10)), IsEmpty());
}

}  // namespace
}  // namespace sightline
