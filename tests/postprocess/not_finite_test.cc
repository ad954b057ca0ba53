// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is not a number never becomes a result, whichever family reads it and wherever it stands.

#include <cmath>
#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;

// A network of a family whose outputs give something.
struct Sample {
  std::string family;
  Size input;
  std::vector<Tensor> outputs;
  std::string keys = {};

  friend void PrintTo(const Sample& it, std::ostream* out) { *out << it.family; }
};

Tensor filled(const char* name, Shape shape, float value) {
  return Tensor::copy_of(name, shape, std::vector<float>(element_count(shape), value));
}

// Rows that are all alike.
Tensor rows(const char* name, std::int64_t count, const std::vector<float>& row) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) values.insert(values.end(), row.begin(), row.end());
  return Tensor::copy_of(name, {count, static_cast<std::int64_t>(row.size())}, values);
}

std::vector<Tensor> grid_faces(std::int64_t anchors, bool two_scores) {
  std::vector<Tensor> outputs;
  for (const std::int64_t cells : {16, 4, 1}) {
    const std::int64_t count = cells * anchors;
    outputs.push_back(filled(two_scores ? "cls" : "score", {count, 1}, 0.9f));
    if (two_scores) outputs.push_back(filled("obj", {count, 1}, 0.9f));
    outputs.push_back(filled("bbox", {count, 4}, 1));
    outputs.push_back(filled("kps", {count, 10}, 0.5f));
  }
  return outputs;
}

std::vector<Tensor> retina_faces() {
  std::vector<Tensor> outputs;
  for (const std::int64_t side : {1, 2, 4})
    for (const std::int64_t channels : {4, 8, 20})
      outputs.push_back(filled("o", {channels, side, side}, 0.6f));
  return outputs;
}

std::vector<Sample> samples() {
  return {
      {"ultra-light",
       {64, 64},
       {rows("s", 4, {0.1f, 0.9f}), rows("b", 4, {0.1f, 0.1f, 0.5f, 0.5f})}},
      {"blazeface", {128, 128}, {filled("s", {896, 1}, 2), filled("r", {896, 16}, 20)}},
      {"yolov8", {64, 64}, {rows("o", 20, {30, 30, 20, 20, 0.9f, 0.1f})}},
      {"yolov5", {64, 64}, {rows("o", 20, {30, 30, 20, 20, 0.9f, 0.9f, 0.1f})}},
      {"yolov8-seg",
       {64, 64},
       {rows("o", 20, {30, 30, 20, 20, 0.9f, 1, 1}), filled("p", {2, 4, 4}, 1)}},
      {"yolov8-pose", {64, 64}, {rows("o", 20, {30, 30, 20, 20, 0.9f, 25, 25, 1, 35, 35, 1})}},
      {"yolov8-obb", {64, 64}, {rows("o", 20, {30, 30, 20, 20, 0.9f, 0.3f})}},
      {"yolov10", {64, 64}, {rows("o", 5, {10, 10, 30, 30, 0.9f, 0})}, "num-detected-classes=1\n"},
      {"rt-detr", {64, 64}, {rows("s", 5, {3, -3}), rows("b", 5, {0.5f, 0.5f, 0.2f, 0.2f})}},
      {"detectnet-v2", {32, 32}, {filled("c", {1, 2, 2}, 0.9f), filled("b", {4, 2, 2}, 0.3f)}},
      {"tf-ssd",
       {64, 64},
       {rows("boxes", 3, {0.1f, 0.1f, 0.5f, 0.5f}), filled("scores", {3}, 0.9f),
        filled("classes", {3}, 1)},
       "num-detected-classes=2\n"},
      {"scrfd", {32, 32}, grid_faces(2, false)},
      {"yunet", {32, 32}, grid_faces(1, true)},
      {"retinaface", {32, 32}, retina_faces()},
      {"landmarks", {32, 32}, {filled("o", {6}, 0.5f)}},
      {"embedding", {32, 32}, {filled("o", {6}, 0.5f)}},
      {"classifier", {32, 32}, {Tensor::copy_of("o", {3}, std::vector{0.2f, 0.7f, 0.1f})}},
      {"segmentation", {4, 4}, {filled("o", {2, 4, 4}, 0.5f)}, "labels=road;sky\n"},
      {"db", {16, 16}, {filled("o", {16, 16}, 0.9f)}},
      {"ctc", {16, 16}, {rows("o", 3, {0.1f, 0.8f, 0.1f})}, "dictionary-path=letters.txt\n"},
  };
}

class NotFinite : public ::testing::TestWithParam<Sample> {
 protected:
  NotFinite() { std::ofstream(folder_ / "letters.txt") << "a\nb\n"; }
  ~NotFinite() override { std::filesystem::remove_all(folder_); }

  Results decode(const std::vector<Tensor>& outputs) const {
    const Sample& sample = GetParam();
    return make("[property]\nmodel-family=" + sample.family + "\n" + sample.keys,
                network_of(sample.input, sample.outputs), folder_)
        ->decode(outputs);
  }

