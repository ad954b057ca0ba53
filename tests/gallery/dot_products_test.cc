// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/dot_products.h"

#include <cmath>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "scratch.h"

namespace sightline {
namespace {

// Sums of n products of unit vectors in single precision are off by less than n × 2^-24.
void expect_as_in_double_precision(int count, int dimensions) {
  const std::vector<float> query = unit_vector(99999, dimensions);
  std::vector<float> rows;
  for (int i = 0; i < count; ++i) {
    const std::vector<float> row = unit_vector(static_cast<unsigned>(i), dimensions);
    rows.insert(rows.end(), row.begin(), row.end());
  }
  std::vector<float> products(static_cast<std::size_t>(count));
  dot_products(rows, query, products);
  for (std::size_t row = 0; row < products.size(); ++row) {
    double sum = 0;
    for (std::size_t i = 0; i < query.size(); ++i)
      sum += static_cast<double>(rows[row * query.size() + i]) * query[i];
    EXPECT_NEAR(products[row], sum, dimensions * std::ldexp(1.0, -24) + 1e-7)
        << "row " << row << " of " << dimensions << " dimensions";
  }
}

TEST(DotProducts, AreThoseInDoublePrecisionOnEveryTargetAndForEveryRemainder) {
  for (std::int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    SCOPED_TRACE(hwy::TargetName(targets & -targets));
    for (int dimensions = 1; dimensions <= 70; ++dimensions)
      expect_as_in_double_precision(3, dimensions);
    expect_as_in_double_precision(40, 128);
    expect_as_in_double_precision(40, 2048);
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace
}  // namespace sightline
