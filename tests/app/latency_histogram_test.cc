// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

// The smallest of `sorted` that a share of them does not exceed.
double exact_percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

TEST(LatencyHistogram, PercentilesAreThoseOfTheSortedTimesWithinAClass) {
  std::mt19937 random(7);
  std::lognormal_distribution<double> seconds(std::log(0.03), 0.8);
  LatencyHistogram histogram;
  std::vector<double> times;
  for (int i = 0; i < 10'000; ++i) {
    times.push_back(seconds(random));
    histogram.add(times.back());
  }
  std::ranges::sort(times);
  for (const double share : {0.0, 0.01, 0.5, 0.95, 0.99, 1.0}) {
    const double exact = exact_percentile(times, share);
    EXPECT_GE(histogram.percentile(share), exact * (1 - 1e-9)) << share;
    EXPECT_LE(histogram.percentile(share), exact * 1.02 * (1 + 1e-9)) << share;  // a class's width
  }
  EXPECT_EQ(histogram.maximum(), times.back());
  EXPECT_EQ(histogram.count(), times.size());
}

TEST(LatencyHistogram, TheSumOfTwoIsThatOfAllTimes) {
  LatencyHistogram all, one, other;
  for (int i = 1; i <= 1000; ++i) {
    const double seconds = i * 1e-3;
    all.add(seconds);
    (i % 3 == 0 ? one : other).add(seconds);
  }
  one.add(other);
  EXPECT_EQ(one.count(), all.count());
  EXPECT_DOUBLE_EQ(one.maximum(), all.maximum());
  EXPECT_NEAR(one.sum(), all.sum(), 1e-9);
  for (const double share : {0.1, 0.5, 0.9, 0.99})
    EXPECT_DOUBLE_EQ(one.percentile(share), all.percentile(share));
}

TEST(LatencyHistogram, TimesBeyondItsBoundsAreCountedInTheOutermostClasses) {
  LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.5), 0);
  histogram.add(0);
  histogram.add(-1);
  histogram.add(1e9);
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_LE(histogram.percentile(0.5), 50e-6);
  EXPECT_GT(histogram.percentile(1), 59);
}

}  // namespace
}  // namespace sightline
