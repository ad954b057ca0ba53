// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parsers that are written as those for DeepStream are: what they find, and what becomes of what
// they should not do.

#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parser_fixture.h"

namespace sightline {
namespace {

using test::floats_of;
using test::parse_complaint;
using test::parsed;
using test::parser_config;
using test::tensor_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void expect_same(const Results& a, const Results& b) {
  ASSERT_EQ(a.detections.size(), b.detections.size());
  for (std::size_t i = 0; i < a.detections.size(); ++i) {
    const Detection &one = a.detections[i], &other = b.detections[i];
    EXPECT_EQ(one.class_id, other.class_id);
    EXPECT_EQ(one.label, other.label);
    EXPECT_EQ(one.confidence, other.confidence);
    // Corners and sizes are worked out in another order: a few roundings of 640.
    EXPECT_NEAR(one.box.x, other.box.x, 1e-3);
    EXPECT_NEAR(one.box.y, other.box.y, 1e-3);
    EXPECT_NEAR(one.box.width, other.box.width, 1e-3);
    EXPECT_NEAR(one.box.height, other.box.height, 1e-3);
  }
}

// Boxes inside the picture, which the parser does not cut.
Tensor yolo_rows(std::mt19937& random, std::int64_t rows, std::int64_t classes) {
  std::vector<float> values;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (const auto [low, high] :
         {std::pair{200.f, 440.f}, {200.f, 440.f}, {20.f, 300.f}, {20.f, 300.f}, {0.f, 1.f}})
      values.push_back(test::random_numbers(random, 1, low, high)[0]);
    const auto scores = test::random_numbers(random, static_cast<std::size_t>(classes), 0, 1);
    values.insert(values.end(), scores.begin(), scores.end());
  }
  return Tensor::copy_of("output", {rows, 5 + classes}, values);
}

TEST(DeepStreamParser, RowsOfYoloAreWhatTheBuiltInFamilyFinds) {
  std::mt19937 random(1);
  for (const char* clustering :
       {"cluster-mode=2", "cluster-mode=4", "cluster-mode=2\nfilter-out-class-ids=3"}) {
    const Tensor rows = yolo_rows(random, 400, 80);
    const std::string keys = std::string("num-detected-classes=80\n") + clustering;
    const std::string groups = "[class-attrs-all]\npre-cluster-threshold=0.6\ntopk=5\n";
    const Results theirs = parsed(
        parser_config("yolo_rows", keys + "\nparse-bbox-func-name=NvDsInferParseYoloRows", groups),
        {640, 640}, {rows});
    const Results ours =
        parsed("[property]\nmodel-family=yolov5\n" + keys + "\n" + groups, {640, 640}, {rows});
    EXPECT_GT(ours.detections.size(), 20u);
    expect_same(theirs, ours);
  }
}

TEST(DeepStreamParser, HalfPrecisionIsFloatForIt) {
  std::mt19937 random(2);
  const Tensor half = test::as_half(yolo_rows(random, 200, 3));
  const std::string keys = "num-detected-classes=3\nnetwork-type=0";
  const Results theirs =
      parsed(parser_config("yolo_rows", keys + "\nparse-bbox-func-name=NvDsInferParseYoloRows"),
             {640, 640}, {half});
  const Results ours =
      parsed("[property]\nmodel-family=yolov5\n" + keys + "\n", {640, 640}, {half});
  EXPECT_FALSE(ours.detections.empty());
  expect_same(theirs, ours);
}

TEST(DeepStreamParser, OutputsAfterSuppressionHaveTheirTypes) {
  const std::vector<Tensor> outputs = {
      tensor_of<std::int32_t>("num_detections", ElementType::kInt32, {1}, {2}),
      floats_of("detection_boxes", {3, 4},
                {0.1f, 0.2f, 0.5f, 0.4f, 0.5f, 0.5f, 0.6f, 0.9f, 0, 0, 1, 1}),
      floats_of("detection_scores", {3}, {0.8f, 0.1f, 0.9f}),
      tensor_of<std::int32_t>("detection_classes", ElementType::kInt32, {3}, {1, 0, 1})};
  const Results results = parsed(
      parser_config("nms_outputs", "parse-bbox-func-name=NvDsInferParseNmsOutputs\nlabels=cat;dog"),
      {100, 200}, outputs);
  ASSERT_EQ(results.detections.size(), 1u);
  const Detection& dog = results.detections[0];
  EXPECT_EQ(dog.label, "dog");
  EXPECT_FLOAT_EQ(dog.confidence, 0.8f);
  EXPECT_FLOAT_EQ(dog.box.x, 10);
  EXPECT_FLOAT_EQ(dog.box.y, 40);
  EXPECT_FLOAT_EQ(dog.box.width, 40);
  EXPECT_FLOAT_EQ(dog.box.height, 40);
  EXPECT_EQ(dog.row, -1);  // it does not say
}

TEST(DeepStreamParser, AClassifierGivesAttributes) {
  const std::vector<Tensor> outputs = {floats_of("color", {3, 1, 1}, {0.1f, 0.2f, 0.7f}),
                                       floats_of("type", {2}, {0.4f, 0.6f})};
  const std::string function = "parse-classifier-func-name=NvDsInferClassifierParseAttributes\n";
  const NetworkShape network = test::network_of({8, 8}, outputs);
  const auto said = [&](const std::string& keys) {
    const ConfigFile config = test::config_of(parser_config("attributes", function + keys));
    std::vector<std::string> words;
    for (const Classification& c :
         make_postprocessor(config, network)->decode(outputs).classifications)
      words.push_back(c.attribute + "=" + c.label + " " + std::to_string(c.class_id));
    return words;
  };
  EXPECT_THAT(said(""), ElementsAre("color=blue 2", "type=class 1 1"));
  EXPECT_THAT(said("unlabelled-classes=drop"), ElementsAre("color=blue 2", "type= 1"));
  EXPECT_THAT(said("classifier-threshold=0.65"), ElementsAre("color=blue 2"));
  EXPECT_THAT(said("classifier-type=colour;kind"), ElementsAre("colour=blue 2", "kind=class 1 1"));
  const auto folder = std::filesystem::temp_directory_path() / "sightline-attributes";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "labels.txt") << "a;b;c\nvan;truck\n";
  EXPECT_THAT(said("labelfile-path=" + (folder / "labels.txt").string()),
              ElementsAre("color=blue 2", "type=truck 1"));
  std::filesystem::remove_all(folder);
}

