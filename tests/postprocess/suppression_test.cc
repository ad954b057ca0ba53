// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/suppression.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace sightline {
namespace {

// Whole-number coordinates, so that areas are exact and both sides divide the same two numbers.
float textbook_iou(const Rect& a, const Rect& b) {
  const float width = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
  const float height = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const float shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

// The definition: take the best that is left, strike out what overlaps it, repeat.
std::vector<Candidate> textbook(std::vector<Candidate> left, std::span<const ClassLimits> limits) {
  std::vector<Candidate> taken;
  std::vector<int> taken_of_class(limits.size());
  while (!left.empty()) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < left.size(); ++i) {
      const Candidate &a = left[i], &b = left[best];
      if (a.confidence != b.confidence ? a.confidence > b.confidence
          : a.row != b.row             ? a.row < b.row
                                       : a.class_id < b.class_id)
        best = i;
    }
    const Candidate winner = left[best];
    const ClassLimits& limit = limits[static_cast<std::size_t>(winner.class_id)];
    std::vector<Candidate> remaining;
    for (std::size_t i = 0; i < left.size(); ++i)
      if (i != best && !(left[i].class_id == winner.class_id &&
                         textbook_iou(left[i].box, winner.box) > limit.iou_threshold))
        remaining.push_back(left[i]);
    left = remaining;
    int& count = taken_of_class[static_cast<std::size_t>(winner.class_id)];
    if (winner.confidence < limit.post_threshold) continue;
    if (limit.topk >= 0 && count >= limit.topk) continue;
    ++count;
    taken.push_back(winner);
  }
  return taken;
}

void expect_equal(const std::vector<Candidate>& found, const std::vector<Candidate>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].row, expected[i].row) << i;
    EXPECT_EQ(found[i].class_id, expected[i].class_id) << i;
    EXPECT_EQ(found[i].box, expected[i].box) << i;
  }
}

TEST(Suppression, EqualsTheTextbookOnRandomBoxesWithTies) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Candidate> candidates;
    const int count = static_cast<int>(random() % 120);
    for (int row = 0; row < count; ++row)
      candidates.push_back(
          {static_cast<float>(random() % 8) / 8, static_cast<int>(random() % 3), row,
           Rect{static_cast<float>(random() % 40), static_cast<float>(random() % 40),
                static_cast<float>(1 + random() % 20), static_cast<float>(1 + random() % 20)}});
    std::shuffle(candidates.begin(), candidates.end(), random);
    std::vector<ClassLimits> limits(3);
    for (ClassLimits& limit : limits) {
      limit.iou_threshold = static_cast<float>(random() % 10) / 10;
      limit.post_threshold = static_cast<float>(random() % 4) / 8;
      limit.topk = static_cast<int>(random() % 12) - 1;
    }
    expect_equal(suppress(candidates, limits, ClusterMode::kNms), textbook(candidates, limits));
  }
}

TEST(Suppression, ABoxAtTheLimitStaysAndOneAboveItGoes) {
  // Boxes of 2 × 1 that share a unit: IoU 1/3.
  const std::vector<Candidate> pair = {{0.9f, 0, 0, {0, 0, 2, 1}}, {0.8f, 0, 1, {1, 0, 2, 1}}};
  std::vector<ClassLimits> limits(1);
  limits[0].iou_threshold = 1.f / 3;
  EXPECT_EQ(suppress(pair, limits, ClusterMode::kNms).size(), 2u);
  limits[0].iou_threshold = 0.33f;
  EXPECT_EQ(suppress(pair, limits, ClusterMode::kNms).size(), 1u);
  EXPECT_EQ(suppress(pair, limits, ClusterMode::kNone).size(), 2u);
}

TEST(Suppression, TheStrongestAreKeptWhenThereAreTooMany) {
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < kMostCandidates + 500; ++i)
    candidates.push_back({static_cast<float>(i % 97) / 97, 0, static_cast<int>(i), {0, 0, 1, 1}});
  std::vector<Candidate> expected = candidates;
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.confidence > b.confidence; });
  expected.resize(kMostCandidates);

  keep_strongest(candidates);
  const auto by_row = [](const auto& a, const auto& b) { return a.row < b.row; };
  std::sort(candidates.begin(), candidates.end(), by_row);
  std::sort(expected.begin(), expected.end(), by_row);
  expect_equal(candidates, expected);
}

}  // namespace
}  // namespace sightline
