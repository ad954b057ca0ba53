// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/geometry.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sightline {
namespace {

double squared_error(const Affine2& map, const std::vector<Point>& from,
                     const std::vector<Point>& to) {
  double sum = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double dx = map.xx * from[i].x + map.xy * from[i].y + map.x0 - to[i].x;
    const double dy = map.yx * from[i].x + map.yy * from[i].y + map.y0 - to[i].y;
    sum += dx * dx + dy * dy;
  }
  return sum;
}

TEST(Geometry, IntersectionOverUnionOfKnownBoxes) {
  EXPECT_FLOAT_EQ(iou({0, 0, 2, 2}, {1, 1, 2, 2}), 1.0f / 7.0f);
  EXPECT_FLOAT_EQ(iou({0, 0, 2, 2}, {0, 0, 2, 2}), 1.0f);
  EXPECT_EQ(iou({0, 0, 2, 2}, {2, 0, 2, 2}), 0);
  EXPECT_EQ(iou({0, 0, 0, 2}, {0, 0, 0, 2}), 0);
  EXPECT_EQ(intersection({0, 0, 2, 2}, {5, 5, 1, 1}), Rect{});
}

TEST(Geometry, InverseUndoesAMap) {
  const Affine2 map{1.5, -0.25, 10, 0.5, 2, -3};
  const Affine2 both = map.inverse() * map;
  EXPECT_NEAR(both.xx, 1, 1e-12);
  EXPECT_NEAR(both.xy, 0, 1e-12);
  EXPECT_NEAR(both.x0, 0, 1e-12);
  EXPECT_NEAR(both.yy, 1, 1e-12);
  EXPECT_NEAR(both.y0, 0, 1e-12);
  EXPECT_THROW((Affine2{1, 2, 0, 2, 4, 0}.inverse()), Error);
}

TEST(Geometry, SimilarityRecoversAKnownOne) {
  const double angle = 0.7, scale = 2.5;
  const Affine2 truth{scale * std::cos(angle), -scale * std::sin(angle), 30,
                      scale * std::sin(angle), scale * std::cos(angle),  -7};
  std::vector<Point> from = {{0, 0}, {10, 0}, {3, 8}, {-4, 5}}, to;
  for (const Point p : from) to.push_back(truth(p));
  const Affine2 found = least_squares_similarity(from, to);
  EXPECT_NEAR(found.xx, truth.xx, 1e-5);
  EXPECT_NEAR(found.yx, truth.yx, 1e-5);
  EXPECT_NEAR(found.x0, truth.x0, 1e-4);
  EXPECT_NEAR(found.y0, truth.y0, 1e-4);
}

// Independent of the closed form: no similarity nearby has a smaller error.
TEST(Geometry, SimilarityIsTheLeastSquaresOne) {
  std::mt19937 random(7);
  std::normal_distribution<float> noise(0, 3);
  std::vector<Point> from, to;
  for (int i = 0; i < 20; ++i) {
    from.push_back({noise(random) * 10, noise(random) * 10});
    to.push_back({from.back().y * 0.5f + noise(random), -from.back().x * 0.5f + noise(random)});
  }
  const Affine2 best = least_squares_similarity(from, to);
  const double error = squared_error(best, from, to);
  for (const double step : {-1e-3, 1e-3}) {
    EXPECT_LT(error,
              squared_error({best.xx + step, best.xy, best.x0, best.yx, best.yy + step, best.y0},
                            from, to));
    EXPECT_LT(error,
              squared_error({best.xx, best.xy - step, best.x0, best.yx + step, best.yy, best.y0},
                            from, to));
    EXPECT_LT(error, squared_error({best.xx, best.xy, best.x0 + step, best.yx, best.yy, best.y0},
                                   from, to));
    EXPECT_LT(error, squared_error({best.xx, best.xy, best.x0, best.yx, best.yy, best.y0 + step},
                                   from, to));
  }
}

TEST(Geometry, DegeneratePointsAreRefused) {
  const std::vector<Point> same = {{1, 1}, {1, 1}}, apart = {{0, 0}, {1, 1}}, one = {{0, 0}};
  const std::vector<Point> wild = {{0, 0}, {std::numeric_limits<float>::quiet_NaN(), 1}};
  EXPECT_THROW(least_squares_similarity(same, apart), Error);
  EXPECT_THROW(least_squares_similarity(one, one), Error);
  EXPECT_THROW(least_squares_similarity(apart, one), Error);
  EXPECT_THROW(least_squares_similarity(wild, apart), Error);
}

}  // namespace
}  // namespace sightline