// It includes nvdsinfer.h alone, and reads its characters from the current folder.
TEST(DeepStreamParser, AParserOfPlatesFindsItsDictionary) {
  const auto folder = std::filesystem::temp_directory_path() / "sightline-plates";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "plates.txt") << "A\nB\n7\n";
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  const std::vector<Tensor> outputs = {
      tensor_of<std::int32_t>("argmax", ElementType::kInt32, {6}, {1, 1, 3, 2, 3, 2}),
      floats_of("max", {6}, {0.5f, 1, 1, 0.5f, 1, 1})};
  const Results results = parsed(
      parser_config("plates", "parse-classifier-func-name=NvDsInferParsePlate\nnetwork-type=1"),
      {24, 8}, outputs);
  std::filesystem::current_path(before);
  std::filesystem::remove_all(folder);
  ASSERT_EQ(results.classifications.size(), 1u);
  EXPECT_EQ(results.classifications[0].label, "B77");
  EXPECT_FLOAT_EQ(results.classifications[0].confidence, 0.25f);
}

TEST(DeepStreamParser, StructsAreWhatSourcesTakeThemFor) {
  for (const char* library : {"habits_11", "habits_14", "habits_20"}) {
    const Results results =
        parsed(parser_config(library, "parse-bbox-func-name=NvDsInferParseHabits\nlabels=a"),
               {16, 16}, {floats_of("row", {5}, {1, 2, 3, 4, 0.5f})});
    ASSERT_EQ(results.detections.size(), 1u) << library;
    EXPECT_EQ(results.detections[0].box, (Rect{1, 2, 3, 4})) << library;
  }
}

