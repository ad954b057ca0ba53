// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A network of each family, whose outputs are known, through the whole element: the family is
// recognised where its outputs are no other's, and results are where they belong in the frame.

#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "core/geometry.h"
#include "harness.h"
#include "nvinfer_fixture.h"
#include "sightline/frame.h"
#include "sightline/shape.h"

namespace sightline {
namespace {

using ::testing::AllOf;
using testing::Element;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Ptr;

// Most networks see 128 × 64 pixels: 16 × 8 cells of 8 pixels, 8 × 4 of 16, 4 × 2 of 32. The frame
// is twice as wide and three times as high.
constexpr Size kInput{128, 64};
constexpr std::int64_t kCells = 128 + 32 + 8;

struct Output {
  std::string name;
  Shape shape;
  std::vector<float> values;
};

// Zero but for these places.
Output sparse(const std::string& name, const Shape& shape,
              const std::vector<std::pair<std::size_t, float>>& places, float otherwise = 0) {
  Output output{name, shape, std::vector<float>(element_count(shape), otherwise)};
  for (const auto& [place, value] : places) output.values.at(place) = value;
  return output;
}

// The numbers of one row, or of one column, of a table.
Output with_row(const std::string& name, const Shape& shape, std::size_t row,
                const std::vector<float>& numbers, float otherwise = 0) {
  Output output = sparse(name, shape, {}, otherwise);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    output.values.at(row * numbers.size() + i) = numbers[i];
  return output;
}
Output with_column(const std::string& name, const Shape& shape, std::size_t column,
                   const std::vector<float>& numbers) {
  Output output = sparse(name, shape, {});
  for (std::size_t i = 0; i < numbers.size(); ++i)
    output.values.at(i * static_cast<std::size_t>(shape[1]) + column) = numbers[i];
  return output;
}

struct Case {
  std::string family;
  std::vector<Output> outputs;
  std::string keys;
  std::string label = {};        // of the only object
  SightBox box{32, 24, 16, 12};  // in the frame: 16, 8, 8, 4 in the input
  Size input = kInput;
  bool recognised = true;  // without model-family

  friend void PrintTo(const Case& it, std::ostream* out) { *out << it.family; }
};

class Families : public ::testing::Test {
 protected:
  std::string write(const Case& it, const std::string& keys) const {
    onnx::Builder network("family");
    network.input("image", ElementType::kFloat32, {-1, 3, it.input.height, it.input.width});
    for (const Output& output : it.outputs)
      test::add_constant_output(network, "image", output.name, output.shape, output.values);
    folder_.write("family.onnx", network.file());
    folder_.write("letters.txt", "a\nb\n");
    return folder_
        .write("family.ini",
               "[property]\nonnx-file=family.onnx\nengine-workers=1\nengine-threads=1\n"
               "batch-size=1\n" +
                   keys + it.keys + "\n")
        .string();
  }

  // What the element makes of a frame.
  Ptr<GstBuffer> results(const Case& it, const std::string& file) const {
    const int width = 2 * it.input.width, height = 3 * it.input.height;
    Element element("sightinfer max-in-flight=1 config-file=" + file);
    element.set_caps(testing::video_caps("RGB", width, height));
    Ptr<GstBuffer> out =
        element.through(testing::make_buffer(testing::video_info("RGB", width, height)));
    EXPECT_NE(out, nullptr) << element.error_text();
    return out;
  }

  std::string said(const std::string& file) const {
    return testing::said_when_opened("sightinfer config-file=" + file, GST_MESSAGE_INFO);
  }

  static void expect_near(const SightPoint& point, float x, float y) {
    EXPECT_NEAR(point.x, x, 0.01);
    EXPECT_NEAR(point.y, y, 0.01);
  }

