// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Boxes of lines of text beside OpenCV's of the same pixels, and beside the line that was painted.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "fixtures.h"
#include "postprocess/oriented_box.h"

namespace sightline {
namespace {

using namespace test;

constexpr int kSide = 160;

// Of the only line, as wide as its pixels are.
OrientedBox box_of(const cv::Mat& map) {
  std::vector<float> values(map.begin<float>(), map.end<float>());
  const std::vector<Tensor> outputs{Tensor::copy_of("o", {1, kSide, kSide}, values)};
  const auto found = make(
                         "[property]\nmodel-family=db\nunclip-ratio=0\n"
                         "[class-attrs-all]\npre-cluster-threshold=0.2\n",
                         network_of({kSide, kSide}, outputs))
                         ->decode(outputs)
                         .detections;
  EXPECT_EQ(found.size(), 1u);
  return found.empty() ? OrientedBox{} : *found[0].corners;
}

double distance(const Point& a, const Point& b) { return std::hypot(a.x - b.x, a.y - b.y); }

cv::Mat painted(cv::Point2d centre, double width, double height, double radians) {
  cv::Mat map = cv::Mat::zeros(kSide, kSide, CV_32F);
  const double c = std::cos(radians), s = std::sin(radians);
  for (int y = 0; y < kSide; ++y)
    for (int x = 0; x < kSide; ++x) {
      const double dx = x + 0.5 - centre.x, dy = y + 0.5 - centre.y;
      if (std::abs(c * dx + s * dy) <= width / 2 && std::abs(-s * dx + c * dy) <= height / 2)
        map.at<float>(y, x) = 0.9f;
    }
  return map;
}

// OpenCV counts to the end of the last pixel.
TEST(TextBoxesBesideOpenCv, ALevelLineWithRaggedEndsHasOpenCvsBounds) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    cv::Mat map = cv::Mat::zeros(kSide, kSide, CV_32F);
    const int left = 20 + static_cast<int>(random() % 20),
              top = 30 + static_cast<int>(random() % 40);
    const int width = 40 + static_cast<int>(random() % 60),
              height = 8 + static_cast<int>(random() % 12);
    for (int y = top; y < top + height; ++y) {  // its middle row is the longest
      const bool middle = y == top + height / 2;
      const int less = middle ? 0 : static_cast<int>(random() % 3);
      map(cv::Rect(left + less, y, width - 2 * less, 1)) = 0.9f;
    }
    const cv::Rect expected = cv::boundingRect(cv::Mat(map > 0.5f));
    const Rect found = bounds(box_of(map));
    EXPECT_NEAR(found.x, expected.x, 1e-3) << round;
    EXPECT_NEAR(found.y, expected.y, 1e-3) << round;
    EXPECT_NEAR(found.width, expected.width, 1e-3) << round;
    EXPECT_NEAR(found.height, expected.height, 1e-3) << round;
  }
}

// OpenCV's smallest box goes through the centres of the pixels, and counts them from 0. Ours has
// the same centre and is larger by what lies beyond them: from nothing to half a pixel on each
// side.
TEST(TextBoxesBesideOpenCv, ATurnedLineHasOpenCvsSmallestBoxAndWhatIsBeyondTheCentres) {
  std::mt19937 random(2);
  std::uniform_real_distribution<double> place(79, 81), angle(-0.7, 0.7);
  for (int round = 0; round < 100; ++round) {
    const cv::Mat map = painted({place(random), place(random)}, 90, 18, angle(random));
    std::vector<cv::Point> pixels;
    cv::findNonZero(cv::Mat(map > 0.5f), pixels);
    const cv::RotatedRect expected = cv::minAreaRect(pixels);
    const OrientedBox found = box_of(map);
    EXPECT_NEAR((found[0].x + found[2].x) / 2, expected.center.x + 0.5, 0.02) << round;
    EXPECT_NEAR((found[0].y + found[2].y) / 2, expected.center.y + 0.5, 0.02) << round;
    const double longer =
        distance(found[0], found[1]) - std::max(expected.size.width, expected.size.height);
    const double higher =
        distance(found[1], found[2]) - std::min(expected.size.width, expected.size.height);
    for (const double more : {longer, higher}) {
      EXPECT_GT(more, -0.02) << round;
      EXPECT_LT(more, 1.02) << round;
    }
  }
}

// How much more or less than was painted a line may measure on average over where it lies between
// the pixels. One that sinks by less than two rows over its length looks level, with a step or two,
// and is half a row higher; at 45° pixels form rows of their own, 0.7 apart, and what lies between
// the last and the next is not seen. (To the corners of its pixels it would be 1 to 1.4 more.)
double tolerance(double length, double degrees) {
  if (degrees == 45) return 0.9;
  const double sinks = length * std::sin(std::abs(degrees) * std::numbers::pi / 180);
  return sinks > 0 && sinks < 2 ? 0.7 : 0.25;
}

TEST(TextBoxesBesideOpenCv, ALineIsAsLongAndAsHighAsItWasPainted) {
  constexpr double kLength = 90, kHeight = 18;
  std::mt19937 random(3);
  std::uniform_real_distribution<double> place(79, 81);
  for (const double degrees : {0.0, 0.5, 1.0, 2.0, 5.0, 10.0, -20.0, 30.0, 45.0}) {
    const double radians = degrees * std::numbers::pi / 180;
    constexpr int kRounds = 40;
    double longer = 0, higher = 0;
    for (int round = 0; round < kRounds; ++round) {
      const cv::Point2d centre(place(random), place(random));
      const OrientedBox found = box_of(painted(centre, kLength, kHeight, radians));
      const double one = distance(found[0], found[1]), other = distance(found[1], found[2]);
      longer += (std::max(one, other) - kLength) / kRounds;
      higher += (std::min(one, other) - kHeight) / kRounds;
    }
    EXPECT_NEAR(longer, 0, tolerance(kLength, degrees)) << degrees;
    EXPECT_NEAR(higher, 0, tolerance(kLength, degrees)) << degrees;
  }
}

}  // namespace
}  // namespace sightline