const std::vector<Tensor> kMaskOutputs = {
    // y1, x1, y2, x2, class, score
    floats_of("generate_detections", {2, 6}, {4, 2, 12, 10, 1, 0.9f, 0, 0, 5, 5, 0, 0.05f}),
    floats_of("mask_head", {2, 2, 1, 2}, {0.1f, 0.2f, 0.3f, 0.8f, 0.5f, 0.6f, 0.7f, 0.8f})};

TEST(DeepStreamParser, MasksLieOverTheirBoxes) {
  const std::string keys =
      "parse-bbox-instance-mask-func-name=NvDsInferParseMasks\nnetwork-type=3\ncluster-mode=4\n"
      "labels=cat;dog\n";
  const Results results = parsed(parser_config("masks", keys), {20, 20}, kMaskOutputs);
  ASSERT_EQ(results.detections.size(), 1u);
  const Detection& dog = results.detections[0];
  EXPECT_EQ(dog.box, (Rect{2, 4, 8, 8}));
  ASSERT_TRUE(dog.mask);
  EXPECT_EQ(dog.mask->area, dog.box);
  EXPECT_EQ(dog.mask->values.shape, (Shape{1, 2}));
  EXPECT_THAT(dog.mask->values.floats(), ElementsAre(0.3f, 0.8f));
  const Results decided =
      parsed(parser_config("masks", keys + "segmentation-threshold=0.5"), {20, 20}, kMaskOutputs);
  EXPECT_THAT(decided.detections.at(0).mask->values.floats(), ElementsAre(0, 1));
}

TEST(DeepStreamParser, KeypointsInThePlaceOfAMaskAreLandmarks) {
  const std::vector<Tensor> outputs = {
      floats_of("output", {1, 11}, {10, 20, 30, 60, 0.9f, 12, 22, 0.5f, 14, 24, 0.75f})};
  const Results results =
      parsed(parser_config("masks",
                           "parse-bbox-instance-mask-func-name=NvDsInferParsePose\nlabels=person"),
             {64, 64}, outputs);
  ASSERT_EQ(results.detections.size(), 1u);
  const Detection& person = results.detections[0];
  EXPECT_THAT(person.landmarks, ElementsAre(Point{12, 22}, Point{14, 24}));
  EXPECT_THAT(person.landmark_confidences, ElementsAre(0.5f, 0.75f));
  EXPECT_FALSE(person.mask);
}

std::vector<std::int32_t> map_of(const Results& results) {
  const Tensor& map = results.tensors.at(0);
  EXPECT_EQ(map.name, "segmentation");
  const auto* const values = reinterpret_cast<const std::int32_t*>(map.data);
  return {values, values + map.count()};
}

