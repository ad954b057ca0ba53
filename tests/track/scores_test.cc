// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/scores.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace sightline::testing {
namespace {

struct Example {
  std::vector<int> truth, result;
  std::vector<std::vector<double>> similarity;
};

ComparedSequence sequence_of(const std::vector<Example>& examples, int objects, int tracks) {
  ComparedSequence sequence;
  sequence.truth_identities = objects;
  sequence.result_identities = tracks;
  for (const Example& example : examples) {
    WeightMatrix matrix(example.truth.size(), example.result.size());
    for (std::size_t r = 0; r < matrix.rows(); ++r)
      for (std::size_t c = 0; c < matrix.columns(); ++c) matrix(r, c) = example.similarity[r][c];
    sequence.frames.push_back({example.truth, example.result, matrix});
  }
  return sequence;
}

// The worked example of py-motmetrics' Readme ("Populating the accumulator" to "Computing
// metrics"), whose distances are 1 - similarity; NaN there is a pair that must not be made, 0 here.
// Every other pair may be made, so the threshold is 0. Their objects 1, 2 and hypotheses 1, 2, 3
// count from 0.
const std::vector<Example> kMotmetrics = {
    {{0, 1}, {0, 1, 2}, {{0.9, 0, 0.7}, {0.5, 0.8, 0.7}}},
    {{0, 1}, {0}, {{0.8}, {0.6}}},
    {{0, 1}, {0, 2}, {{0.4, 0.8}, {0.9, 0.4}}},
};

// "full 83.3% 83.3% 83.3% 83.3% 83.3%  2  1  1  0  1  1   1   1 50.0% 0.340"
TEST(Scores, AgreeWithTheExampleOfMotmetrics) {
  const auto sequence = sequence_of(kMotmetrics, 2, 3);
  const ClearMot clear = clear_mot(sequence, 0);
  EXPECT_NEAR(clear.mota, 0.5, 1e-12);
  EXPECT_NEAR(1 - clear.motp, 0.34, 1e-12);
  EXPECT_NEAR(clear.recall, 0.833, 5e-4);
  EXPECT_NEAR(clear.precision, 0.833, 5e-4);
  EXPECT_EQ(clear.mostly_tracked, 1);
  EXPECT_EQ(clear.partially_tracked, 1);
  EXPECT_EQ(clear.mostly_lost, 0);
  EXPECT_EQ(clear.false_positives, 1u);
  EXPECT_EQ(clear.misses, 1u);
  EXPECT_EQ(clear.identity_switches, 1u);
  EXPECT_EQ(clear.fragmentations, 1u);
  const IdentityScores identity = identity_scores(sequence, 0);
  EXPECT_NEAR(identity.idf1, 0.833, 5e-4);
  EXPECT_NEAR(identity.precision, 0.833, 5e-4);
  EXPECT_NEAR(identity.recall, 0.833, 5e-4);
}

// "part 75.0% 75.0% 75.0% 75.0% 75.0%  2  1  1  0  1  1   0   0 50.0% 0.167": the first two frames.
TEST(Scores, AgreeWithTheFirstPartOfThatExample) {
  const auto sequence = sequence_of({kMotmetrics[0], kMotmetrics[1]}, 2, 3);
  const ClearMot clear = clear_mot(sequence, 0);
  EXPECT_NEAR(clear.mota, 0.5, 1e-12);
  EXPECT_NEAR(1 - clear.motp, 0.167, 5e-4);
  EXPECT_NEAR(clear.recall, 0.75, 1e-12);
  EXPECT_EQ(clear.identity_switches, 0u);
  EXPECT_EQ(clear.fragmentations, 0u);
  EXPECT_NEAR(identity_scores(sequence, 0).idf1, 0.75, 1e-12);
}

LabelledBox square(std::int64_t identity, float x) { return {identity, {x, 0, 10, 10}}; }

// From the definitions of Luiten et al. 2020 (equations 2 to 6): of an object seen in two frames
// only the first is found. DetA = 1 / (1 + 1), AssA = TPA / (TPA + FNA + FPA) = 1 / (1 + 1). Other
// implementations' tests hold the same figures (evaldet, test_hyp_missing_frame).
TEST(Scores, HotaOfAMissedFrameIsAHalf) {
  const std::vector<std::vector<LabelledBox>> truth = {{square(1, 0)}, {square(1, 0)}},
                                              result = {{square(5, 0)}, {}};
  const Hota score = hota(compare(truth, result));
  EXPECT_DOUBLE_EQ(score.detection, 0.5);
  EXPECT_DOUBLE_EQ(score.association, 0.5);
  EXPECT_DOUBLE_EQ(score.hota, 0.5);
  EXPECT_DOUBLE_EQ(score.localisation, 1);
  ASSERT_EQ(score.by_alpha.size(), 19u);
  EXPECT_NEAR(score.by_alpha[0].alpha, 0.05, 1e-12);
  EXPECT_NEAR(score.by_alpha[18].alpha, 0.95, 1e-12);
}

// The paper's argument (its figure 1, section 4): one object is found in every frame, but by n
// tracks after each other. MOTA hardly minds, IDF1 sees the longest only, HOTA is the root of the
// mean Jaccard of its parts, here 1/n.
TEST(Scores, MetricsSeeABrokenTrackAsThePaperSays) {
  constexpr int kFrames = 100, kParts = 4;
  std::vector<std::vector<LabelledBox>> truth, result;
  for (int i = 0; i < kFrames; ++i) {
    truth.push_back({square(1, 0)});
    result.push_back({square(i / (kFrames / kParts), 0)});
  }
  const auto sequence = compare(truth, result);
  EXPECT_NEAR(clear_mot(sequence).mota, 0.97, 1e-12);
  EXPECT_NEAR(identity_scores(sequence).idf1, 0.25, 1e-12);
  EXPECT_NEAR(hota(sequence).detection, 1, 1e-12);
  EXPECT_NEAR(hota(sequence).association, 0.25, 1e-12);
  EXPECT_NEAR(hota(sequence).hota, 0.5, 1e-12);
}

TEST(Scores, HotaCountsEachThresholdByItself) {
  // Intersection over union 8 / 12 = 0.667: found at 13 of the 19 thresholds.
  const std::vector<std::vector<LabelledBox>> truth = {{square(1, 0)}}, result = {{square(1, 2)}};
  const Hota score = hota(compare(truth, result));
  EXPECT_NEAR(score.hota, 13.0 / 19, 1e-12);
  EXPECT_NEAR(score.detection, 13.0 / 19, 1e-12);
}

TEST(Scores, PerfectIsOneAndNothingIsNought) {
  const std::vector<std::vector<LabelledBox>> boxes(5, {square(1, 0), square(2, 50)}), none(5);
  const auto perfect = compare(boxes, boxes), missed = compare(boxes, none),
             invented = compare(none, boxes), empty = compare(none, none);
  EXPECT_DOUBLE_EQ(clear_mot(perfect).mota, 1);
  EXPECT_DOUBLE_EQ(identity_scores(perfect).idf1, 1);
  EXPECT_NEAR(hota(perfect).hota, 1, 1e-12);
  EXPECT_DOUBLE_EQ(clear_mot(missed).mota, 0);
  EXPECT_EQ(clear_mot(missed).mostly_lost, 2);
  EXPECT_DOUBLE_EQ(clear_mot(invented).mota, -9);  // per object, of which there are none
  for (const auto* sequence : {&missed, &invented, &empty}) {
    EXPECT_DOUBLE_EQ(identity_scores(*sequence).idf1, 0);
    EXPECT_DOUBLE_EQ(hota(*sequence).hota, 0);
  }
}

// Slow references: HOTA from the definition, at one threshold, for matches that are beyond doubt;
// IDF1 by trying every way to give objects their tracks.
struct Reference {
  double hota, idf1;
};
Reference by_definition(const std::vector<std::vector<LabelledBox>>& truth,
                        const std::vector<std::vector<LabelledBox>>& result, int identities) {
  std::map<std::pair<std::int64_t, std::int64_t>, double> pairs;
  std::map<std::int64_t, double> objects, tracks;
  double matched = 0, all = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    for (const LabelledBox& t : truth[i]) ++objects[t.identity];
    for (const LabelledBox& r : result[i]) ++tracks[r.identity];
    all += static_cast<double>(truth[i].size() + result[i].size());
    for (const LabelledBox& t : truth[i])
      for (const LabelledBox& r : result[i])
        if (t.box == r.box) {
          ++pairs[{t.identity, r.identity}];
          ++matched;
        }
  }
  double association = 0;  // each match has the Jaccard of its object and track
  for (const auto& [pair, count] : pairs)
    association += count * count / (objects[pair.first] + tracks[pair.second] - count);
  std::vector<int> track_of(static_cast<std::size_t>(identities));
  std::iota(track_of.begin(), track_of.end(), 0);
  double shared = 0;
  do {
    double sum = 0;
    for (int object = 0; object < identities; ++object)
      if (const auto found = pairs.find({object, track_of[static_cast<std::size_t>(object)]});
          found != pairs.end())
        sum += found->second;
    shared = std::max(shared, sum);
  } while (std::next_permutation(track_of.begin(), track_of.end()));
  const double detection = matched / (all - matched);
  return {std::sqrt(detection * association / std::max(1.0, matched)), 2 * shared / all};
}

TEST(Scores, AgreeWithTheirDefinitions) {
  std::mt19937 random(11);
  constexpr int kIdentities = 5;
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<LabelledBox>> truth(30), result(30);
    std::vector<int> track_of(kIdentities);
    std::iota(track_of.begin(), track_of.end(), 0);
    for (std::size_t i = 0; i < truth.size(); ++i) {
      if (random() % 6 == 0)
        std::swap(track_of[random() % kIdentities], track_of[random() % kIdentities]);
      for (int object = 0; object < kIdentities; ++object) {
        const float place = 100.0f * static_cast<float>(object);  // no box overlaps another's
        if (random() % 5 != 0) truth[i].push_back(square(object, place));
        if (random() % 5 != 0)
          result[i].push_back(square(track_of[static_cast<std::size_t>(object)], place));
      }
    }
    const Reference slow = by_definition(truth, result, kIdentities);
    const auto sequence = compare(truth, result);
    EXPECT_NEAR(hota(sequence).hota, slow.hota, 1e-9) << round;
    EXPECT_NEAR(identity_scores(sequence).idf1, slow.idf1, 1e-9) << round;
  }
}

}  // namespace
}  // namespace sightline::testing
