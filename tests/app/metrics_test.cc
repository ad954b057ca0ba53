// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/metrics.h"

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

// The definitions, tried one pair and one threshold at a time.
namespace reference {

bool accepted(const ScoredPair& pair, float threshold) {
  return pair.similarity ? *pair.similarity >= threshold : !pair.same;
}

double share(const std::vector<ScoredPair>& pairs, bool same, float threshold) {
  int part = 0, whole = 0;
  for (const ScoredPair& pair : pairs) {
    if (pair.same != same) continue;
    ++whole;
    part += accepted(pair, threshold);
  }
  return static_cast<double>(part) / whole;
}

double accuracy(const std::vector<ScoredPair>& pairs, float threshold) {
  int right = 0;
  for (const ScoredPair& pair : pairs) right += accepted(pair, threshold) == pair.same;
  return static_cast<double>(right) / static_cast<double>(pairs.size());
}

// Each score, and one that nobody reaches.
std::vector<float> thresholds(const std::vector<ScoredPair>& pairs) {
  std::vector<float> values = {1.5f};
  for (const ScoredPair& pair : pairs)
    if (pair.similarity) values.push_back(*pair.similarity);
  return values;
}

double best_accuracy(const std::vector<ScoredPair>& pairs) {
  double best = accuracy(pairs, -2);
  for (const float t : thresholds(pairs)) best = std::max(best, accuracy(pairs, t));
  return best;
}

double tar_at(const std::vector<ScoredPair>& pairs, double far) {
  double best = 0;
  for (const float t : thresholds(pairs))
    if (share(pairs, false, t) <= far) best = std::max(best, share(pairs, true, t));
  return best;
}

// How often the same person scores higher than different ones; as often as not counts half.
double auc(const std::vector<ScoredPair>& pairs) {
  const auto value = [](const ScoredPair& pair) {
    return pair.similarity.value_or(pair.same ? -9.0f : 9.0f);
  };
  double sum = 0;
  int count = 0;
  for (const ScoredPair& a : pairs)
    for (const ScoredPair& b : pairs)
      if (a.same && !b.same) {
        ++count;
        sum += value(a) > value(b) ? 1 : value(a) == value(b) ? 0.5 : 0;
      }
  return sum / count;
}

}  // namespace reference

std::vector<ScoredPair> random_pairs(unsigned seed, int count, bool with_gaps) {
  std::mt19937 random(seed);
  std::normal_distribution<float> noise(0, 0.15f);
  std::uniform_int_distribution<int> die(0, 9);
  std::vector<ScoredPair> pairs;
  for (int i = 0; i < count; ++i) {
    const bool same = i % 3 == 0;
    // Rounded, so that there are ties.
    const float score =
        std::round(100 * std::clamp((same ? 0.6f : 0.3f) + noise(random), -1.0f, 1.0f)) / 100;
    pairs.push_back({same, score});
    if (with_gaps && die(random) == 0) pairs.back().similarity.reset();
  }
  return pairs;
}

TEST(Metrics, RatesOfASmallTableComputedByHand) {
  const std::vector<ScoredPair> pairs = {{true, 0.9f}, {true, 0.8f},  {false, 0.7f},
                                         {true, 0.6f}, {false, 0.2f}, {false, 0.1f}};
  const Verification result = summarise(pairs, 0.5f);
  EXPECT_EQ(result.pairs, 6);
  EXPECT_EQ(result.without_face, 0);
  EXPECT_DOUBLE_EQ(result.accuracy, 5.0 / 6);
  EXPECT_FLOAT_EQ(result.best_threshold, 0.4f);  // the gap 0.2 … 0.6 is wider than 0.7 … 0.8
  EXPECT_DOUBLE_EQ(result.accuracy_at_shipped_threshold, 5.0 / 6);
  EXPECT_DOUBLE_EQ(*result.auc, 8.0 / 9);  // of 9 combinations only 0.6 < 0.7 is wrong
  EXPECT_DOUBLE_EQ(*result.eer, 1.0 / 3);
  EXPECT_DOUBLE_EQ(*result.tar_at_far_1e_2, 2.0 / 3);
  EXPECT_DOUBLE_EQ(*result.tar_at_far_1e_3, 2.0 / 3);
}

TEST(Metrics, AThresholdAcceptsWhatReachesIt) {
  const std::vector<ScoredPair> pairs = {{true, 0.5f}, {false, 0.49f}};
  EXPECT_EQ(summarise(pairs, 0.5f).accuracy_at_shipped_threshold, 1);
  EXPECT_EQ(summarise(pairs, 0.51f).accuracy_at_shipped_threshold, 0.5);
}