// Two grids of three anchors, their values as the network leaves them to the parser.
TEST(DeepStreamParser, AnchorsOfSeveralStridesAreDecodedByItsOwnRule) {
  const auto grid = [](const char* name, std::int64_t side, std::size_t anchor, std::size_t cell) {
    const auto cells = static_cast<std::size_t>(side * side);
    std::vector<float> values(3 * 7 * cells, 0.0f);
    const float found[] = {0.5f, 0.25f, 0, std::log(2.0f), 0.9f, 0.1f, 0.8f};
    for (std::size_t i = 0; i < 7; ++i) values[(anchor * 7 + i) * cells + cell] = found[i];
    return Tensor::copy_of(name, {21, side, side}, values);
  };
  // In any order: the parser sorts them.
  const std::vector<Tensor> outputs = {grid("fine", 8, 1, 8 * 3 + 5), grid("coarse", 4, 0, 4 + 2)};
  const Results results = parsed(
      parser_config("anchors",
                    "parse-bbox-func-name=NvDsInferParseAnchors\nlabels=cat;dog\ncluster-mode=4"),
      {64, 64}, outputs);
  ASSERT_EQ(results.detections.size(), 2u);
  const Detection &coarse = results.detections[0], &fine = results.detections[1];
  for (const Detection* each : {&coarse, &fine}) {
    EXPECT_EQ(each->label, "dog");
    EXPECT_FLOAT_EQ(each->confidence, 0.9f * 0.8f);
  }
  // The centre at (cell + offset) · stride, the anchor's width, twice its height.
  EXPECT_NEAR(coarse.box.x, (2 + 0.5) * 16 - 16 / 2.0, 1e-4);
  EXPECT_NEAR(coarse.box.y, (1 + 0.25) * 16 - 32 / 2.0, 1e-4);
  EXPECT_NEAR(coarse.box.width, 16, 1e-4);
  EXPECT_NEAR(coarse.box.height, 32, 1e-4);
  EXPECT_NEAR(fine.box.x, (5 + 0.5) * 8 - 8 / 2.0, 1e-4);
  EXPECT_NEAR(fine.box.y, (3 + 0.25) * 8 - 16 / 2.0, 1e-4);
  EXPECT_NEAR(fine.box.width, 8, 1e-4);
  EXPECT_NEAR(fine.box.height, 16, 1e-4);
}

TEST(DeepStreamParser, AGridOfTheOldNamesIsWhatTheBuiltInFamilyFinds) {
  std::mt19937 random(3);
  const std::vector<Tensor> outputs = {
      Tensor::copy_of("conv2d_bbox", {8, 6, 10}, test::random_numbers(random, 8 * 60, 0, 1)),
      Tensor::copy_of("conv2d_cov/Sigmoid", {2, 6, 10},
                      test::random_numbers(random, 2 * 60, 0, 1))};
  const std::string keys = "num-detected-classes=2\ncluster-mode=4\n";
  const std::string groups = "[class-attrs-all]\npre-cluster-threshold=0.7\n";
  const Results theirs =
      parsed(parser_config("grid", keys + "parse-bbox-func-name=NvDsInferParseGrid", groups),
             {160, 96}, outputs);
  const Results ours =
      parsed("[property]\nmodel-family=detectnet-v2\n" + keys + groups, {160, 96}, outputs);
  ASSERT_GT(theirs.detections.size(), 10u);
  ASSERT_EQ(theirs.detections.size(), ours.detections.size());
  for (const Detection& one : theirs.detections) {
    const auto same = std::ranges::find_if(ours.detections, [&](const Detection& other) {
      return other.class_id == one.class_id && other.confidence == one.confidence;
    });
    ASSERT_NE(same, ours.detections.end());
    // It adds a pixel to each size; whether the family does, too, is its own affair.
    EXPECT_NEAR(one.box.x, same->box.x, 1e-2);
    EXPECT_NEAR(one.box.y, same->box.y, 1e-2);
    EXPECT_NEAR(one.box.width, same->box.width, 1.01);
    EXPECT_NEAR(one.box.height, same->box.height, 1.01);
  }
}

TEST(DeepStreamParser, LabelsAndMasksOfItsOwnAreTakenOver) {
  const std::vector<Tensor> heads = {floats_of("type", {3, 1, 1}, {0.1f, 0.7f, 0.2f}),
                                     floats_of("side", {4, 1, 1}, {0.1f, 0.1f, 0.2f, 0.6f})};
  const Results said = parsed(
      parser_config("grid", "parse-classifier-func-name=NvDsInferClassifyGrid"), {8, 8}, heads);
  ASSERT_EQ(said.classifications.size(), 2u);
  EXPECT_EQ(said.classifications[0].label, "sedan");
  EXPECT_EQ(said.classifications[1].label, "class 3");  // it has no name for it

  const std::vector<Tensor> outputs = {
      floats_of("rows", {2, 5}, {2, 4, 10, 12, 0.1f, 1, 1, 5, 9, 0.8f}),
      floats_of("masks", {2, 1, 2}, {0.1f, 0.2f, 0.3f, 0.9f})};
  const Results found = parsed(
      parser_config(
          "grid",
          "parse-bbox-instance-mask-func-name=NvDsInferMaskGrid\nnetwork-type=3\nlabels=cat"),
      {16, 16}, outputs);
  ASSERT_EQ(found.detections.size(), 1u);
  EXPECT_EQ(found.detections[0].box, (Rect{1, 1, 4, 8}));
  EXPECT_THAT(found.detections[0].mask->values.floats(), ElementsAre(0.3f, 0.9f));
}

