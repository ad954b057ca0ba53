// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "gallery/gallery.h"
#include "scratch.h"

namespace sightline {
namespace {

std::vector<float> rows_of(int count, int dimensions) {
  std::vector<float> rows;
  for (int i = 0; i < count; ++i) {
    const std::vector<float> row = unit_vector(static_cast<unsigned>(i), dimensions);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

// Every dot product in double precision, then a full sort.
std::vector<std::pair<double, std::int64_t>> reference(const std::vector<float>& rows,
                                                       const std::vector<float>& query) {
  std::vector<std::pair<double, std::int64_t>> all;
  for (std::size_t row = 0; row * query.size() < rows.size(); ++row) {
    double sum = 0;
    for (std::size_t i = 0; i < query.size(); ++i)
      sum += static_cast<double>(rows[row * query.size() + i]) * query[i];
    all.emplace_back(-sum, static_cast<std::int64_t>(row));
  }
  std::sort(all.begin(), all.end());
  return all;
}

// Sums of n products of unit vectors in single precision are off by less than n × 2^-24; the sums
// side by side make it less.
double tolerance(int dimensions) { return dimensions * std::ldexp(1.0, -24) + 1e-7; }

void expect_as_reference(int count, int dimensions, int k) {
  const std::vector<float> rows = rows_of(count, dimensions);
  const std::vector<float> query = unit_vector(99999, dimensions);
  const auto expected = reference(rows, query);
  const std::vector<Neighbor> found = nearest(rows, dimensions, query, k);
  ASSERT_EQ(found.size(), static_cast<std::size_t>(std::min(count, std::max(k, 0))));
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double off = std::abs(found[i].similarity + expected[i].first);
    EXPECT_LE(off, tolerance(dimensions)) << count << " x " << dimensions << ", place " << i;
    if (found[i].index == expected[i].second) continue;
    // Another row may stand here only if single precision cannot tell the two.
    const auto own = std::find_if(expected.begin(), expected.end(), [&](const auto& entry) {
      return entry.second == found[i].index;
    });
    EXPECT_NEAR(own->first, expected[i].first, 2 * tolerance(dimensions));
  }
}

TEST(Nearest, EqualsTheReferenceOnEveryTargetAndForEveryRemainder) {
  for (std::int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    SCOPED_TRACE(hwy::TargetName(targets & -targets));
    for (int dimensions = 1; dimensions <= 70; ++dimensions) expect_as_reference(3, dimensions, 3);
    expect_as_reference(1500, 128, 10);
    expect_as_reference(1025, 512, 1025);
  }
  hwy::SetSupportedTargetsForTest(0);
}

TEST(Nearest, TiesGoToTheLowerIndexWhereverTheyStand) {
  const std::vector<float> query = unit_vector(5000, 19);
  std::vector<float> rows = rows_of(1400, 19);
  for (const std::size_t row : {1399, 3, 700, 512, 511})
    std::copy(query.begin(), query.end(), rows.begin() + static_cast<std::ptrdiff_t>(row * 19));
  const std::vector<Neighbor> found = nearest(rows, 19, query, 4);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].index, 3);
  EXPECT_EQ(found[1].index, 511);
  EXPECT_EQ(found[2].index, 512);
  EXPECT_EQ(found[3].index, 700);
}

TEST(Nearest, NothingAskedForOrNothingStoredIsNothing) {
  const std::vector<float> query = unit_vector(1, 8);
  EXPECT_TRUE(nearest({}, 8, query, 5).empty());
  EXPECT_TRUE(nearest(query, 8, query, 0).empty());
  EXPECT_TRUE(nearest(query, 8, query, -3).empty());
}

TEST(Nearest, ShapesThatDoNotFitAreRefused) {
  const std::vector<float> query = unit_vector(1, 8);
  EXPECT_THROW(nearest(query, 0, {}, 1), Error);
  EXPECT_THROW(nearest(query, -8, query, 1), Error);
  EXPECT_THROW(nearest(query, 4, query, 1), Error);
  EXPECT_THROW(nearest(std::span(query).first(7), 8, query, 1), Error);
}

TEST(Nearest, WhatIsNoNumberComesLast) {
  std::vector<float> rows = rows_of(3, 8);
  rows[0] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Neighbor> found = nearest(rows, 8, unit_vector(2, 8), 3);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].index, 2);
  EXPECT_EQ(found[2].index, 0);
}

}  // namespace
}  // namespace sightline