TEST(Metrics, APairWithoutAFaceIsWrongAtEveryThreshold) {
  const std::vector<ScoredPair> pairs = {
      {true, 0.9f}, {true, std::nullopt}, {false, 0.1f}, {false, std::nullopt}};
  for (const float threshold : {-1.0f, 0.0f, 0.5f, 1.0f, 2.0f}) {
    const Verification result = summarise(pairs, threshold);
    EXPECT_EQ(result.without_face, 2);
    EXPECT_EQ(result.accuracy, 0.5);
    EXPECT_LE(result.accuracy_at_shipped_threshold, 0.5);
    EXPECT_EQ(*result.eer, 0.5);
    EXPECT_EQ(*result.tar_at_far_1e_2, 0);  // one of two strangers is always accepted
    EXPECT_EQ(*result.auc, 0.25);
  }
}

TEST(Metrics, RatesEqualTheReferenceOnRandomPairs) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const std::vector<ScoredPair> pairs =
        random_pairs(seed, 20 + 7 * static_cast<int>(seed), seed % 2 == 1);
    const Verification result = summarise(pairs, 0.45f);
    EXPECT_DOUBLE_EQ(result.accuracy, reference::best_accuracy(pairs)) << seed;
    EXPECT_DOUBLE_EQ(reference::accuracy(pairs, result.best_threshold), result.accuracy) << seed;
    EXPECT_DOUBLE_EQ(result.accuracy_at_shipped_threshold, reference::accuracy(pairs, 0.45f))
        << seed;
    EXPECT_NEAR(*result.auc, reference::auc(pairs), 1e-12) << seed;
    EXPECT_DOUBLE_EQ(*result.tar_at_far_1e_2, reference::tar_at(pairs, 1e-2)) << seed;
    EXPECT_DOUBLE_EQ(*result.tar_at_far_1e_3, reference::tar_at(pairs, 1e-3)) << seed;
  }
}

// The rate lies between the errors just before and just after they change places.
TEST(Metrics, TheEqualErrorRateLiesWhereTheErrorsChangePlaces) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    const std::vector<ScoredPair> pairs = random_pairs(seed, 100, seed % 2 == 1);
    double lowest_maximum = 1, highest_minimum = 0;
    for (const float t : reference::thresholds(pairs)) {
      const double accepts = reference::share(pairs, false, t);
      const double rejects = 1 - reference::share(pairs, true, t);
      lowest_maximum = std::min(lowest_maximum, std::max(accepts, rejects));
      highest_minimum = std::max(highest_minimum, std::min(accepts, rejects));
    }
    const double eer = *summarise(pairs, 0.5f).eer;
    EXPECT_LE(eer, lowest_maximum + 1e-12) << seed;
    EXPECT_GE(eer, highest_minimum - 1e-12) << seed;
  }
}

TEST(Metrics, WhatOneKindOfPairsCannotSayIsLeftOut) {
  const std::vector<ScoredPair> pairs = {{true, 0.9f}, {true, 0.2f}};
  const Verification result = summarise(pairs, 0.5f);
  EXPECT_EQ(result.accuracy, 1);
  EXPECT_EQ(result.accuracy_at_shipped_threshold, 0.5);
  EXPECT_FALSE(result.auc || result.eer || result.tar_at_far_1e_2 || result.tar_at_far_1e_3);
}

TEST(Metrics, ProbesAreCountedByWhatTheyAre) {
  const std::vector<Probe> probes = {
      {.known = true, .has_face = true, .nearest_right = true, .accepted = true},
      {.known = true, .has_face = true, .nearest_right = true, .accepted = false},
      {.known = true, .has_face = true, .nearest_right = false, .accepted = true},
      {.known = true, .has_face = false},
      {.known = false, .has_face = true, .nearest_right = false, .accepted = true},
      {.known = false, .has_face = true, .nearest_right = false, .accepted = false},
      {.known = false, .has_face = false},
  };
  const Identification result = summarise(probes);
  EXPECT_EQ(result.known_probes, 4);
  EXPECT_EQ(result.unknown_probes, 3);
  EXPECT_EQ(result.without_face, 2);
  EXPECT_DOUBLE_EQ(*result.rank1, 2.0 / 4);
  EXPECT_DOUBLE_EQ(*result.known_accepted, 1.0 / 4);
  EXPECT_DOUBLE_EQ(*result.unknown_rejected, 1.0 / 3);
  EXPECT_FALSE(summarise(std::vector<Probe>{}).rank1);
}

}  // namespace
}  // namespace sightline
