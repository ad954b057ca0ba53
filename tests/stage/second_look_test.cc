// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/second_look.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

const SecondLook kLook(0.5f, {320, 240});  // from 120 pixels on

Detection face(Rect box, int class_id = 0) {
  Detection detection;
  detection.box = box;
  detection.class_id = class_id;
  detection.confidence = 0.75f;
  return detection;
}

void expect_box(const Rect& found, const Rect& expected) {
  EXPECT_FLOAT_EQ(found.x, expected.x);
  EXPECT_FLOAT_EQ(found.y, expected.y);
  EXPECT_FLOAT_EQ(found.width, expected.width);
  EXPECT_FLOAT_EQ(found.height, expected.height);
}

TEST(SecondLook, WantedFromTheShareOn) {
  EXPECT_FALSE(kLook.wanted({}));
  EXPECT_FALSE(kLook.wanted({face({0, 0, 300, 119})}));
  EXPECT_TRUE(kLook.wanted({face({0, 0, 50, 120})}));
  EXPECT_TRUE(kLook.wanted({face({0, 0, 20, 20}), face({0, 0, 100, 200})}));
}

TEST(SecondLook, ShareOfZeroNeverWantsOne) {
  EXPECT_FALSE(SecondLook(0, {320, 240}).wanted({face({0, 0, 320, 240})}));
}

TEST(SecondLook, SeesTwiceAsMuchAboutTheSameCentre) {
  const Affine2 to_first = kLook.to_first();
  const Point centre = to_first(Point{160, 120});
  EXPECT_FLOAT_EQ(centre.x, 160);
  EXPECT_FLOAT_EQ(centre.y, 120);
  const Point corner = to_first(Point{0, 0});
  EXPECT_FLOAT_EQ(corner.x, -160);
  EXPECT_FLOAT_EQ(corner.y, -120);
}

TEST(SecondLook, BoxAndLandmarksAreTakenInPixelsOfTheFirst) {
  std::vector<Detection> first = {face({60, 0, 200, 240})};
  Detection better = face({115, 65, 90, 110});
  better.landmarks = {{140, 100}, {180, 100}};
  better.confidence = 0.9f;
  kLook.improve(first, {better});
  expect_box(first[0].box, {70, 10, 180, 220});
  ASSERT_EQ(first[0].landmarks.size(), 2u);
  EXPECT_FLOAT_EQ(first[0].landmarks[1].x, 200);
  EXPECT_FLOAT_EQ(first[0].landmarks[1].y, 80);
  EXPECT_FLOAT_EQ(first[0].confidence, 0.75f);  // it is the first look that found it
}

TEST(SecondLook, SmallOnesStayAsTheyAre) {
  std::vector<Detection> first = {face({100, 100, 40, 50}), face({0, 0, 200, 240})};
  kLook.improve(first, {face({130, 110, 20, 25})});  // lies where the small one is
  expect_box(first[0].box, {100, 100, 40, 50});
  expect_box(first[1].box, {0, 0, 200, 240});
}

TEST(SecondLook, AnotherClassOrAnotherPlaceChangesNothing) {
  std::vector<Detection> first = {face({60, 0, 200, 240})};
  kLook.improve(first, {face({115, 65, 90, 110}, 1), face({10, 10, 30, 30})});
  expect_box(first[0].box, {60, 0, 200, 240});
}

TEST(SecondLook, TheLargestOverlapWins) {
  std::vector<Detection> first = {face({60, 0, 200, 240})};
  kLook.improve(first, {face({125, 75, 80, 90}), face({110, 60, 100, 120})});
  expect_box(first[0].box, {60, 0, 200, 240});
  kLook.improve(first, {face({125, 75, 80, 90}), face({112, 62, 100, 120})});
  expect_box(first[0].box, {64, 4, 200, 240});
}

}  // namespace
}  // namespace sightline
