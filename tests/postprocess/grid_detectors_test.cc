// SPDX-License-Identifier: LGPL-2.1-or-later
//
// DETR, DetectNet_v2, TensorFlow's SSD, SCRFD and YuNet against decoders that are written to be
// obvious: double precision, every row. Suppression has tests of its own, so it is off here.

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;
using testing::HasSubstr;

// 2e-3 pixels: 1000 times the rounding of a float at 1000 pixels; exponentials multiply it.
constexpr double kPixels = 2e-3;
constexpr double kScore = 1e-6;

struct Expected {
  double left, top, width, height, confidence;
  int class_id, row;
  std::vector<std::pair<double, double>> points = {};
};

void expect_equal(std::vector<Detection> found, std::vector<Expected> expected) {
  ASSERT_EQ(found.size(), expected.size());
  const auto place = [](const auto& each) { return std::pair(each.row, each.class_id); };
  std::ranges::sort(found, {}, place);
  std::ranges::sort(expected, {}, place);
  for (std::size_t i = 0; i < found.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(found[i].row, expected[i].row);
    EXPECT_EQ(found[i].class_id, expected[i].class_id);
    EXPECT_NEAR(found[i].confidence, expected[i].confidence, kScore);
    EXPECT_NEAR(found[i].box.x, expected[i].left, kPixels);
    EXPECT_NEAR(found[i].box.y, expected[i].top, kPixels);
    EXPECT_NEAR(found[i].box.width, expected[i].width, kPixels);
    EXPECT_NEAR(found[i].box.height, expected[i].height, kPixels);
    ASSERT_EQ(found[i].landmarks.size(), expected[i].points.size());
    for (std::size_t k = 0; k < expected[i].points.size(); ++k) {
      EXPECT_NEAR(found[i].landmarks[k].x, expected[i].points[k].first, kPixels);
      EXPECT_NEAR(found[i].landmarks[k].y, expected[i].points[k].second, kPixels);
    }
  }
}

std::vector<Detection> decode(const std::string& family, Size input,
                              const std::vector<Tensor>& outputs, const std::string& keys = "") {
  return make("[property]\ncluster-mode=none\nmodel-family=" + family + "\n" + keys +
                  "[class-attrs-all]\npre-cluster-threshold=0.6\n",
              network_of(input, outputs))
      ->decode(outputs)
      .detections;
}

void refuse(const std::string& family, const std::vector<std::pair<std::string, Shape>>& outputs) {
  NetworkShape network{{64, 32}, {}};
  for (const auto& [name, shape] : outputs)
    network.outputs.push_back({name, ElementType::kFloat32, shape});
  EXPECT_THAT(
      complaint("[property]\nnum-detected-classes=1\nmodel-family=" + family + "\n", network),
      HasSubstr("the network does not fit"))
      << family;
}

// --- DETR

TEST(Detr, EqualsTheReferenceBeforeAndAfterTheSigmoid) {
  constexpr std::size_t kQueries = 300, kClasses = 7;
  std::mt19937 random(4);
  std::vector<float> logits = random_numbers(random, kQueries * kClasses, -6, 3);
  const std::vector<float> boxes = random_numbers(random, kQueries * 4, 0, 1);
  logits[3] = kNan;
  std::vector<float> joined;
  std::vector<Expected> expected;
  for (std::size_t query = 0; query < kQueries; ++query) {
    const float* box = &boxes[4 * query];
    joined.insert(joined.end(), box, box + 4);
    for (std::size_t id = 0; id < kClasses; ++id) {
      const double score = 1 / (1 + std::exp(-double{logits[query * kClasses + id]}));
      joined.push_back(static_cast<float>(score));
      if (!(score >= 0.6f)) continue;
      ASSERT_GT(score - 0.6f, kScore) << "too near to say";
      expected.push_back({(box[0] - box[2] / 2.0) * 640, (box[1] - box[3] / 2.0) * 480,
                          box[2] * 640.0, box[3] * 480.0, score, static_cast<int>(id),
                          static_cast<int>(query)});
    }
  }
  ASSERT_GT(expected.size(), 100u);
  const Tensor scores = Tensor::copy_of("logits", {kQueries, kClasses}, logits);
  const Tensor places = Tensor::copy_of("pred_boxes", {kQueries, 4}, boxes);
  expect_equal(decode("rt-detr", {640, 480}, {scores, places}), expected);
  expect_equal(decode("d-fine", {640, 480}, {places, scores}), expected);
  expect_equal(
      decode("rt-detr", {640, 480}, {Tensor::copy_of("output0", {kQueries, 4 + kClasses}, joined)}),
      expected);
}

