// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Segments, polygons and the grid, against references that are slow and obvious: whole numbers,
// parameters of intersections, winding numbers.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "analytics/grid.h"
#include "analytics/polygon.h"
#include "analytics/segment.h"

namespace sightline {
namespace {

Point random_point(std::mt19937& random, float low, float high) {
  std::uniform_real_distribution<float> coordinate(low, high);
  const float x = coordinate(random);
  return {x, coordinate(random)};
}

Point random_grid_point(std::mt19937& random, int side) {
  std::uniform_int_distribution<int> coordinate(0, side);
  const auto x = static_cast<float>(coordinate(random));
  return {x, static_cast<float>(coordinate(random))};
}

// Where p + t (q - p) meets a + u (b - a), by Cramer's rule in the widest type.
int crossing_by_parameters(const Segment& s, Point p, Point q) {
  using Wide = long double;
  const Wide dx = Wide{q.x} - p.x, dy = Wide{q.y} - p.y;
  const Wide ex = Wide{s.to.x} - s.from.x, ey = Wide{s.to.y} - s.from.y;
  const Wide determinant = ex * dy - ey * dx;
  if (determinant == 0) return 0;
  const Wide fx = Wide{p.x} - s.from.x, fy = Wide{p.y} - s.from.y;
  const Wide u = (fx * dy - fy * dx) / determinant;
  const Wide t = (fx * ey - fy * ex) / determinant;
  if (u < 0 || u > 1 || t < 0 || t > 1) return 0;
  return determinant > 0 ? 1 : -1;
}

TEST(Segment, CrossingEqualsTheSolvedEquations) {
  std::mt19937 random(1);
  int crossings = 0;
  for (int i = 0; i < 200'000; ++i) {
    const Segment segment{random_point(random, 0, 1), random_point(random, 0, 1)};
    const Point p = random_point(random, 0, 1), q = random_point(random, 0, 1);
    const int expected = crossing_by_parameters(segment, p, q);
    ASSERT_EQ(crossing(segment, p, q), expected) << i;
    crossings += std::abs(expected);
  }
  EXPECT_GT(crossings, 20'000);
}

// Seen along the segment, y pointing down.
TEST(Segment, RightIsTheRightHand) {
  const Segment east{{0, 0}, {10, 0}};
  EXPECT_EQ(crossing(east, {5, -1}, {5, 1}), 1);
  EXPECT_EQ(crossing(east, {5, 1}, {5, -1}), -1);
  EXPECT_GT(signed_distance(east, {5, 3}), 0);
  const Segment south{{0, 0}, {0, 10}};
  EXPECT_EQ(crossing(south, {1, 5}, {-1, 5}), 1);
}

TEST(Segment, DistancesOfKnownPoints) {
  const Segment segment{{0, 0}, {3, 4}};
  EXPECT_DOUBLE_EQ(distance(segment, {3, 4}), 0);
  EXPECT_DOUBLE_EQ(distance(segment, {6, 8}), 5);
  EXPECT_DOUBLE_EQ(distance(segment, {4, -3}), 5);
  EXPECT_DOUBLE_EQ(signed_distance(segment, {4, -3}), -5);
  EXPECT_DOUBLE_EQ(signed_distance(segment, {30, 40}), 0);
  EXPECT_DOUBLE_EQ(distance({{1, 1}, {1, 1}}, {4, 5}), 5);
}

// Whole numbers in a small square: corners on lines, ways along lines and standing still are
// common.
TEST(Segment, AWayInStepsHasTheSumOfItsSteps) {
  std::mt19937 random(2);
  for (int i = 0; i < 100'000; ++i) {
    const Segment segment{random_grid_point(random, 6), random_grid_point(random, 6)};
    if (segment.from == segment.to) continue;
    Point p = random_grid_point(random, 6);
    const Point start = p;
    int sum = 0;
    for (int step = 0; step < 5; ++step) {
      const Point q = random_grid_point(random, 6);
      sum += side_change(segment, p, q);
      p = q;
    }
    ASSERT_EQ(sum, side_change(segment, start, p));
  }
}

// How often a closed way goes around `center`, by adding up angles.
int winding_number(const std::vector<Point>& way, Point center) {
  double angle = 0;
  for (std::size_t i = 0; i < way.size(); ++i) {
    const Point p = way[i], q = way[(i + 1) % way.size()];
    const double px = double{p.x} - center.x, py = double{p.y} - center.y;
    const double qx = double{q.x} - center.x, qy = double{q.y} - center.y;
    angle += std::atan2(px * qy - py * qx, px * qx + py * qy);
  }
  return static_cast<int>(std::lround(angle / (2 * std::numbers::pi)));
}

// What passes through a segment and comes back beside it goes around one of its ends.
TEST(Segment, PassagesOfAClosedWayAreWhatItGoesAroundTheEnds) {
  std::mt19937 random(3);
  int different_from_zero = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Segment segment{random_point(random, 0.2f, 0.8f), random_point(random, 0.2f, 0.8f)};
    std::vector<Point> way;
    for (int corner = 0; corner < 12; ++corner) way.push_back(random_point(random, 0, 1));
    int sum = 0;
    for (std::size_t k = 0; k < way.size(); ++k)
      sum += crossing(segment, way[k], way[(k + 1) % way.size()]);
    ASSERT_EQ(sum, winding_number(way, segment.from) - winding_number(way, segment.to)) << i;
    different_from_zero += sum != 0;
  }
  EXPECT_GT(different_from_zero, 2'000);
}

TEST(Segment, OfTwoThatShareAnEndAWayThroughItCrossesOne) {
  const Point end{5, 5};
  for (const Point p : {Point{5, 0}, Point{4, 0}, Point{3, 1}})
    for (const Point q : {Point{5, 10}, Point{6, 10}, Point{7, 9}}) {
      const int sum = crossing({{0, 5}, end}, p, q) + crossing({end, {10, 5}}, p, q);
      EXPECT_EQ(sum, 1) << p.x << " " << q.x;
    }
}

using Corner = std::pair<std::int64_t, std::int64_t>;

// Even-odd with whole numbers: on an edge is inside; else count the edges that a ray to the right
// passes, each without its lower end.
bool contains_in_whole_numbers(const std::vector<Corner>& polygon, Corner p) {
  bool inside = false;
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    const auto [ax, ay] = polygon[i];
    const auto [bx, by] = polygon[(i + 1) % polygon.size()];
    const std::int64_t area = (bx - ax) * (p.second - ay) - (by - ay) * (p.first - ax);
    if (area == 0 && std::min(ax, bx) <= p.first && p.first <= std::max(ax, bx) &&
        std::min(ay, by) <= p.second && p.second <= std::max(ay, by))
      return true;
    if (ay < by ? ay <= p.second && p.second < by && area > 0
                : by <= p.second && p.second < ay && area < 0)
      inside = !inside;
  }
  return inside;
}

Polygon to_polygon(const std::vector<Corner>& corners) {
  std::vector<Point> points;
  for (const auto& [x, y] : corners)
    points.push_back({static_cast<float>(x), static_cast<float>(y)});
  return Polygon(std::move(points));
}

// In a square of 8, most have corners on edges, edges on each other and crossings.
TEST(Polygon, ContainsWhatWholeNumbersSay) {
  std::mt19937 random(4);
  std::uniform_int_distribution<std::int64_t> coordinate(0, 8);
  std::uniform_int_distribution<int> corners(3, 10);
  for (int i = 0; i < 3'000; ++i) {
    std::vector<Corner> polygon(static_cast<std::size_t>(corners(random)));
    for (Corner& corner : polygon) corner = {coordinate(random), coordinate(random)};
    const Polygon fast = to_polygon(polygon);
    for (std::int64_t y = -1; y <= 9; ++y)
      for (std::int64_t x = -1; x <= 9; ++x)
        ASSERT_EQ(fast.contains({static_cast<float>(x), static_cast<float>(y)}),
                  contains_in_whole_numbers(polygon, {x, y}))
            << i << ": " << x << "," << y;
  }
}

TEST(Polygon, OfKnownShapes) {
  const Polygon concave({{0, 0}, {10, 0}, {10, 10}, {5, 5}, {0, 10}});
  EXPECT_TRUE(concave.contains({5, 5}));  // its corner
  EXPECT_TRUE(concave.contains({5, 4}));
  EXPECT_FALSE(concave.contains({5, 6}));
  EXPECT_TRUE(concave.contains({1, 8}));
  EXPECT_TRUE(concave.contains({3, 0}));  // a horizontal edge
  EXPECT_FALSE(concave.contains({11, 0}));
  const Polygon bow_tie({{0, 0}, {10, 10}, {10, 0}, {0, 10}});
  EXPECT_TRUE(bow_tie.contains({1, 5}));
  EXPECT_TRUE(bow_tie.contains({9, 5}));
  EXPECT_FALSE(bow_tie.contains({5, 2}));
  const Polygon twice_around({{0, 0}, {9, 0}, {9, 9}, {0, 9}, {0, 0}, {9, 0}, {9, 9}, {0, 9}});
  EXPECT_FALSE(twice_around.contains({4, 5}));
  EXPECT_DOUBLE_EQ(concave.distance({5, -3}), 3);
  EXPECT_DOUBLE_EQ(concave.distance({5, 10}), 5 / std::numbers::sqrt2);
}

TEST(Polygon, NoPointThatIsNoNumberIsInside) {
  const Polygon square({{0, 0}, {1, 0}, {1, 1}, {0, 1}});
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(square.contains({kNaN, 0.5f}));
  EXPECT_FALSE(square.contains({0.5f, kNaN}));
  EXPECT_FALSE(square.contains({std::numeric_limits<float>::infinity(), 0.5f}));
}

std::vector<Extent> random_extents(std::mt19937& random, int count) {
  std::vector<Extent> extents;
  for (int i = 0; i < count; ++i) {
    const Point p = random_point(random, -0.5f, 2.5f), q = random_point(random, -0.5f, 2.5f);
    const Point ends[] = {p, i % 3 == 0 ? p : q};
    extents.push_back(extent_of(ends));
  }
  return extents;
}

// The grid may find too much, never too little, inside its area and beyond.
TEST(Grid, FindsAllThatIsNear) {
  std::mt19937 random(5);
  const std::vector<Extent> extents = random_extents(random, 300);
  const Grid grid(extents, {0, 0, 1.7f, 1});
  std::vector<std::uint32_t> found;
  for (int i = 0; i < 1'000; ++i) {
    const Point p = random_point(random, -0.6f, 2.6f), q = random_point(random, -0.6f, 2.6f);
    const Point ends[] = {p, q};
    const Extent way = extent_of(ends);
    std::vector<std::uint32_t> at, along;
    for (std::uint32_t k = 0; k < extents.size(); ++k) {
      const Extent& e = extents[k];
      if (e.contains(p)) at.push_back(k);
      if (e.left <= way.right && way.left <= e.right && e.top <= way.bottom && way.top <= e.bottom)
        along.push_back(k);
    }
    const auto near = grid.near(p);
    ASSERT_TRUE(std::includes(near.begin(), near.end(), at.begin(), at.end())) << i;
    grid.near(p, q, found);
    ASSERT_TRUE(std::includes(found.begin(), found.end(), along.begin(), along.end())) << i;
    ASSERT_EQ(std::adjacent_find(found.begin(), found.end()), found.end());
  }
}

TEST(Grid, LooksAtFewOfMany) {
  std::vector<Extent> extents;
  for (int i = 0; i < 1024; ++i) {
    const float x = static_cast<float>(i % 32) / 32, y = static_cast<float>(i / 32) / 32;
    extents.push_back({x + 0.01f, y + 0.01f, x + 0.02f, y + 0.02f});
  }
  const Grid grid(extents, {0, 0, 1, 1});
  EXPECT_EQ(grid.near({0.5f, 0.5f}).size(), 1u);
  EXPECT_EQ(Grid({}, {0, 0, 1, 1}).near({0.5f, 0.5f}).size(), 0u);
}

}  // namespace
}  // namespace sightline