  static void expect_finite(const std::vector<Point>& points) {
    for (const Point& point : points)
      EXPECT_TRUE(std::isfinite(point.x) && std::isfinite(point.y)) << point.x << ", " << point.y;
  }
  static void expect_finite(const Rect& box) {
    expect_finite(std::vector<Point>{{box.x, box.y}, {box.width, box.height}});
  }
  static void expect_finite(const Tensor& tensor) {
    if (tensor.type != ElementType::kFloat32) return;
    for (const float value : tensor.floats()) EXPECT_TRUE(std::isfinite(value)) << tensor.name;
  }
  static void expect_finite(const Results& results) {
    for (const Detection& found : results.detections) {
      expect_finite(found.box);
      expect_finite(found.landmarks);
      EXPECT_TRUE(std::isfinite(found.confidence));
      for (const float sure : found.landmark_confidences) EXPECT_TRUE(std::isfinite(sure));
      if (found.corners) expect_finite({found.corners->begin(), found.corners->end()});
      if (!found.mask) continue;
      expect_finite(found.mask->area);
      expect_finite(found.mask->values);
    }
    expect_finite(results.landmarks);
    for (const Classification& said : results.classifications)
      EXPECT_TRUE(std::isfinite(said.confidence));
    for (const Tensor& tensor : results.tensors) expect_finite(tensor);
  }
  // A map of classes is there in any case; then it has none.
  static bool says_nothing(const Results& results) {
    return results.detections.empty() && results.landmarks.empty() &&
           results.classifications.empty() &&
           (results.tensors.empty() || GetParam().family == "segmentation");
  }
  static Tensor spoilt(const Tensor& tensor, std::size_t index, float bad) {
    std::vector<float> values(tensor.floats().begin(), tensor.floats().end());
    values[index] = bad;
    return Tensor::copy_of(tensor.name, tensor.shape, values);
  }

  std::filesystem::path folder_ = [] {
    std::string path = (std::filesystem::temp_directory_path() / "finite-XXXXXX").string();
    return std::filesystem::path(mkdtemp(path.data()));
  }();
};

constexpr float kBad[] = {kNan, kInfinity, -kInfinity};

TEST_P(NotFinite, OutputsSayNothing) {
  const std::vector<Tensor>& outputs = GetParam().outputs;
  ASSERT_FALSE(says_nothing(decode(outputs)));
  for (const float bad : kBad) {
    std::vector<Tensor> all;
    for (const Tensor& output : outputs)
      all.push_back(filled(output.name.c_str(), output.shape, bad));
    EXPECT_TRUE(says_nothing(decode(all))) << bad;
    expect_finite(decode(all));
  }
}

TEST_P(NotFinite, NumbersOfOneOutputOrPlaceStayOutOfResults) {
  const std::vector<Tensor>& outputs = GetParam().outputs;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    for (const float bad : kBad) {
      std::vector<Tensor> some = outputs;
      some[i] = filled(outputs[i].name.c_str(), outputs[i].shape, bad);
      expect_finite(decode(some));
      const std::size_t step = outputs[i].count() / 60 + 1;
      for (std::size_t place = 0; place < outputs[i].count(); place += step) {
        some[i] = spoilt(outputs[i], place, bad);
        expect_finite(decode(some));
      }
    }
}

INSTANTIATE_TEST_SUITE_P(Each, NotFinite, ::testing::ValuesIn(samples()), [](const auto& info) {
  std::string name = info.param.family;
  std::ranges::replace(name, '-', '_');
  return name;
});

// Of two names of one family one is enough: they share the description.
TEST(NotFiniteNumbers, AreTriedOnEveryFamily) {
  std::set<std::string> tried;
  for (const FamilyInfo& family : postprocess_families())
    for (const Sample& sample : samples())
      if (sample.family == family.name) tried.insert(family.description);
  for (const FamilyInfo& family : postprocess_families())
    if (family.name != "raw") {
      EXPECT_TRUE(tried.contains(family.description)) << family.name;
    }
}

// Scores that are infinite make nothing sure.
TEST(NotFiniteNumbers, AnInfiniteScoreOfAnObjectIsNone) {
  std::vector<Tensor> outputs = grid_faces(1, true);
  for (std::size_t i = 1; i < outputs.size(); i += 4)
    outputs[i] = filled("obj", outputs[i].shape, kInfinity);
  EXPECT_TRUE(make("[property]\nmodel-family=yunet\n", network_of({32, 32}, outputs))
                  ->decode(outputs)
                  .detections.empty());
}

TEST(NotFiniteNumbers, AnInfiniteWeightIsNoMask) {
  const std::vector<Tensor> outputs = {rows("o", 20, {30, 30, 20, 20, 0.9f, kInfinity, 1}),
                                       filled("p", {2, 4, 4}, 1)};
  const auto found = make("[property]\nmodel-family=yolov8-seg\n", network_of({64, 64}, outputs))
                         ->decode(outputs)
                         .detections;
  ASSERT_EQ(found.size(), 1u);
  ASSERT_TRUE(found[0].mask);
  for (const float value : found[0].mask->values.floats()) EXPECT_EQ(value, 0);
}

}  // namespace
}  // namespace sightline