TEST(DeepStreamParser, MapsOfClassesHaveTheSizeThatTheFunctionFilled) {
  const std::vector<Tensor> scores = {floats_of("scores", {2, 1, 2}, {0.9f, 0.2f, 0.1f, 0.3f})};
  const std::string of_scores =
      "parse-segmentation-func-name=NvDsInferParseScores\nlabels=road;sky\n";
  const Results small = parsed(parser_config("masks", of_scores), {4, 2}, scores);
  EXPECT_EQ(small.tensors.at(0).shape, (Shape{1, 2}));
  EXPECT_THAT(map_of(small), ElementsAre(0, 1));
  EXPECT_THAT(small.tensors.at(1).floats(), ElementsAre(0.9f, 0.3f));
  ASSERT_EQ(small.classifications.size(), 2u);
  EXPECT_EQ(small.classifications[0].label, "road");
  EXPECT_EQ(small.classifications[0].confidence, 0.5f);
  EXPECT_THAT(map_of(parsed(parser_config("masks", of_scores + "segmentation-threshold=0.5"),
                            {4, 2}, scores)),
              ElementsAre(0, -1));

  const std::vector<Tensor> map = {
      tensor_of<std::int64_t>("map", ElementType::kInt64, {1, 2}, {1, 0})};
  const Results large =
      parsed(parser_config(
                 "masks", "parse-segmentation-func-name=NvDsInferParseMap\nnum-detected-classes=2"),
             {4, 2}, map);
  EXPECT_EQ(large.tensors.at(0).shape, (Shape{2, 4}));
  EXPECT_THAT(map_of(large), ElementsAre(1, 1, 0, 0, 1, 1, 0, 0));
  EXPECT_EQ(large.tensors.size(), 1u);  // nothing is known of how sure it is
}

TEST(DeepStreamParser, WhatNoneShouldDoFailsTheFrame) {
  const std::vector<Tensor> outputs = {floats_of("output", {1}, {0})};
  const auto boxes = [&](const std::string& function) {
    return parse_complaint(
        parser_config("misbehaving", "labels=a;b\nparse-bbox-func-name=" + function), {16, 16},
        outputs);
  };
  const std::string library = "libmisbehaving.so: ";
  EXPECT_EQ(boxes("throws"), library + "throws: threw an exception: the anchors are missing");
  EXPECT_EQ(boxes("throws_a_number"),
            library + "throws_a_number: threw something that is no std::exception");
  EXPECT_THAT(boxes("returns_false"), HasSubstr(library + "returns_false: returned false"));
  EXPECT_THAT(boxes("gives_nan"),
              HasSubstr(library + "gives_nan: object 1: its box has an edge or size of nan"));
  EXPECT_THAT(boxes("gives_nan_confidence"), HasSubstr("object 0: confidence nan"));
  EXPECT_THAT(boxes("gives_negative_size"), HasSubstr("its box is -4 × 4 pixels"));
  EXPECT_THAT(boxes("gives_far_place"), HasSubstr("1e+30"));
  EXPECT_THAT(boxes("gives_unknown_class"),
              HasSubstr("class 7, expected 0 to 1 (num-detected-classes)"));
  EXPECT_THAT(boxes("gives_class_minus_one"), HasSubstr("class 4294967295"));
  EXPECT_THAT(boxes("gives_millions"), HasSubstr("found 1000001 objects"));
  EXPECT_EQ(boxes("gives_weak_nonsense"), "no complaint");

  const auto masks = [&](const std::string& function) {
    return parse_complaint(
        parser_config("misbehaving", "labels=a\nparse-bbox-instance-mask-func-name=" + function),
        {16, 16}, outputs);
  };
  EXPECT_THAT(masks("mask_too_small"),
              HasSubstr("100 × 100 floats, 40000 bytes, and mask_size says 16"));
  EXPECT_THAT(masks("mask_null"), HasSubstr("null pointer"));
  EXPECT_THAT(masks("mask_overflows"), HasSubstr("65536 × 65536"));
  EXPECT_THAT(masks("mask_nan"), HasSubstr("its mask holds what is no finite number"));
  EXPECT_THAT(masks("throws_with_masks"), HasSubstr("threw an exception: too late"));

  EXPECT_THAT(
      parse_complaint(parser_config("misbehaving", "parse-classifier-func-name=attribute_nan"),
                      {16, 16}, outputs),
      HasSubstr("attribute 0: attributeConfidence is no finite number"));
  EXPECT_THAT(parse_complaint(parser_config("misbehaving",
                                            "num-detected-classes=2\n"
                                            "parse-segmentation-func-name=map_of_unknown_class"),
                              {16, 16}, outputs),
              HasSubstr("pixel 0 is of class 3, expected -1 to 1"));
}