TEST(Detr, OfTwoTablesOfFourColumnsTheNameTells) {
  const Tensor boxes = Tensor::copy_of("boxes", {1, 4}, std::vector<float>{0.5f, 0.5f, 1, 1});
  const Tensor logits = Tensor::copy_of("logits", {1, 4}, std::vector<float>{-9, -9, -9, 9});
  for (const auto& outputs : {std::vector{boxes, logits}, std::vector{logits, boxes}}) {
    const auto found = decode("rt-detr", {64, 32}, outputs);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].class_id, 3);
    EXPECT_EQ(found[0].box, (Rect{0, 0, 64, 32}));
  }
}

TEST(Detr, AnyThresholdIsUnderstood) {
  const std::vector<Tensor> outputs = {
      Tensor::copy_of("logits", {2, 1}, std::vector<float>{200, -200}),
      Tensor::copy_of("boxes", {2, 4}, std::vector<float>{0.5f, 0.5f, 1, 1, 0.5f, 0.5f, 1, 1})};
  const auto count = [&](const std::string& threshold) {
    return make("[property]\nmodel-family=rt-detr\n[class-attrs-all]\npre-cluster-threshold=" +
                    threshold + "\n",
                network_of({64, 32}, outputs))
        ->decode(outputs)
        .detections.size();
  };
  EXPECT_EQ(count("0"), 2u);
  EXPECT_EQ(count("0.5"), 1u);
  EXPECT_EQ(count("1"), 1u);
}

// --- DetectNet_v2

TEST(DetectNet, EqualsTheReference) {
  constexpr std::size_t kClasses = 3, kHeight = 34, kWidth = 60, kCells = kHeight * kWidth;
  std::mt19937 random(6);
  const std::vector<float> coverage = random_numbers(random, kClasses * kCells, -0.2f, 1);
  const std::vector<float> boxes = random_numbers(random, 4 * kClasses * kCells, -0.2f, 4);
  std::vector<Expected> expected;
  for (std::size_t id = 0; id < kClasses; ++id)
    for (std::size_t y = 0; y < kHeight; ++y)
      for (std::size_t x = 0; x < kWidth; ++x) {
        const std::size_t cell = y * kWidth + x;
        const float score = coverage[id * kCells + cell];
        if (score < 0.6f) continue;
        // As published: centres and offsets are divided by 35.
        const double cx = (static_cast<double>(x) * 16 + 0.5) / 35,
                     cy = (static_cast<double>(y) * 16 + 0.5) / 35;
        const auto edge = [&](std::size_t i) {
          return double{boxes[(4 * id + i) * kCells + cell]};
        };
        const double left = (edge(0) - cx) * -35, top = (edge(1) - cy) * -35;
        const double right = (edge(2) + cx) * 35, bottom = (edge(3) + cy) * 35;
        if (right <= left || bottom <= top) continue;
        expected.push_back({left, top, right - left, bottom - top, score, static_cast<int>(id),
                            static_cast<int>(id * kCells + cell)});
      }
  ASSERT_GT(expected.size(), 500u);
  const Tensor cov = Tensor::copy_of("output_cov", {kClasses, kHeight, kWidth}, coverage);
  const Tensor bbox = Tensor::copy_of("output_bbox", {4 * kClasses, kHeight, kWidth}, boxes);
  expect_equal(decode("detectnet-v2", {960, 544}, {cov, bbox}), expected);
  expect_equal(decode("detectnet-v2", {960, 544}, {bbox, cov}), expected);
}

// --- SSD

TEST(TensorFlowSsd, EqualsTheReference) {
  const std::vector<Tensor> outputs = {
      Tensor::copy_of(
          "detection_boxes", {4, 4},
          std::vector<float>{0.1f, 0.2f, 0.5f, 0.6f, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 0, 0}),
      Tensor::copy_of("detection_classes", {4}, std::vector<float>{2, 3, 0, 1}),
      Tensor::copy_of("detection_scores", {4}, std::vector<float>{0.9f, 0.8f, 0.7f, 0}),
      Tensor::copy_of("num_detections", {}, std::vector<float>{3})};
  expect_equal(decode("tf-ssd", {300, 200}, outputs, "num-detected-classes=2\n"),
               {{60, 20, 120, 80, 0.9, 1, 0}});
  EXPECT_EQ(decode("tf-ssd", {300, 200}, outputs, "labels=person;bicycle;car\n").size(), 2u);
}

// --- SCRFD and YuNet

