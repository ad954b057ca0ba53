// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Detectors find the same in outputs of which only the hits are left.
// tests/postprocess/cuda_test.cc looks whether a GPU finds these hits.

#include "postprocess/screening.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdint>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "fixtures.h"
#include "reference_screen.h"
#include "screened_families.h"

namespace sightline {
namespace {

using test::ScreenedFamily;

class Screened : public testing::TestWithParam<ScreenedFamily> {
 protected:
  static std::vector<std::int32_t> shuffled(std::vector<std::vector<std::int32_t>> hits,
                                            std::mt19937& random) {
    std::ranges::shuffle(hits, random);
    std::vector<std::int32_t> words;
    for (const auto& hit : hits) words.insert(words.end(), hit.begin(), hit.end());
    return words;
  }

  static std::vector<Tensor> as_halves(const std::vector<Tensor>& tensors) {
    std::vector<Tensor> halves;
    for (const Tensor& tensor : tensors) halves.push_back(test::as_half(tensor));
    return halves;
  }
};

void expect_equal(const Results& found, const Results& expected) {
  ASSERT_EQ(found.detections.size(), expected.detections.size());
  for (std::size_t i = 0; i < found.detections.size(); ++i) {
    const Detection &a = found.detections[i], &b = expected.detections[i];
    EXPECT_EQ(a.box, b.box) << i;
    EXPECT_EQ(a.confidence, b.confidence) << i;
    EXPECT_EQ(a.class_id, b.class_id) << i;
    EXPECT_EQ(a.row, b.row) << i;
    EXPECT_EQ(a.landmarks, b.landmarks) << i;
    EXPECT_EQ(a.landmark_confidences, b.landmark_confidences) << i;
    EXPECT_EQ(a.corners, b.corners) << i;
  }
}

TEST_P(Screened, HitsAloneGiveWhatTheWholeOutputsGive) {
  const ScreenedFamily& family = GetParam();
  std::mt19937 random(7);
  for (const bool half : {false, true}) {
    std::size_t detections = 0;
    const auto draw = [&] {
      const std::vector<Tensor> outputs = family.random_outputs(random);
      return half ? as_halves(outputs) : outputs;
    };
    const NetworkShape network = test::network_of(family.input, draw());
    const auto postprocessor = test::make(family.config(), network);
    const SparseOutputs sparse(postprocessor->screening(), network);
    ASSERT_FALSE(sparse.screening().empty());
    for (int round = 0; round < 20; ++round) {
      const std::vector<Tensor> outputs = draw();
      const auto hits = reference::hits(sparse.screening(), outputs);
      EXPECT_LT(hits.size(), most_hits(sparse.screening()) / 2);
      const Results expected = postprocessor->decode(outputs);
      expect_equal(postprocessor->decode(sparse.restore(shuffled(hits, random))), expected);
      detections += expected.detections.size();
    }
    EXPECT_GT(detections, 20u);
  }
}

// Thresholds at which a rule that is a little too narrow would lose something.
TEST_P(Screened, AnyThresholdIsUnderstood) {
  ScreenedFamily family = GetParam();
  std::mt19937 random(11);
  for (const char* threshold : {"0", "0.001", "0.5", "1"}) {
    family.keys = std::string("[class-attrs-all]\npre-cluster-threshold = ") + threshold + "\n";
    const NetworkShape network = test::network_of(family.input, family.random_outputs(random));
    const auto postprocessor = test::make(family.config(), network);
    const SparseOutputs sparse(postprocessor->screening(), network);
    const std::vector<Tensor> outputs = family.random_outputs(random);
    const auto hits = reference::hits(sparse.screening(), outputs);
    EXPECT_LE(hits.size(), most_hits(sparse.screening()));
    expect_equal(postprocessor->decode(sparse.restore(shuffled(hits, random))),
                 postprocessor->decode(outputs));
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Screened, testing::ValuesIn(test::screened_families()),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           std::erase_if(name, [](char c) { return std::isalnum(c) == 0; });
                           return name;
                         });

class SparseOutputsTest : public testing::Test {
 protected:
  const NetworkShape network_{
      {64, 48},
      {{"scores", ElementType::kFloat32, {10, 2}}, {"boxes", ElementType::kFloat16, {10, 4}}}};
  const Screening screening_{{10, {0, 1, 2, 1}, {0.5f}, false, {}, {{1, 0, 4, 0, 1, 4}}}};
  static std::int32_t word(float value) { return std::bit_cast<std::int32_t>(value); }
};

TEST_F(SparseOutputsTest, WhatIsNoHitIsNoNumberAlsoInMemoryThatIsUsedAgain) {
  const SparseOutputs sparse(screening_, network_);
  const std::vector<std::int32_t> hit = {3,          0,           word(0.75f), 0,
                                         word(0.5f), word(0.25f), word(2),     word(-1)};
  const std::byte* first = nullptr;
  for (const std::size_t count : {1u, 0u, 1u}) {
    const std::vector<Tensor> tensors = sparse.restore(std::span(hit).first(count * hit.size()));
    if (first == nullptr) first = tensors[0].data;
    EXPECT_EQ(tensors[0].data, first);
    EXPECT_EQ(tensors[1].type, ElementType::kFloat16);
    for (std::size_t i = 0; i < 20; ++i) {
      const float score = tensors[0].floats()[i];
      if (count == 1 && i == 7)
        EXPECT_EQ(score, 0.75f);
      else
        EXPECT_TRUE(std::isnan(score)) << i;
    }
    for (std::size_t i = 0; i < 40; ++i) {
      const float number = reference::number_at(tensors[1], i);
      if (count == 1 && i / 4 == 3)
        EXPECT_EQ(number, std::bit_cast<float>(hit[4 + i % 4]));
      else
        EXPECT_TRUE(std::isnan(number)) << i;
    }
  }
}

TEST_F(SparseOutputsTest, AHitOfNoRowOrClassIsAnError) {
  const SparseOutputs sparse(screening_, network_);
  for (const auto& [row, id] :
       {std::pair(10, 0), std::pair(-1, 0), std::pair(0, 1), std::pair(0, -5)}) {
    std::vector<std::int32_t> hit(words_a_hit(screening_));
    hit[0] = row, hit[1] = id;
    try {
      sparse.restore(hit);
      ADD_FAILURE() << row << ", " << id;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
      EXPECT_THAT(error.what(), testing::HasSubstr("row " + std::to_string(row)));
    }
  }
}

}  // namespace
}  // namespace sightline
