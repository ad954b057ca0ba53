// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The YOLO families against decoders that are written to be obvious: double precision, every row.
// Suppression has tests of its own, so it is off here (cluster-mode = none).

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;
using testing::HasSubstr;

// 1e-3 pixels: 500 times the rounding of a float at 1000 pixels.
constexpr double kPixels = 1e-3;

struct Expected {
  double left, top, width, height, confidence;
  int class_id, row;
};

void expect_equal(std::vector<Detection> found, std::vector<Expected> expected) {
  ASSERT_EQ(found.size(), expected.size());
  std::ranges::sort(found, {}, &Detection::row);
  for (std::size_t i = 0; i < found.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(found[i].row, expected[i].row);
    EXPECT_EQ(found[i].class_id, expected[i].class_id);
    EXPECT_NEAR(found[i].confidence, expected[i].confidence, 1e-6);
    EXPECT_NEAR(found[i].box.x, expected[i].left, kPixels);
    EXPECT_NEAR(found[i].box.y, expected[i].top, kPixels);
    EXPECT_NEAR(found[i].box.width, expected[i].width, kPixels);
    EXPECT_NEAR(found[i].box.height, expected[i].height, kPixels);
  }
}

// [n, columns] to [columns, n].
std::vector<float> transposed(const std::vector<float>& rows, std::size_t columns) {
  const std::size_t n = rows.size() / columns;
  std::vector<float> result(rows.size());
  for (std::size_t row = 0; row < n; ++row)
    for (std::size_t column = 0; column < columns; ++column)
      result[column * n + row] = rows[row * columns + column];
  return result;
}

std::vector<Tensor> table(std::size_t n, std::size_t columns, const std::vector<float>& values,
                          bool by_column) {
  const auto rows = static_cast<std::int64_t>(n), width = static_cast<std::int64_t>(columns);
  return {by_column ? Tensor::copy_of("output0", {width, rows}, transposed(values, columns))
                    : Tensor::copy_of("output0", {rows, width}, values)};
}

// Boxes of some sense, and scores of which few are high, as networks give them.
std::vector<float> random_table(std::mt19937& random, std::size_t n, std::size_t columns) {
  const double power = columns < 20 ? 6 : 60;
  std::vector<float> values = random_numbers(random, n * columns, 0, 1);
  for (std::size_t row = 0; row < n; ++row) {
    for (std::size_t column = 0; column < 4; ++column)
      values[row * columns + column] = 5 + 600 * values[row * columns + column];
    for (std::size_t column = 4; column < columns; ++column) {
      float& score = values[row * columns + column];
      score = static_cast<float>(std::pow(score, power));
    }
  }
  return values;
}

constexpr const char* kText =
    "[property]\ncluster-mode=none\n[class-attrs-all]\npre-cluster-threshold=0.6\n"
    "[class-attrs-1]\npre-cluster-threshold=0.9\n";

std::string with_family(const std::string& family) {
  std::string text = kText;
  return text.insert(text.find('\n') + 1, "model-family=" + family + "\n");
}

double threshold_of(int class_id) { return class_id == 1 ? 0.9f : 0.6f; }

class Yolo : public testing::TestWithParam<bool> {};  // by column

TEST_P(Yolo, V8EqualsTheReference) {
  for (const std::size_t classes : {2u, 3u, 80u})
    for (const std::size_t n : {97u, 1000u, 8400u}) {
      const std::size_t columns = 4 + classes;
      if (n <= columns) continue;
      std::mt19937 random(static_cast<unsigned>(n + classes));
      std::vector<float> values = random_table(random, n, columns);
      values[7 * columns + 4] = kNan;       // another class may still be found
      values[8 * columns + 5] = kInfinity;  // an absurd score is none
      values[9 * columns + 1] = kNan;       // a box that is none
      std::vector<Expected> expected;
      for (std::size_t row = 0; row < n; ++row) {
        const float* numbers = &values[row * columns];
        std::size_t best = 0;
        double score = -1;
        for (std::size_t id = 0; id < classes; ++id)
          if (numbers[4 + id] > score) score = numbers[4 + id], best = id;
        if (score < threshold_of(static_cast<int>(best)) || std::isinf(score) ||
            std::isnan(numbers[1]))
          continue;
        expected.push_back({numbers[0] - numbers[2] / 2.0, numbers[1] - numbers[3] / 2.0,
                            numbers[2], numbers[3], score, static_cast<int>(best),
                            static_cast<int>(row)});
      }
      ASSERT_GT(expected.size(), 2u);
      ASSERT_LT(expected.size(), 8192u);  // else the cut-off would hide some
      const auto outputs = table(n, columns, values, GetParam());
      expect_equal(
          make(with_family("yolov8"), network_of({640, 640}, outputs))->decode(outputs).detections,
          expected);
    }
}