TEST(DeepStreamParser, AnAttributeWithoutALabelIsNamedByItsNumber) {
  const std::vector<Tensor> outputs = {floats_of("output", {1}, {0})};
  const Results results = parsed(
      parser_config("misbehaving", "parse-classifier-func-name=attribute_unlabelled\nlabels=a;b"),
      {16, 16}, outputs);
  ASSERT_EQ(results.classifications.size(), 1u);
  EXPECT_EQ(results.classifications[0].attribute, "attribute 5");
  EXPECT_EQ(results.classifications[0].label, "class 1000000");
}

TEST(DeepStreamParser, ATurnedBoxHasCorners) {
  const Results results =
      parsed(parser_config("misbehaving", "labels=a\nparse-bbox-func-name=is_turned"), {16, 16},
             {floats_of("output", {1}, {0})});
  ASSERT_EQ(results.detections.size(), 1u);
  ASSERT_TRUE(results.detections[0].corners);
  // 8 × 4 about (8, 8), by a quarter of a turn: 4 × 8.
  EXPECT_NEAR(results.detections[0].box.x, 6, 1e-4);
  EXPECT_NEAR(results.detections[0].box.y, 4, 1e-4);
  EXPECT_NEAR(results.detections[0].box.width, 4, 1e-4);
}

TEST(DeepStreamParser, OneCallOfAFunctionIsMadeAtATime) {
  const std::vector<Tensor> outputs = {floats_of("output", {1}, {0})};
  const std::string config =
      parser_config("misbehaving", "labels=a\nparse-bbox-func-name=counts_calls");
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      const auto stage = test::make(config, test::network_of({16, 16}, outputs));
      for (int k = 0; k < 5; ++k) EXPECT_NO_THROW(stage->decode(outputs));
    });
}

TEST(DeepStreamParser, OutputsThatItHasNoWordForAreAnError) {
  const std::string config = parser_config("misbehaving", "labels=a\nparse-bbox-func-name=throws");
  EXPECT_THAT(test::complaint(config, {{16, 16}, {{"counts", ElementType::kInt16, {3}}}}),
              AllOf(HasSubstr("\"counts\" is int16"), HasSubstr("output-blob-names")));
  EXPECT_THAT(test::complaint(config, {{16, 16}, {{"deep", ElementType::kFloat32, Shape(9, 1)}}}),
              HasSubstr("8 dimensions at most"));
  EXPECT_THAT(test::complaint(parser_config("misbehaving", "parse-bbox-func-name=throws"),
                              {{16, 16}, {{"output", ElementType::kFloat32, {1}}}}),
              HasSubstr("num-detected-classes"));
}

}  // namespace
}  // namespace sightline
