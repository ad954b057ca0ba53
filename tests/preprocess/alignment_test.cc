// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "preprocess/region.h"

namespace sightline {
namespace {

void expect_near(Point found, Point expected, double slack) {
  EXPECT_NEAR(found.x, expected.x, slack);
  EXPECT_NEAR(found.y, expected.y, slack);
}

// Where `landmark` of the frame comes to rest in the tensor.
Point rests_at(const Region& region, Point landmark) { return region.to_frame.inverse()(landmark); }

// A face of 68 landmarks that is the template itself, turned, enlarged and moved.
std::vector<Point> turned_face(const AlignmentTemplate& target, const Affine2& to_frame) {
  std::vector<Point> face(68, Point{0, 0});
  for (std::size_t i = 0; i < target.points.size(); ++i)
    face[static_cast<std::size_t>(target.landmark_indices[i])] = to_frame(target.points[i]);
  return face;
}

const Affine2 kTurn = {1.8, -0.9, 300, 0.9, 1.8, 120};

// (padding + mean shape) / (2 · padding + 1) · 150 of dlib's get_face_chip_details(), where pixel
// centres are whole numbers, worked out by hand for three landmarks.
TEST(AlignmentTemplate, Dlib150HasThePublishedPoints) {
  const AlignmentTemplate t = AlignmentTemplate::parse("dlib-150", {150, 150});
  EXPECT_EQ(t.size, (Size{150, 150}));
  EXPECT_EQ(t.landmark_count, 68);
  ASSERT_EQ(t.points.size(), 51u);
  ASSERT_EQ(t.landmark_indices.size(), 51u);
  EXPECT_EQ(t.landmark_indices.front(), 17);
  EXPECT_EQ(t.landmark_indices.back(), 67);
  expect_near(t.points[0], {25.0213256f + 0.5f, 35.6454f + 0.5f}, 1e-4);
  expect_near(t.points[30 - 17], {74.0127f + 0.5f, 76.5625f + 0.5f}, 1e-4);
  expect_near(t.points[67 - 17], {67.689f + 0.5f, 107.4182f + 0.5f}, 1e-4);
}

// The mean face is symmetric about its middle: a wrong digit in one half would show.
TEST(AlignmentTemplate, Dlib150IsSymmetric) {
  const AlignmentTemplate t = AlignmentTemplate::parse("dlib-150", {150, 150});
  const auto at = [&t](int landmark) { return t.points[static_cast<std::size_t>(landmark - 17)]; };
  const float middle = at(27).x;
  const int pairs[][2] = {{17, 26}, {18, 25}, {19, 24}, {20, 23}, {21, 22}, {31, 35}, {32, 34},
                          {36, 45}, {37, 44}, {38, 43}, {39, 42}, {40, 47}, {41, 46}, {48, 54},
                          {49, 53}, {50, 52}, {59, 55}, {58, 56}, {60, 64}, {61, 63}, {67, 65}};
  for (const auto& [left, right] : pairs) {
    EXPECT_NEAR(middle - at(left).x, at(right).x - middle, 2e-3) << left;
    EXPECT_NEAR(at(left).y, at(right).y, 2e-3) << left;
  }
  for (const int centre : {28, 29, 30, 33, 51, 57, 62, 66})
    EXPECT_NEAR(at(centre).x, middle, 2e-3) << centre;
}

TEST(AlignmentTemplate, ArcFace112HasThePublishedPoints) {
  const AlignmentTemplate t = AlignmentTemplate::parse("arcface-112", {112, 112});
  EXPECT_EQ(t.size, (Size{112, 112}));
  EXPECT_EQ(t.landmark_count, 5);
  const Point published[] = {{38.2946f, 51.6963f},
                             {73.5318f, 51.5014f},
                             {56.0252f, 71.7366f},
                             {41.5493f, 92.3655f},
                             {70.7299f, 92.2041f}};
  ASSERT_EQ(t.points.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i)
    expect_near(t.points[i], {published[i].x + 0.5f, published[i].y + 0.5f}, 1e-4);
}

TEST(AlignmentTemplate, FivePointsAreReadAsPublishedOnesAre) {
  const AlignmentTemplate t =
      AlignmentTemplate::parse("10,12; 30,12.5;20,22;12,32;28,32", {40, 44});
  EXPECT_EQ(t.size, (Size{40, 44}));
  EXPECT_EQ(t.landmark_count, 5);
  ASSERT_EQ(t.points.size(), 5u);
  EXPECT_EQ(t.points[1], (Point{30.5f, 13}));
}

TEST(AlignmentTemplate, OtherTextIsRefusedWithTheKnownNames) {
  for (const char* text :
       {"dlib-15", "", "1,2;3,4", "1,2;3,4;5,6;7,8;9,10;11,12", "1,2;3,4;5,6;7,8;9,x",
        "1 2;3,4;5,6;7,8;9,1", "1,2;3,4;5,6;7,8;9,nan", "1,2;3,4;5,6;7,8;inf,1"}) {
    try {
      AlignmentTemplate::parse(text, {150, 150});
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kConfig);
      EXPECT_NE(std::string(error.what()).find("dlib-150, arcface-112"), std::string::npos);
    }
  }
}

TEST(AlignmentTemplate, AFaceComesToRestOnTheTemplate) {
  const AlignmentTemplate t = AlignmentTemplate::parse("dlib-150", {150, 150});
  const std::vector<Point> face = turned_face(t, kTurn);
  const Region region = t.region(face, {150, 150});
  for (std::size_t i = 0; i < t.points.size(); ++i)
    expect_near(rests_at(region, face[i + 17]), t.points[i], 1e-2);

  // In a tensor of half the size everything is at half the place, centres included.
  const Region half = t.region(face, {75, 75});
  expect_near(rests_at(half, face[30]), {t.points[13].x / 2, t.points[13].y / 2}, 1e-2);
}

TEST(AlignmentTemplate, OtherSetsOfLandmarksAreAlignedByWhatIsCommon) {
  const AlignmentTemplate dlib = AlignmentTemplate::parse("dlib-150", {150, 150});
  const std::vector<Point> face68 = turned_face(dlib, kTurn);
  const auto mean = [&](int first, int count) {
    Point sum;
    for (int i = first; i < first + count; ++i) {
      sum.x += face68[static_cast<std::size_t>(i)].x / static_cast<float>(count);
      sum.y += face68[static_cast<std::size_t>(i)].y / static_cast<float>(count);
    }
    return sum;
  };
  const Point mouth = {(face68[48].x + face68[54].x) / 2, (face68[48].y + face68[54].y) / 2};
  const std::vector<Point> five = {mean(36, 6), mean(42, 6), face68[30], face68[48], face68[54]};
  const std::vector<Point> six = {mean(36, 6), mean(42, 6), face68[30], mouth, {0, 0}, {9, 9}};

  // Both know the same face: 5 and 6 landmarks give the region that all 68 give.
  const Region all = dlib.region(face68, {150, 150});
  for (const Point corner : {Point{0, 0}, Point{150, 0}, Point{0, 150}}) {
    expect_near(dlib.region(five, {150, 150}).to_frame(corner), all.to_frame(corner), 0.05);
    expect_near(dlib.region(six, {150, 150}).to_frame(corner), all.to_frame(corner), 0.05);
  }

  // The other way round: 68 landmarks to five points is what five landmarks give.
  const AlignmentTemplate arcface = AlignmentTemplate::parse("arcface-112", {112, 112});
  const Region of_five = arcface.region(five, {112, 112}),
               of_68 = arcface.region(face68, {112, 112});
  for (const Point corner : {Point{0, 0}, Point{112, 0}, Point{0, 112}})
    expect_near(of_68.to_frame(corner), of_five.to_frame(corner), 1e-2);
}

TEST(AlignmentTemplate, OtherNumbersOfLandmarksAreRefused) {
  const AlignmentTemplate t = AlignmentTemplate::parse("arcface-112", {112, 112});
  for (const std::size_t count : {0u, 1u, 4u, 7u, 106u})
    EXPECT_THROW(t.region(std::vector<Point>(count, Point{1, 2}), {112, 112}), Error) << count;
  EXPECT_THROW(t.region(std::vector<Point>(5, Point{1, 2}), {112, 112}),
               Error);  // all in one place
}

}  // namespace
}  // namespace sightline