  test::TemporaryFolder folder_;
};

const std::string kTwo = "labels=cat;dog\n";
const float kLogit = std::log(9.0f);  // of 0.9
const std::vector<float> kUnitBox = {20.0f / 128, 10.0f / 64, 8.0f / 128, 4.0f / 64};

std::vector<float> joined(std::vector<float> first, const std::vector<float>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Case yolo5() {
  return {"yolov5",
          {with_row("output", {3 * kCells, 7}, 5, {20, 10, 8, 4, 0.9f, 0.1f, 1})},
          kTwo,
          "dog"};
}
Case yolo8() {
  return {
      "yolov8", {with_column("output0", {6, kCells}, 5, {20, 10, 8, 4, 0.1f, 0.9f})}, kTwo, "dog"};
}
Case masks() {
  Case it{"yolov8-seg",
          {with_column("output0", {7, kCells}, 5, {20, 10, 8, 4, 0.1f, 0.9f, 1}),
           sparse("output1", {1, 16, 32}, {}, -3)},
          kTwo,
          "dog"};
  it.outputs[1].values[2 * 32 + 4] = 3;  // the pixel 16 … 20, 8 … 12 of the input
  return it;
}
Case pose() {
  std::vector<float> numbers = {20, 10, 8, 4, 0.9f};
  for (int i = 0; i < 17; ++i)
    for (const float value : {16.0f + static_cast<float>(i) / 4, 9.0f, 0.5f})
      numbers.push_back(value);
  return {"yolov8-pose",
          {with_column("output0", {56, kCells}, 5, numbers)},
          "labels=person\n",
          "person"};
}
Case oriented() {
  return {"yolov8-obb",
          {with_column("output0", {7, kCells}, 5,
                       {20, 10, 8, 4, 0.1f, 0.9f, std::numbers::pi_v<float> / 2})},
          kTwo,
          "dog",
          {36, 18, 8, 24}};
}
Case yolo10() {
  return {"yolov10",
          {with_row("output0", {300, 6}, 2, {16, 8, 24, 12, 0.9f, 1})},
          "labels=cat;dog;cow\n",
          "dog"};
}
Case detr() {
  return {"rt-detr",
          {with_row("logits", {5, 2}, 1, {-9, kLogit}, -9),
           with_row("pred_boxes", {5, 4}, 1, kUnitBox)},
          kTwo,
          "dog"};
}
Case joined_detr() {
  return {"rt-detr",
          {with_row("output0", {300, 7}, 1, joined(kUnitBox, {0, 0.9f, 0}))},
          "labels=cat;dog;cow\n",
          "dog"};
}
// Distances from 16.5, 0.5, the centre of the second cell, in units of 35 pixels.
Case detectnet() {
  const std::size_t plane = 8 * 4, cell = 1;
  return {"detectnet-v2",
          {sparse("output_cov/Sigmoid", {2, 4, 8}, {{plane + cell, 0.9f}}),
           sparse("output_bbox/BiasAdd", {8, 4, 8},
                  {{4 * plane + cell, 0.5f / 35},
                   {5 * plane + cell, -7.5f / 35},
                   {6 * plane + cell, 7.5f / 35},
                   {7 * plane + cell, 11.5f / 35}})},
          kTwo,
          "dog"};
}
Case tf_ssd() {
  return {
      "tf-ssd",
      {with_row("detection_boxes", {3, 4}, 1, {0.125f, 0.125f, 0.1875f, 0.1875f}),
       sparse("detection_scores", {3}, {{1, 0.9f}}), sparse("detection_classes", {3}, {{1, 2}}, 1)},
      kTwo,
      "dog"};
}
Case ultra_light() {
  const std::int64_t rows = 3 * 128 + 2 * 32 + 2 * 8 + 3 * 2;
  return {"ultra-light",
          {with_row("scores", {rows, 2}, 7, {0.1f, 0.9f}),
           with_row("boxes", {rows, 4}, 7, {0.125f, 0.125f, 0.1875f, 0.1875f})},
          "labels=face\n",
          "face"};
}
// The third cell of the second line, 16, 8.
Case scrfd() {
  Case it{"scrfd", {}, "labels=face\n", "face"};
  for (const std::int64_t cells : {128, 32, 8}) {
    const std::string name = "_" + std::to_string(cells);
    const std::size_t row = cells == 128 ? 2 * (16 + 2) : 0;
    it.outputs.push_back(
        sparse("score" + name, {2 * cells, 1}, {{row, cells == 128 ? 0.9f : 0.0f}}));
    it.outputs.push_back(with_row("bbox" + name, {2 * cells, 4}, row, {0, 0, 1, 0.5f}));
    it.outputs.push_back(sparse("kps" + name, {2 * cells, 10}, {}));
  }
  return it;
}
Case yunet() {
  Case it{"yunet", {}, "labels=face\n", "face"};
  for (const std::int64_t cells : {128, 32, 8}) {
    const std::string name = "_" + std::to_string(cells);
    const std::size_t row = cells == 128 ? 16 + 2 : 0;
    it.outputs.push_back(sparse("cls" + name, {cells, 1}, {{row, cells == 128 ? 1.0f : 0.0f}}));
    it.outputs.push_back(sparse("obj" + name, {cells, 1}, {{row, 0.81f}}));
    it.outputs.push_back(
        with_row("bbox" + name, {cells, 4}, row, {0.5f, 0.25f, 0, std::log(0.5f)}));
    it.outputs.push_back(sparse("kps" + name, {cells, 10}, {}));
  }
  return it;
}
// The second anchor, of 16 pixels around 24, 16.
Case retinaface() {
  Case it{"retinaface", {}, "labels=face\n", "face"};
  for (const std::int64_t side : {2, 4, 8}) {
    const std::int64_t plane = side * 2 * side;
    const auto at = [&](std::int64_t channel) {
      return static_cast<std::size_t>(channel * plane + (side == 8 ? 16 + 2 : 0));
    };
    it.outputs.push_back(sparse("s" + std::to_string(side), {4, side, 2 * side},
                                {{at(3), side == 8 ? 0.9f : 0.0f}}));
    it.outputs.push_back(sparse(
        "b" + std::to_string(side), {8, side, 2 * side},
        {{at(4), -0.25f}, {at(5), -0.375f}, {at(6), std::log(0.5f)}, {at(7), std::log(0.25f)}}));
    it.outputs.push_back(sparse("p" + std::to_string(side), {20, side, 2 * side}, {}));
  }
  return it;
}
// The first anchor, at 4, 4.
Case blazeface() {
  return {"blazeface",
          {sparse("classificators", {896, 1}, {{0, kLogit}}, -9),
           with_row("regressors", {896, 16}, 0, {16, 6, 8, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
          "labels=face\n",
          "face",
          {32, 24, 16, 12},
          {128, 128}};
}
// A line of 8 × 4 pixels is widened by 32 · 1.5 / 24 on each side.
Case text_boxes() {
  Case it{"db", {sparse("map", {1, 64, 128}, {})}, "labels=text\n", "text", {28, 18, 24, 24}};
  for (std::size_t y = 8; y < 12; ++y)
    for (std::size_t x = 16; x < 24; ++x) it.outputs[0].values[y * 128 + x] = 0.9f;
  it.recognised = false;  // any map is of that shape
  return it;
}

class FamilyOfDetectors : public Families, public ::testing::WithParamInterface<Case> {};

TEST_P(FamilyOfDetectors, IsRecognisedAndItsBoxesAreInTheFrame) {
  const Case& it = GetParam();
  const std::string file = write(it, it.recognised ? "" : "model-family=" + it.family + "\n");
  if (it.recognised) {
    EXPECT_THAT(said(file), HasSubstr("the network's outputs are those of " + it.family));
  }
  const Ptr<GstBuffer> out = results(it, file);
  ASSERT_NE(out, nullptr);
  const SightFrame* frame = sight_buffer_get_frame(out.get());
  ASSERT_EQ(sight_frame_get_n_objects(frame), 1u);
  const SightObject* object = sight_frame_get_object(frame, 0);
  EXPECT_EQ(sight_object_get_label(object), it.label);
  EXPECT_NEAR(sight_object_get_confidence(object), 0.9, 1e-3);
  SightBox box;
  sight_object_get_box(object, &box);
  EXPECT_NEAR(box.x, it.box.x, 0.01);
  EXPECT_NEAR(box.y, it.box.y, 0.01);
  EXPECT_NEAR(box.width, it.box.width, 0.01);
  EXPECT_NEAR(box.height, it.box.height, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Each, FamilyOfDetectors,
                         ::testing::Values(yolo5(), yolo8(), masks(), pose(), oriented(), yolo10(),
                                           detr(), joined_detr(), detectnet(), tf_ssd(),
                                           ultra_light(), scrfd(), yunet(), retinaface(),
                                           blazeface(), text_boxes()),
                         [](const auto& one) {
                           std::string name = one.param.family + "_" + std::to_string(one.index);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST_F(Families, AMaskCoversItsPixels) {
  const Ptr<GstBuffer> out = results(masks(), write(masks(), ""));
  ASSERT_NE(out, nullptr);
  SightBox area;
  SightTensor* mask =
      sight_object_get_mask(sight_frame_get_object(sight_buffer_get_frame(out.get()), 0), &area);
  ASSERT_NE(mask, nullptr);
  EXPECT_EQ((std::vector<float>{area.x, area.y, area.width, area.height}),
            (std::vector<float>{32, 24, 16, 12}));
  gsize count = 0;
  const gfloat* likely = sight_tensor_get_floats(mask, &count, nullptr);
  ASSERT_EQ(count, 2u);
  EXPECT_NEAR(likely[0], 1 / (1 + std::exp(-3.0)), 1e-5);
  EXPECT_NEAR(likely[1], 1 / (1 + std::exp(3.0)), 1e-5);
}

TEST_F(Families, KeypointsOfAPoseAreInTheFrame) {
  const Ptr<GstBuffer> out = results(pose(), write(pose(), ""));
  ASSERT_NE(out, nullptr);
  const SightObject* person = sight_frame_get_object(sight_buffer_get_frame(out.get()), 0);
  guint count = 0;
  const SightPoint* points = sight_object_get_landmarks(person, &count);
  ASSERT_EQ(count, 17u);
  expect_near(points[0], 32, 27);
  expect_near(points[16], 40, 27);
  const gfloat* sure = sight_object_get_landmark_confidences(person, &count);
  ASSERT_EQ(count, 17u);
  EXPECT_FLOAT_EQ(sure[16], 0.5f);
}

TEST_F(Families, CornersOfAnOrientedBoxAreInTheFrame) {
  const Ptr<GstBuffer> out = results(oriented(), write(oriented(), ""));
  ASSERT_NE(out, nullptr);
  const SightPoint* corners =
      sight_object_get_corners(sight_frame_get_object(sight_buffer_get_frame(out.get()), 0));
  ASSERT_NE(corners, nullptr);
  // Its top left corner, 16, 8 about 20, 10 by a quarter turn: 22, 6.
  expect_near(corners[0], 44, 18);
  expect_near(corners[1], 44, 42);
  expect_near(corners[2], 36, 42);
  expect_near(corners[3], 36, 18);
}

TEST_F(Families, ASegmentationIsAMapOfTheFrame) {
  Case it{"segmentation", {sparse("map", {3, 64, 128}, {})}, "labels=sky;road;car\n"};
  for (std::size_t pixel = 0; pixel < 64 * 128; ++pixel)
    it.outputs[0].values[(pixel % 128 < 64 ? 1 : 2) * 64 * 128 + pixel] = 5;
  const std::string file = write(it, "");
  EXPECT_THAT(said(file), HasSubstr("the network's outputs are those of segmentation"));
  const Ptr<GstBuffer> out = results(it, file);
  ASSERT_NE(out, nullptr);
  const SightFrame* frame = sight_buffer_get_frame(out.get());
  SightTensor* map = sight_frame_find_tensor(frame, "segmentation");
  ASSERT_NE(map, nullptr);
  gsize size = 0;
  const auto* classes = static_cast<const gint32*>(sight_tensor_get_data(map, &size, nullptr));
  ASSERT_EQ(size, 64u * 128 * sizeof(gint32));
  EXPECT_EQ(classes[0], 1);
  EXPECT_EQ(classes[63], 1);
  EXPECT_EQ(classes[64], 2);
  ASSERT_EQ(sight_frame_get_n_classifications(frame), 2u);
  EXPECT_STREQ(sight_classification_get_label(sight_frame_get_classification(frame, 1)), "car");
}

TEST_F(Families, ALineOfTextIsRead) {
  Case it{"ctc",
          {sparse("steps", {5, 3}, {{1, 0.9f}, {4, 0.9f}, {6, 0.9f}, {11, 0.9f}, {12, 0.9f}})},
          "dictionary-path=letters.txt\n"};
  const std::string file = write(it, "");
  EXPECT_THAT(said(file), HasSubstr("the network's outputs are those of ctc"));
  const Ptr<GstBuffer> out = results(it, file);
  ASSERT_NE(out, nullptr);
  const SightFrame* frame = sight_buffer_get_frame(out.get());
  ASSERT_EQ(sight_frame_get_n_classifications(frame), 1u);
  EXPECT_STREQ(sight_classification_get_label(sight_frame_get_classification(frame, 0)), "ab");
}

TEST_F(Families, ModelFamilyComesBeforeWhatIsRecognised) {
  const Case it{"yolov8",
                {with_column("output0", {7, kCells}, 5, {20, 10, 8, 4, 0.9f, 0, 0})},
                "labels=cat;dog\n"};
  EXPECT_THAT(said(write(it, "")), HasSubstr("yolov8-obb"));
  EXPECT_THAT(said(write({"", it.outputs, "labels=cat;dog;cow\n"}, "model-family=yolov8\n")),
              Not(HasSubstr("model-family is not set")));
}

TEST_F(Families, WhatCannotBeToldIsAnErrorThatShowsTheOutputs) {
  // A pose, as many classes, or classes and an angle.
  const Case open{"", {with_column("output0", {56, kCells}, 5, {20, 10, 8, 4, 0.9f})}, ""};
  EXPECT_THAT(testing::start_error("sightinfer config-file=" + write(open, "")),
              AllOf(HasSubstr("neither model-family nor network-type is set"),
                    HasSubstr("\"output0\" float32 [56,168]"),
                    HasSubstr("labels or num-detected-classes")));
  EXPECT_THAT(testing::start_error("sightinfer config-file=" + write(open, "network-type=0\n")),
              AllOf(HasSubstr("a detector needs model-family"), HasSubstr("[56,168]")));
  // Another network-type is not overruled.
  EXPECT_THAT(said(write(yolo8(), "network-type=100\n")), Not(HasSubstr("those of")));
}

// nvinfer's own detector is only what no other is.
TEST_F(Families, WithNvinfersDefaultsTheyAreRecognisedToo) {
  Case it = yolo8();
  const std::string file = write(it, "network-type=0\ncompat=deepstream\n");
  EXPECT_THAT(said(file), HasSubstr("the network's outputs are those of yolov8"));
  EXPECT_THAT(said(write(masks(), "network-type=3\n")), HasSubstr("yolov8-seg"));
}

}  // namespace
}  // namespace sightline
