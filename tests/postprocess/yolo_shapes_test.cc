// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Masks, keypoints and oriented boxes of YOLO networks against plain decoders in double precision.

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>

#include "fixtures.h"
#include "postprocess/oriented_box.h"

namespace sightline {
namespace {

using namespace test;
using testing::HasSubstr;

std::string with_family(const std::string& family) {
  return "[property]\ncluster-mode=none\nmodel-family=" + family +
         "\n[class-attrs-all]\npre-cluster-threshold=0.5\n";
}

// Columns of one number a box: a box in the picture, low scores but for a few, then `extra`
// numbers.
std::vector<float> random_columns(std::mt19937& random, std::size_t n, std::size_t classes,
                                  std::size_t extra) {
  std::vector<float> values = random_numbers(random, (4 + classes + extra) * n, 0, 1);
  for (std::size_t i = 0; i < 2 * n; ++i) values[i] = 20 + 120 * values[i];
  for (std::size_t i = 2 * n; i < 4 * n; ++i) values[i] = 5 + 60 * values[i];
  for (std::size_t i = 4 * n; i < (4 + classes) * n; ++i)
    values[i] = static_cast<float>(std::pow(values[i], 8));
  for (std::size_t i = (4 + classes) * n; i < values.size(); ++i) values[i] = 4 * values[i] - 2;
  return values;
}

TEST(YoloShapes, MasksEqualTheReference) {
  constexpr std::size_t kBoxes = 200, kClasses = 3, kWeights = 5, kHigh = 20, kWide = 40;
  constexpr double kStride = 4;  // of an input of 160 × 80
  std::mt19937 random(1);
  const auto columns = random_columns(random, kBoxes, kClasses, kWeights);
  const auto prototypes = random_numbers(random, kWeights * kHigh * kWide, -2, 2);
  const std::vector<Tensor> outputs{
      Tensor::copy_of("output0", {4 + kClasses + kWeights, kBoxes}, columns),
      Tensor::copy_of("output1", {kWeights, kHigh, kWide}, prototypes)};
  const auto found =
      make(with_family("yolov8-seg"), network_of({160, 80}, outputs))->decode(outputs).detections;
  ASSERT_GT(found.size(), 10u);
  std::size_t inside = 0;
  for (const Detection& detection : found) {
    const auto row = static_cast<std::size_t>(detection.row);
    const double x = columns[row], y = columns[kBoxes + row], w = columns[2 * kBoxes + row],
                 h = columns[3 * kBoxes + row];
    if (!detection.mask) {  // only what lies outside of the picture has none
      EXPECT_TRUE(x - w / 2 >= 160 || y - h / 2 >= 80);
      continue;
    }
    const Mask& mask = *detection.mask;
    const auto mask_values = mask.values.floats();
    for (std::size_t r = 0; r < kHigh; ++r)
      for (std::size_t c = 0; c < kWide; ++c) {
        const double cx = (c + 0.5) * kStride, cy = (r + 0.5) * kStride;
        const double column = (cx - mask.area.x) / kStride, line = (cy - mask.area.y) / kStride;
        const bool covered = column >= 0 && line >= 0 &&
                             column < static_cast<double>(mask.values.shape[1]) &&
                             line < static_cast<double>(mask.values.shape[0]);
        const bool in_box = cx >= x - w / 2 && cx < x + w / 2 && cy >= y - h / 2 && cy < y + h / 2;
        ASSERT_TRUE(covered || !in_box);
        if (!covered) continue;
        double sum = 0;
        for (std::size_t i = 0; i < kWeights; ++i)
          sum += double{columns[(4 + kClasses + i) * kBoxes + row]} *
                 prototypes[(i * kHigh + r) * kWide + c];
        const double expected = in_box ? 1 / (1 + std::exp(-sum)) : 0;
        inside += in_box;
        // Sums of five products of about 4: a float's rounding is below 1e-5.
        EXPECT_NEAR(mask_values[static_cast<std::size_t>(line) *
                                    static_cast<std::size_t>(mask.values.shape[1]) +
                                static_cast<std::size_t>(column)],
                    expected, 1e-5);
      }
  }
  EXPECT_GT(inside, 100u);
}

TEST(YoloShapes, KeypointsAreThoseOfTheRow) {
  constexpr std::size_t kBoxes = 100, kPoints = 17;
  std::mt19937 random(2);
  const auto columns = random_columns(random, kBoxes, 1, 3 * kPoints);
  const std::vector<Tensor> outputs{Tensor::copy_of("output0", {5 + 3 * kPoints, kBoxes}, columns)};
  const auto found =
      make(with_family("yolov8-pose"), network_of({160, 160}, outputs))->decode(outputs).detections;
  ASSERT_GT(found.size(), 3u);
  for (const Detection& detection : found) {
    ASSERT_EQ(detection.landmarks.size(), kPoints);
    ASSERT_EQ(detection.landmark_confidences.size(), kPoints);
    const auto at = [&](std::size_t column) {
      return columns[column * kBoxes + static_cast<std::size_t>(detection.row)];
    };
    for (std::size_t k = 0; k < kPoints; ++k) {
      EXPECT_EQ(detection.landmarks[k], (Point{at(5 + 3 * k), at(6 + 3 * k)}));
      EXPECT_EQ(detection.landmark_confidences[k], at(7 + 3 * k));
    }
  }
}

TEST(YoloShapes, AKeypointThatIsNotFiniteTakesThemAllAway) {
  std::vector<float> columns(11 * 20);
  for (std::size_t c = 0; c < 4; ++c) columns[c * 20] = 50;
  columns[4 * 20] = 0.9f;
  columns[8 * 20] = kNan;
  const std::vector<Tensor> outputs{Tensor::copy_of("output0", {11, 20}, columns)};
  const auto found =
      make(with_family("yolov8-pose"), network_of({160, 160}, outputs))->decode(outputs).detections;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].landmarks.empty());
  EXPECT_TRUE(found[0].landmark_confidences.empty());
}

