// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/clustering.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr Clustering kNms{ClusterMode::kNms};

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

TEST(Clustering, EqualsTheTextbookOnRandomBoxesWithTies) {
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
    expect_equal(cluster(candidates, limits, kNms), textbook(candidates, limits));
  }
}

TEST(Clustering, ABoxAtTheLimitStaysAndOneAboveItGoes) {
  // Boxes of 2 × 1 that share a unit: IoU 1/3.
  const std::vector<Candidate> pair = {{0.9f, 0, 0, {0, 0, 2, 1}}, {0.8f, 0, 1, {1, 0, 2, 1}}};
  std::vector<ClassLimits> limits(1);
  limits[0].iou_threshold = 1.f / 3;
  EXPECT_EQ(cluster(pair, limits, kNms).size(), 2u);
  limits[0].iou_threshold = 0.33f;
  EXPECT_EQ(cluster(pair, limits, kNms).size(), 1u);
  EXPECT_EQ(cluster(pair, limits, {ClusterMode::kNone}).size(), 2u);
}

TEST(Clustering, ABoxSuppressesThoseOfOtherClassesIfAsked) {
  const std::vector<Candidate> pair = {{0.9f, 0, 0, {0, 0, 2, 2}}, {0.8f, 1, 0, {0, 0, 2, 2}}};
  const std::vector<ClassLimits> limits(2);
  EXPECT_EQ(cluster(pair, limits, kNms).size(), 2u);
  const auto found = cluster(pair, limits, {ClusterMode::kNms, true});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].class_id, 0);
}

bool textbook_alike(const Rect& a, const Rect& b, float eps) {
  const float most = eps * (std::min(a.width, b.width) + std::min(a.height, b.height)) * 0.5f;
  const float edges[] = {a.x - b.x, a.y - b.y, (a.x + a.width) - (b.x + b.width),
                         (a.y + a.height) - (b.y + b.height)};
  return std::all_of(std::begin(edges), std::end(edges),
                     [&](float edge) { return std::abs(edge) <= most; });
}

// The definition, by flooding from each dense box that belongs to no cluster yet. Returns for each
// box its cluster, or -1.
std::vector<int> textbook_dbscan(const std::vector<Candidate>& boxes, const ClassLimits& limits) {
  const auto neighbours_of = [&](std::size_t i) {
    std::vector<std::size_t> neighbours;
    for (std::size_t k = 0; k < boxes.size(); ++k)
      if (textbook_alike(boxes[i].box, boxes[k].box, limits.eps)) neighbours.push_back(k);
    return neighbours;
  };
  const auto is_dense = [&](std::size_t i) {
    float score = 0;
    const auto neighbours = neighbours_of(i);
    for (const std::size_t k : neighbours) score += boxes[k].confidence;
    return static_cast<int>(neighbours.size()) >= limits.min_boxes && score >= limits.min_score;
  };
  std::vector<int> cluster_of(boxes.size(), -1);
  int clusters = 0;
  for (std::size_t seed = 0; seed < boxes.size(); ++seed) {
    if (cluster_of[seed] >= 0 || !is_dense(seed)) continue;
    std::vector<std::size_t> front = {seed};
    cluster_of[seed] = clusters;
    while (!front.empty()) {
      const std::size_t i = front.back();
      front.pop_back();
      for (const std::size_t k : neighbours_of(i))
        if (cluster_of[k] < 0 && is_dense(k)) cluster_of[k] = clusters, front.push_back(k);
    }
    ++clusters;
  }
  // Those at the border go to the first dense one that they are like.
  for (std::size_t i = 0; i < boxes.size(); ++i)
    if (!is_dense(i))
      for (const std::size_t k : neighbours_of(i))
        if (is_dense(k)) {
          cluster_of[i] = cluster_of[k];
          break;
        }
  return cluster_of;
}