TEST(Scrfd, EqualsTheReference) {
  constexpr int kWidth = 96, kHeight = 70;  // no multiple of the strides
  std::mt19937 random(8);
  std::vector<Tensor> outputs;
  std::vector<Expected> expected;
  int first = 0;
  for (const int stride : {8, 16, 32}) {
    const int across = (kWidth + stride - 1) / stride, down = (kHeight + stride - 1) / stride;
    const auto rows = static_cast<std::size_t>(2 * across * down);
    const auto scores = random_numbers(random, rows, 0, 1);
    const auto boxes = random_numbers(random, rows * 4, -0.5f, 3);
    const auto points = random_numbers(random, rows * 10, -2, 2);
    for (std::size_t row = 0; row < rows; ++row) {
      const int cell = static_cast<int>(row) / 2;
      const double x = cell % across * stride, y = cell / across * stride;
      const float* d = &boxes[4 * row];
      if (scores[row] < 0.6f || d[0] + d[2] <= 0 || d[1] + d[3] <= 0) continue;
      Expected face{x - d[0] * stride,
                    y - d[1] * stride,
                    (double{d[0]} + d[2]) * stride,
                    (double{d[1]} + d[3]) * stride,
                    scores[row],
                    0,
                    first + static_cast<int>(row)};
      for (std::size_t i = 0; i < 5; ++i)
        face.points.emplace_back(x + points[10 * row + 2 * i] * stride,
                                 y + points[10 * row + 2 * i + 1] * stride);
      expected.push_back(face);
    }
    const auto n = static_cast<std::int64_t>(rows);
    outputs.push_back(Tensor::copy_of("kps_" + std::to_string(stride), {n, 10}, points));
    outputs.push_back(Tensor::copy_of("bbox_" + std::to_string(stride), {n, 4}, boxes));
    outputs.push_back(Tensor::copy_of("score_" + std::to_string(stride), {n, 1}, scores));
    first += static_cast<int>(rows);
  }
  ASSERT_GT(expected.size(), 50u);
  expect_equal(decode("scrfd", {kWidth, kHeight}, outputs), expected);
}

TEST(YuNet, EqualsTheReference) {
  constexpr int kWidth = 96, kHeight = 64;
  std::mt19937 random(9);
  std::vector<Tensor> outputs;
  std::vector<Expected> expected;
  int first = 0;
  for (const int stride : {8, 16, 32}) {
    const int across = kWidth / stride, down = kHeight / stride;
    const auto rows = static_cast<std::size_t>(across * down);
    const auto classes = random_numbers(random, rows, 0.2f, 1.1f);
    const auto objects = random_numbers(random, rows, 0.2f, 1.1f);
    const auto boxes = random_numbers(random, rows * 4, -1, 2);
    const auto points = random_numbers(random, rows * 10, -2, 2);
    for (std::size_t row = 0; row < rows; ++row) {
      const double x = static_cast<int>(row) % across, y = static_cast<int>(row) / across;
      const double score =
          std::sqrt(std::min(double{classes[row]}, 1.0) * std::min(double{objects[row]}, 1.0));
      const float* d = &boxes[4 * row];
      if (score < 0.6f) continue;
      const double width = std::exp(double{d[2]}) * stride,
                   height = std::exp(double{d[3]}) * stride;
      Expected face{(x + d[0]) * stride - width / 2,
                    (y + d[1]) * stride - height / 2,
                    width,
                    height,
                    score,
                    0,
                    first + static_cast<int>(row)};
      for (std::size_t i = 0; i < 5; ++i)
        face.points.emplace_back((x + points[10 * row + 2 * i]) * stride,
                                 (y + points[10 * row + 2 * i + 1]) * stride);
      expected.push_back(face);
    }
    const auto n = static_cast<std::int64_t>(rows);
    const std::string number = std::to_string(stride);
    // Two of a kind by shape, so the names tell.
    outputs.push_back(Tensor::copy_of("obj_" + number, {n, 1}, objects));
    outputs.push_back(Tensor::copy_of("cls_" + number, {n, 1}, classes));
    outputs.push_back(Tensor::copy_of("bbox_" + number, {n, 4}, boxes));
    outputs.push_back(Tensor::copy_of("kps_" + number, {n, 10}, points));
    first += static_cast<int>(rows);
  }
  ASSERT_GT(expected.size(), 30u);
  expect_equal(decode("yunet", {kWidth, kHeight}, outputs), expected);
}

TEST(GridFamilies, ANetworkThatDoesNotFitIsRefused) {
  refuse("rt-detr", {});
  refuse("rt-detr", {{"a", {300, 4}}});
  refuse("rt-detr", {{"a", {300, 80}}, {"b", {299, 4}}});
  refuse("rt-detr", {{"a", {-1, 80}}, {"b", {-1, 4}}});
  refuse("detectnet-v2", {{"a", {3, 4, 4}}});
  refuse("detectnet-v2", {{"a", {3, 4, 4}}, {"b", {11, 4, 4}}});
  refuse("detectnet-v2", {{"a", {0, 4, 4}}, {"b", {0, 4, 4}}});
  refuse("tf-ssd", {{"boxes", {9, 4}}, {"scores", {9}}});
  refuse("tf-ssd", {{"boxes", {9, 4}}, {"scores", {9}}, {"classes", {8}}});
  refuse("scrfd", {{"score", {64, 1}}});
  refuse("yunet", {{"cls", {32, 1}}, {"obj", {32, 1}}, {"bbox", {32, 4}}, {"kps", {32, 10}}});
}

}  // namespace
}  // namespace sightline