TEST(YoloShapes, ABoxTurnedByAQuarterLiesAcross) {
  std::vector<float> columns(6 * 10);
  const float box[] = {100, 80, 40, 10, 0.9f, static_cast<float>(std::numbers::pi / 2)};
  for (std::size_t c = 0; c < 6; ++c) columns[c * 10] = box[c];
  const std::vector<Tensor> outputs{Tensor::copy_of("output0", {6, 10}, columns)};
  const auto found =
      make(with_family("yolov8-obb"), network_of({160, 160}, outputs))->decode(outputs).detections;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_NEAR(found[0].box.x, 95, 1e-3);
  EXPECT_NEAR(found[0].box.y, 60, 1e-3);
  EXPECT_NEAR(found[0].box.width, 10, 1e-3);
  EXPECT_NEAR(found[0].box.height, 40, 1e-3);
  // Its upper left corner is the upper right one now.
  EXPECT_NEAR((*found[0].corners)[0].x, 105, 1e-3);
  EXPECT_NEAR((*found[0].corners)[0].y, 60, 1e-3);
}

// Two long things side by side, turned by 45°: the boxes around them are nearly the same.
TEST(YoloShapes, SuppressionComparesOrientedBoxes) {
  std::vector<float> columns(6 * 10);
  const float angle = static_cast<float>(std::numbers::pi / 4);
  const float boxes[2][6] = {{100, 100, 80, 8, 0.9f, angle}, {108, 92, 80, 8, 0.8f, angle}};
  for (std::size_t b = 0; b < 2; ++b)
    for (std::size_t c = 0; c < 6; ++c) columns[c * 10 + b] = boxes[b][c];
  const std::vector<Tensor> outputs{Tensor::copy_of("output0", {6, 10}, columns)};
  const auto detector =
      make("[property]\nmodel-family=yolov8-obb\n", network_of({200, 200}, outputs));
  const auto found = detector->decode(outputs).detections;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_GT(iou(found[0].box, found[1].box), 0.3f);
}

// By counting points of a fine grid.
TEST(OrientedBox, OverlapEqualsCounting) {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    const auto n = random_numbers(random, 10, 0, 1);
    const OrientedBox boxes[2] = {
        turned({20 + 20 * n[0], 20 + 20 * n[1], 10 + 30 * n[2], 10 + 30 * n[3]}, 7 * n[4]),
        turned({20 + 20 * n[5], 20 + 20 * n[6], 10 + 30 * n[7], 10 + 30 * n[8]}, 7 * n[9])};
    const auto contains = [](const OrientedBox& box, double x, double y) {
      for (std::size_t i = 0; i < 4; ++i) {
        const Point a = box[i], b = box[(i + 1) % 4];
        if ((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x) < 0) return false;
      }
      return true;
    };
    int both = 0, any = 0;
    for (double x = -20; x < 120; x += 0.25)
      for (double y = -20; y < 120; y += 0.25) {
        const bool a = contains(boxes[0], x, y), b = contains(boxes[1], x, y);
        both += a && b, any += a || b;
      }
    // The grid misses about half a step along the outline: 200 pixels of it, 500 of area.
    EXPECT_NEAR(iou(boxes[0], boxes[1]), double(both) / any, 0.03) << round;
  }
}

TEST(YoloShapes, OtherOutputsAreRefused) {
  const std::vector<Tensor> one{Tensor::copy_of("a", {6, 10}, std::vector<float>(60))};
  EXPECT_THAT(complaint(with_family("yolov8-seg"), network_of({9, 9}, one)),
              HasSubstr("two outputs"));
  EXPECT_THAT(complaint(with_family("yolov8-pose"), network_of({9, 9}, one)),
              HasSubstr("keypoints"));
  const std::vector<Tensor> flat{Tensor::copy_of("a", {60}, std::vector<float>(60))};
  EXPECT_THAT(complaint(with_family("yolov8-obb"), network_of({9, 9}, flat)),
              HasSubstr("the angle in radians"));
}

}  // namespace
}  // namespace sightline
