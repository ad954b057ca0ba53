// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/nearest_places.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using Place = NearestPlaces::Place;

constexpr float kStep = 1.0f / 4096;  // of what is kept, with a reach of 1

// Places in any order, some beyond the reach, some taken in between; what is kept are the nearest
// of all, as sorting finds them.
TEST(NearestPlaces, KeepsTheNearestOfAll) {
  std::mt19937 random(5);
  std::uniform_real_distribution<float> distance(0, 1.3f);
  for (const std::size_t wanted : {1, 2, 17, 100, 3000}) {
    NearestPlaces nearest(wanted, 1);
    std::vector<float> all;
    std::uint32_t taken = 0;
    for (std::uint32_t i = 0; i < 2000; ++i) {
      all.push_back(distance(random));
      nearest.offer({all.back(), i});
      if (i % 3 == 0) nearest.take(taken);
    }
    const std::vector<Place> kept = nearest.sorted();
    std::ranges::sort(all);
    ASSERT_GE(kept.size(), std::min(wanted, all.size()));
    EXPECT_LE(kept.size(), 2 * wanted);
    for (std::size_t i = 0; i < std::min(wanted, all.size()); ++i)
      ASSERT_EQ(kept[i].distance, all[i]) << wanted << ", " << i;
  }
}

TEST(NearestPlaces, TakesTheNearestFirstAndEachOnce) {
  std::mt19937 random(6);
  std::uniform_real_distribution<float> distance(0, 1);
  NearestPlaces nearest(500, 1);
  std::vector<float> distances;
  for (std::uint32_t i = 0; i < 400; ++i) {
    distances.push_back(distance(random));
    nearest.offer({distances.back(), i});
  }
  std::vector<bool> was(distances.size());
  float before = 0;
  std::uint32_t place = 0;
  for (std::size_t i = 0; i < distances.size(); ++i) {
    ASSERT_TRUE(nearest.take(place));
    EXPECT_FALSE(was[place]);
    was[place] = true;
    EXPECT_GE(distances[place], before - kStep);
    before = distances[place];
  }
  EXPECT_FALSE(nearest.take(place));
  nearest.offer({0.5f, 1000});  // nearer than the last that was taken
  ASSERT_TRUE(nearest.take(place));
  EXPECT_EQ(place, 1000u);
}

TEST(NearestPlaces, WhatIsFartherThanTheWantedIsNotTaken) {
  NearestPlaces nearest(10, 1);
  for (std::uint32_t i = 0; i < 100; ++i) nearest.offer({0.9f - 0.005f * static_cast<float>(i), i});
  std::uint32_t place = 0;
  for (std::uint32_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(nearest.take(place));
    EXPECT_EQ(place, 99 - i);
  }
  EXPECT_FALSE(nearest.take(place));
  EXPECT_NEAR(nearest.limit(), 0.9f - 0.005f * 90, 2 * kStep);
}

// A person may have been enrolled with one picture many thousand times.
TEST(NearestPlaces, OfEqualOnesFewAreKept) {
  for (const float distance : {0.0f, 0.4f, 7.0f}) {
    NearestPlaces nearest(100, 1);
    for (std::uint32_t i = 0; i < 50'000; ++i) nearest.offer({distance, i});
    EXPECT_EQ(nearest.sorted().size(), 200u);
  }
  NearestPlaces of_no_reach(100, 0);
  for (std::uint32_t i = 0; i < 1000; ++i) of_no_reach.offer({0, i});
  EXPECT_EQ(of_no_reach.sorted().size(), 200u);
}

}  // namespace
}  // namespace sightline