TEST(Clustering, DbscanEqualsTheTextbook) {
  std::mt19937 random(5);
  std::size_t several = 0, noise = 0;
  for (int round = 0; round < 200; ++round) {
    std::vector<Candidate> boxes;
    for (int row = 0; row < 60; ++row)
      boxes.push_back(
          {static_cast<float>(1 + random() % 8) / 8, 0, row,
           Rect{static_cast<float>(random() % 60), static_cast<float>(random() % 30),
                static_cast<float>(16 + random() % 8), static_cast<float>(16 + random() % 8)}});
    std::vector<ClassLimits> limits(1);
    limits[0].eps = static_cast<float>(1 + random() % 4) / 8;  // exact, as all distances are
    limits[0].min_boxes = static_cast<int>(random() % 5);
    limits[0].min_score = static_cast<float>(random() % 3) / 2;

    const std::vector<int> cluster_of = textbook_dbscan(boxes, limits[0]);
    const int clusters = *std::ranges::max_element(cluster_of) + 1;
    const auto found = cluster(boxes, limits, {ClusterMode::kDbscan});
    ASSERT_EQ(static_cast<int>(found.size()), clusters) << round;
    for (const Candidate& each : found) {
      const int number = cluster_of[static_cast<std::size_t>(each.row)];
      double weight = 0, left = 0, bottom = 0;
      float best = 0;
      for (std::size_t i = 0; i < boxes.size(); ++i) {
        if (cluster_of[i] != number) continue;
        weight += boxes[i].confidence;
        left += boxes[i].confidence * boxes[i].box.x;
        bottom += boxes[i].confidence * (boxes[i].box.y + boxes[i].box.height);
        best = std::max(best, boxes[i].confidence);
      }
      EXPECT_EQ(each.confidence, best);
      EXPECT_NEAR(each.box.x, left / weight, 1e-4);
      EXPECT_NEAR(each.box.bottom(), bottom / weight, 1e-4);
    }
    several += clusters > 1 ? 1 : 0;
    noise += std::ranges::count(cluster_of, -1) > 0 ? 1 : 0;
  }
  EXPECT_GT(several, 50u);
  EXPECT_GT(noise, 50u);
}

TEST(Clustering, HybridSuppressesClusters) {
  // Two pairs that are too far apart to be one, and overlap by half of their union.
  const std::vector<Candidate> boxes = {{0.9f, 0, 0, {0, 0, 30, 30}},
                                        {0.8f, 0, 1, {1, 0, 30, 30}},
                                        {0.7f, 0, 2, {10, 0, 30, 30}},
                                        {0.6f, 0, 3, {9, 0, 30, 30}}};
  std::vector<ClassLimits> limits(1);
  limits[0].eps = 0.1f;
  limits[0].min_boxes = 2;
  EXPECT_EQ(cluster(boxes, limits, {ClusterMode::kDbscan}).size(), 2u);
  const auto found = cluster(boxes, limits, {ClusterMode::kHybrid});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].row, 0);
}

TEST(Clustering, ManyAlikeTakeNoMoreMemoryThanTheyAre) {
  std::vector<Candidate> boxes(kMostCandidates);
  for (std::size_t i = 0; i < boxes.size(); ++i)
    boxes[i] = {0.5f, 0, static_cast<int>(i), {static_cast<float>(i % 10), 0, 100, 100}};
  std::vector<ClassLimits> limits(1);
  limits[0].eps = 0.5f;
  limits[0].group_threshold = 1;
  for (const ClusterMode mode : {ClusterMode::kDbscan, ClusterMode::kGroupRectangles})
    EXPECT_EQ(cluster(boxes, limits, {mode}).size(), 1u);
}

// Networks say 0 where the threshold is 0, and 1e38 where they are broken.
TEST(Clustering, TheMeanOfWhatIsSureOfNothingOrOfFarTooMuchIsAPlace) {
  std::vector<ClassLimits> limits(1);
  limits[0].eps = 0.5f;
  for (const float confidence : {0.0f, 3e38f}) {
    const std::vector<Candidate> boxes = {{confidence, 0, 0, {10, 20, 100, 50}},
                                          {confidence, 0, 1, {14, 20, 100, 50}}};
    const auto found = cluster(boxes, limits, {ClusterMode::kDbscan});
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].box, (Rect{12, 20, 100, 50}));
  }
}

TEST(Clustering, TheStrongestAreKeptWhenThereAreTooMany) {
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
