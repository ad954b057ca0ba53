// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/region.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sightline {
namespace {

constexpr double kSlack = 1e-3;  // of float coordinates up to some hundreds

void expect_near(Point found, Point expected) {
  EXPECT_NEAR(found.x, expected.x, kSlack);
  EXPECT_NEAR(found.y, expected.y, kSlack);
}

TEST(Region, AStretchedBoxMapsCornersToCorners) {
  const Region region = Region::box({10.5f, -20, 40, 80}, {20, 10});
  expect_near(region.to_frame({0, 0}), {10.5f, -20});
  expect_near(region.to_frame({20, 10}), {50.5f, 60});
  EXPECT_FALSE(region.content);
}

TEST(Region, ALetterboxKeepsTheAspectRatioAndTellsItsContent) {
  const Region left = Region::frame({1920, 1080}, {320, 320}, Placement::kLetterbox);
  expect_near(left.to_frame({0, 0}), {0, 0});
  expect_near(left.to_frame({320, 180}), {1920, 1080});
  ASSERT_TRUE(left.content);
  EXPECT_EQ(*left.content, (Rect{0, 0, 320, 180}));

  const Region centered = Region::frame({1920, 1080}, {320, 320}, Placement::kLetterboxCentered);
  expect_near(centered.to_frame({0, 70}), {0, 0});
  expect_near(centered.to_frame({320, 250}), {1920, 1080});
  ASSERT_TRUE(centered.content);
  EXPECT_EQ(*centered.content, (Rect{0, 70, 320, 180}));

  const Region tall = Region::box({5, 5, 10, 40}, {64, 64}, Placement::kLetterboxCentered);
  ASSERT_TRUE(tall.content);
  EXPECT_EQ(*tall.content, (Rect{24, 0, 16, 64}));
}

TEST(Region, EmptyOrInfiniteBoxesAndTensorsAreRefused) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  for (const Rect box : {Rect{0, 0, 0, 5}, Rect{0, 0, 5, -1}, Rect{nan, 0, 5, 5},
                         Rect{0, infinity, 5, 5}, Rect{0, 0, infinity, 5}, Rect{0, 0, 5, nan}})
    EXPECT_THROW(Region::box(box, {8, 8}), Error);
  EXPECT_THROW(Region::box({0, 0, 5, 5}, {0, 8}), Error);
  EXPECT_THROW(Region::frame({0, 0}, {8, 8}, Placement::kStretch), Error);
}

TEST(Region, AlignedLandmarksComeToRestAtTheirTargets) {
  // A turn by 90°, twice as large, somewhere else.
  const Point landmarks[] = {{100, 50}, {100, 90}, {60, 70}};
  const Point target[] = {{10, 10}, {30, 10}, {20, 30}};
  const Region region = Region::aligned(landmarks, target);
  for (int i = 0; i < 3; ++i) expect_near(region.to_frame(target[i]), landmarks[i]);
}

TEST(Region, DegenerateLandmarksAreRefused) {
  const Point same[] = {{5, 5}, {5, 5}, {5, 5}}, target[] = {{10, 10}, {30, 10}, {20, 30}};
  EXPECT_THROW(Region::aligned(same, target), Error);
  EXPECT_THROW(Region::aligned(target, same), Error);
  EXPECT_THROW(Region::aligned(std::span(target).first(2), target), Error);
  const Point broken[] = {{std::nanf(""), 5}, {7, 5}, {5, 9}};
  EXPECT_THROW(Region::aligned(broken, target), Error);
}

}  // namespace
}  // namespace sightline