TEST_P(Yolo, V5EqualsTheReference) {
  constexpr std::size_t kClasses = 3, kColumns = 5 + kClasses, kRows = 6300;
  std::mt19937 random(2);
  std::vector<float> values = random_table(random, kRows, kColumns);
  for (std::size_t row = 0; row < kRows; ++row)  // else products would hardly ever be high
    for (std::size_t column = 4; column < kColumns; ++column)
      values[row * kColumns + column] = std::cbrt(values[row * kColumns + column]);
  values[4] = kNan;
  std::vector<Expected> expected;
  for (std::size_t row = 0; row < kRows; ++row) {
    const float* numbers = &values[row * kColumns];
    const auto best = std::max_element(numbers + 5, numbers + kColumns) - (numbers + 5);
    const double confidence = double{numbers[4]} * numbers[5 + best];
    // What is as near as this to the threshold is rounded one way or the other.
    if (std::isnan(confidence)) continue;
    ASSERT_GT(std::abs(confidence - threshold_of(static_cast<int>(best))), 1e-7);
    if (confidence >= threshold_of(static_cast<int>(best)))
      expected.push_back({numbers[0] - numbers[2] / 2.0, numbers[1] - numbers[3] / 2.0, numbers[2],
                          numbers[3], confidence, static_cast<int>(best), static_cast<int>(row)});
  }
  ASSERT_GT(expected.size(), 20u);
  const auto outputs = table(kRows, kColumns, values, GetParam());
  expect_equal(
      make(with_family("yolov5"), network_of({640, 640}, outputs))->decode(outputs).detections,
      expected);
}

INSTANTIATE_TEST_SUITE_P(ByColumn, Yolo, testing::Bool());

TEST(Yolo10, EqualsTheReference) {
  const std::vector<float> values = {
      10, 20, 110, 220, 0.9f, 2,                              // found
      10, 20, 110, 220, 0.9f, 3,                              // no such class
      10, 20, 110, 220, 0.9f, -1,                             // nor this one
      10, 20, 110, 220, 0.7f, 1,                              // less than its class asks for
      10, 20, 110, 220, kNan, 0,                              //
      10, 20, 110, 220, 0.8f, kNan, 50, 60, 40, 80, 0.8f, 0,  // not a box
      30, 20, 110, 220, 0.8f, 0,                              // found, though it overlaps
      31, 20, 110, 220, 0.8f, 0,                              // nobody suppresses
  };
  const std::vector<Tensor> outputs = {Tensor::copy_of("output0", {9, 6}, values)};
  const std::string text =
      "[property]\nmodel-family=yolov10\nnum-detected-classes=3\n"
      "[class-attrs-all]\npre-cluster-threshold=0.6\n[class-attrs-1]\npre-cluster-threshold=0.9\n";
  expect_equal(
      make(text, network_of({640, 640}, outputs))->decode(outputs).detections,
      {{10, 20, 100, 200, 0.9, 2, 0}, {30, 20, 80, 200, 0.8, 0, 7}, {31, 20, 79, 200, 0.8, 0, 8}});
}

TEST(Yolo10, LabelsSayHowManyClassesThereAre) {
  const std::vector<Tensor> outputs = {
      Tensor::copy_of("output0", {1, 6}, std::vector<float>{0, 0, 9, 9, 1, 1})};
  const NetworkShape network = network_of({640, 640}, outputs);
  const auto found = make("[property]\nmodel-family=yolo26\nlabels=cat;dog\n", network)
                         ->decode(outputs)
                         .detections;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].label, "dog");
  EXPECT_THAT(complaint("[property]\nmodel-family=yolo26\n", network),
              HasSubstr("set num-detected-classes or labels"));
}

TEST(YoloFamilies, ANetworkThatDoesNotFitIsRefused) {
  const auto refuse = [](const std::string& family, const std::vector<Shape>& shapes) {
    NetworkShape network{{640, 640}, {}};
    for (const Shape& shape : shapes)
      network.outputs.push_back({"output", ElementType::kFloat32, shape});
    EXPECT_THAT(
        complaint("[property]\nnum-detected-classes=1\nmodel-family=" + family + "\n", network),
        HasSubstr("the network does not fit"))
        << family;
  };
  for (const char* family : {"yolov8", "yolov5", "yolov10"}) {
    refuse(family, {});
    refuse(family, {{8400, 85}, {1, 2}});
    refuse(family, {{3, 80, 80, 85}});
    refuse(family, {{100, 4}});
    refuse(family, {{-1, 85}});
    refuse(family, {{0, 0}});
    refuse(family, {{std::int64_t{1} << 40, std::int64_t{1} << 40}});
  }
  refuse("yolov10", {{300, 7}});
}

}  // namespace
}  // namespace sightline
