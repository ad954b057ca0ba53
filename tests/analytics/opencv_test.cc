// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Polygons against OpenCV's pointPolygonTest.

#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <opencv2/imgproc.hpp>

#include "analytics/polygon.h"

namespace sightline {
namespace {

// Of whole numbers, where OpenCV counts exactly.
TEST(PolygonOpenCv, ContainsWhatPointPolygonTestSays) {
  std::mt19937 random(6);
  std::uniform_int_distribution<int> coordinate(0, 12);
  for (int i = 0; i < 2'000; ++i) {
    std::vector<cv::Point> corners;
    std::vector<Point> points;
    for (int corner = 0; corner < 3 + i % 8; ++corner) {
      corners.emplace_back(coordinate(random), coordinate(random));
      points.push_back(
          {static_cast<float>(corners.back().x), static_cast<float>(corners.back().y)});
    }
    const Polygon polygon(points);
    for (int y = -1; y <= 13; ++y)
      for (int x = -1; x <= 13; ++x) {
        const cv::Point2f p(static_cast<float>(x), static_cast<float>(y));
        ASSERT_EQ(polygon.contains({p.x, p.y}), cv::pointPolygonTest(corners, p, false) >= 0)
            << i << ": " << x << "," << y;
      }
  }
}

// OpenCV's distance is of single precision here and there; coordinates are up to 640.
TEST(PolygonOpenCv, DistanceIsOpenCvs) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> coordinate(0, 640);
  for (int i = 0; i < 2'000; ++i) {
    std::vector<cv::Point2f> corners;
    std::vector<Point> points;
    for (int corner = 0; corner < 3 + i % 8; ++corner) {
      corners.emplace_back(coordinate(random), coordinate(random));
      points.push_back({corners.back().x, corners.back().y});
    }
    const cv::Point2f p(coordinate(random), coordinate(random));
    const double expected = std::abs(cv::pointPolygonTest(corners, p, true));
    ASSERT_NEAR(Polygon(points).distance({p.x, p.y}), expected, 1e-2) << i;
  }
}

}  // namespace
}  // namespace sightline
