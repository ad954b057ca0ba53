// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/calibration.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scratch.h"

namespace sightline {
namespace {

using ::testing::HasSubstr;
using Pairs = std::vector<LabelledSimilarity>;

// Similarities of two normal distributions of equal width: the odds are then a straight line of
// slope (m₁ − m₂) / s², through zero half-way between the two.
Pairs drawn(int same, int different, float mean_same, float mean_different, float deviation) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, deviation);
  Pairs pairs;
  for (int i = 0; i < same; ++i) pairs.push_back({mean_same + normal(random), true});
  for (int i = 0; i < different; ++i) pairs.push_back({mean_different + normal(random), false});
  return pairs;
}

TEST(Calibration, FindsTheCurveThatThePairsWereDrawnFrom) {
  const Calibration found = fit_calibration(drawn(20000, 20000, 0.991f, 0.979f, 0.004f));
  const double slope = (0.991 - 0.979) / (0.004 * 0.004);
  // 20,000 pairs of each kind: the slope's standard error is about 1.5 %.
  EXPECT_NEAR(found.slope, slope, 0.05 * slope);
  EXPECT_NEAR(probability(found, 0.985f), 0.5, 0.02);
  EXPECT_NEAR(probability(found, 0.989f), 1 / (1 + std::exp(-slope * 0.004)), 0.01);
}

TEST(Calibration, BothKindsWeighEquallyHoweverManyThereAre) {
  const Calibration found = fit_calibration(drawn(400, 40000, 0.991f, 0.979f, 0.004f));
  EXPECT_NEAR(probability(found, 0.985f), 0.5, 0.08);
}

TEST(Calibration, PairsThatAThresholdTellsApartHaveACurveToo) {
  const Calibration found = fit_calibration(drawn(50, 50, 0.995f, 0.90f, 0.002f));
  EXPECT_TRUE(std::isfinite(found.slope) && std::isfinite(found.offset));
  EXPECT_GT(probability(found, 0.995f), 0.95);
  EXPECT_LT(probability(found, 0.995f), 1.0);
  EXPECT_LT(probability(found, 0.90f), 0.05);
  EXPECT_GT(probability(found, 0.90f), 0.0);
}

TEST(Calibration, GrowsWithTheSimilarityAndStaysAProbability) {
  const Calibration found = fit_calibration(drawn(500, 500, 0.99f, 0.975f, 0.004f));
  double last = 0;
  for (float similarity = -1; similarity <= 1; similarity += 0.01f) {
    const double now = probability(found, similarity);
    EXPECT_GE(now, last);
    EXPECT_LE(now, 1);
    last = now;
  }
}

TEST(Calibration, RefusesWhatCannotBeLearntFrom) {
  const auto complaint = [](const Pairs& pairs) {
    return complaint_of(ErrorCode::kInput, [&] { fit_calibration(pairs); });
  };
  EXPECT_THAT(complaint({}), HasSubstr("at least 20 pairs"));
  EXPECT_THAT(complaint(drawn(19, 500, 0.99f, 0.97f, 0.003f)), HasSubstr("there are 19 and 500"));
  EXPECT_THAT(complaint(drawn(500, 19, 0.99f, 0.97f, 0.003f)), HasSubstr("there are 500 and 19"));
  EXPECT_THAT(complaint(drawn(50, 50, 0.97f, 0.99f, 0.003f)), HasSubstr("not more similar"));
  Pairs alike(100, {0.5f, true});
  for (std::size_t i = 50; i < alike.size(); ++i) alike[i].same = false;
  EXPECT_THAT(complaint(alike), HasSubstr("equally similar"));
  Pairs pairs = drawn(50, 50, 0.99f, 0.97f, 0.003f);
  pairs[7].similarity = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(complaint(pairs), HasSubstr("no number"));
}

}  // namespace
}  // namespace sightline
