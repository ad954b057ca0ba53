// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/assignment.h"

#include <cmath>
#include <limits>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace sightline::testing {
namespace {

double total(const WeightMatrix& weights, const std::vector<int>& columns) {
  double sum = 0;
  std::set<int> used;
  for (std::size_t row = 0; row < columns.size(); ++row) {
    if (columns[row] == kUnassigned) continue;
    EXPECT_TRUE(used.insert(columns[row]).second) << "column " << columns[row] << " twice";
    const double weight = weights(row, static_cast<std::size_t>(columns[row]));
    EXPECT_GT(weight, 0);
    sum += weight;
  }
  return sum;
}

// Every way to give each row one of the columns that are left, or none.
double best_by_trying(const WeightMatrix& weights, std::size_t row, std::vector<bool>& used) {
  if (row == weights.rows()) return 0;
  double best = best_by_trying(weights, row + 1, used);
  for (std::size_t column = 0; column < weights.columns(); ++column) {
    const double weight = weights(row, column);
    if (used[column] || !(weight > 0) || !std::isfinite(weight)) continue;
    used[column] = true;
    best = std::max(best, weight + best_by_trying(weights, row + 1, used));
    used[column] = false;
  }
  return best;
}

TEST(Assignment, IsAsGoodAsTheBestOfAll) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    WeightMatrix weights(random() % 7, random() % 7);
    const unsigned density = 1 + random() % 4;  // many ties and forbidden pairs, and few
    for (std::size_t r = 0; r < weights.rows(); ++r)
      for (std::size_t c = 0; c < weights.columns(); ++c)
        if (random() % 4 < density) weights(r, c) = static_cast<int>(random() % 9) - 2;
    std::vector<bool> used(weights.columns());
    const std::vector<int> columns = assign(weights);
    ASSERT_EQ(columns.size(), weights.rows());
    ASSERT_DOUBLE_EQ(total(weights, columns), best_by_trying(weights, 0, used)) << round;
  }
}

TEST(Assignment, PrefersTheBestSumToTheBestPair) {
  WeightMatrix weights(2, 2);
  weights(0, 0) = 10;
  weights(0, 1) = 9;
  weights(1, 0) = 8;
  EXPECT_EQ(assign(weights), (std::vector{1, 0}));
}

TEST(Assignment, PairsOfNoPositiveOrFiniteWeightAreNotMade) {
  WeightMatrix weights(3, 4);
  weights(0, 0) = std::numeric_limits<double>::quiet_NaN();
  weights(0, 1) = std::numeric_limits<double>::infinity();
  weights(1, 2) = -1;
  weights(2, 3) = 1e-9;
  EXPECT_EQ(assign(weights), (std::vector{kUnassigned, kUnassigned, 3}));
  EXPECT_TRUE(assign(WeightMatrix(0, 5)).empty());
  EXPECT_EQ(assign(WeightMatrix(2, 0)), (std::vector{kUnassigned, kUnassigned}));
}

TEST(Assignment, ALargeOneOfSmallGroupsIsExact) {
  constexpr std::size_t kSize = 512;
  WeightMatrix weights(kSize, kSize);
  for (std::size_t i = 0; i < kSize; ++i) {
    weights(i, kSize - 1 - i) = 2;
    weights(i, (kSize - i) % kSize) = 1;
  }
  const std::vector<int> columns = assign(weights);
  for (std::size_t i = 0; i < kSize; ++i) EXPECT_EQ(columns[i], static_cast<int>(kSize - 1 - i));
}

}  // namespace
}  // namespace sightline::testing
