// SPDX-License-Identifier: LGPL-2.1-or-later

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const NetworkShape kVector{{64, 64}, {{"output", ElementType::kFloat32, {4}}}};
const NetworkShape kBoxes{
    {64, 64},
    {{"scores", ElementType::kFloat32, {9, 2}}, {"boxes", ElementType::kFloat32, {9, 4}}}};

TEST(Registry, KnowsItsFamiliesInOrder) {
  std::vector<std::string> names;
  for (const FamilyInfo& family : postprocess_families()) {
    names.push_back(family.name);
    EXPECT_FALSE(family.description.empty()) << family.name;
    EXPECT_EQ(family.description.find('\n'), std::string::npos) << family.name;
  }
  EXPECT_THAT(names, ElementsAre("blazeface", "classifier", "ctc", "d-fine", "db", "decoded-boxes",
                                 "detectnet-v2", "embedding", "landmarks", "ppocr-det", "ppocr-rec",
                                 "raw", "retinaface", "rt-detr", "scrfd", "segmentation", "tf-ssd",
                                 "ultra-light", "yolo11", "yolo11-obb", "yolo11-pose", "yolo11-seg",
                                 "yolo26", "yolov10", "yolov5", "yolov7", "yolov8", "yolov8-obb",
                                 "yolov8-pose", "yolov8-seg", "yunet"));
}

TEST(Registry, FamiliesAndNetworkTypesHaveTheirRoles) {
  const auto role = [](const std::string& text, const NetworkShape& network) {
    return make("[property]\n" + text, network)->role();
  };
  EXPECT_EQ(role("model-family=ultra-light\n", kBoxes), NetworkRole::kDetector);
  EXPECT_EQ(role("model-family=decoded-boxes\nnetwork-type=0\n", kBoxes), NetworkRole::kDetector);
  EXPECT_EQ(role("model-family=landmarks\n", kVector), NetworkRole::kLandmarks);
  EXPECT_EQ(role("model-family=embedding\nnetwork-type=100\n", kVector), NetworkRole::kEmbedding);
  EXPECT_EQ(role("network-type=1\n", kVector), NetworkRole::kClassifier);
  EXPECT_EQ(role("network-type=classifier\n", kVector), NetworkRole::kClassifier);
  EXPECT_EQ(role("network-type=100\n", kVector), NetworkRole::kRaw);
  EXPECT_EQ(role("network-type=other\n", kVector), NetworkRole::kRaw);
  EXPECT_TRUE(make("[property]\nnetwork-type=100\n", kVector)->admitted(0, {1, 2, 3, 4}, {8, 8}));
}

TEST(Registry, WhatItDoesNotKnowIsAnErrorWithFileAndLine) {
  EXPECT_THAT(complaint("[property]\nmodel-family=yolo\n", kBoxes),
              HasSubstr("test.ini:2: model-family = yolo: no such family. Known: blazeface, "));
  EXPECT_THAT(complaint("[property]\n", kBoxes),
              HasSubstr("neither model-family nor network-type"));
  EXPECT_THAT(
      complaint("[property]\nnetwork-type=0\n", kBoxes),
      AllOf(HasSubstr("test.ini:2: network-type = 0: a detector needs model-family, which says how "
                      "its outputs are decoded, and the outputs are no family's beyond doubt: "
                      "\"scores\" float32 [9,2], "),
            HasSubstr("Known: blazeface, d-fine, db, decoded-boxes, ")));
  EXPECT_THAT(complaint("[property]\nnetwork-type=2\n", kBoxes), HasSubstr("[classes,h,w]"));
  EXPECT_THAT(complaint("[property]\nnetwork-type=7\n", kBoxes), HasSubstr("Known: 0, detector"));
  EXPECT_THAT(
      complaint("[property]\nmodel-family=landmarks\nnetwork-type=1\n", kVector),
      HasSubstr("test.ini:3: network-type = 1: model-family = landmarks is of another type"));
}

std::string recognised(const std::string& keys, Size input, const std::vector<Shape>& shapes,
                       const std::vector<std::string>& names = {}) {
  NetworkShape network{input, {}};
  for (std::size_t i = 0; i < shapes.size(); ++i)
    network.outputs.push_back({i < names.size() ? names[i] : "output" + std::to_string(i),
                               ElementType::kFloat32, shapes[i]});
  return recognise_family(config_of("[property]\n" + keys), network).value_or("none");
}

// Shapes of networks as they are published.
TEST(Registry, FamiliesAreRecognisedByTheirOutputs) {
  constexpr Size kUsual{640, 640};
  const std::string coco = "num-detected-classes=80\n";
  EXPECT_EQ(recognised(coco, kUsual, {{84, 8400}}), "yolov8");
  EXPECT_EQ(recognised("network-type=0\n" + coco, {640, 384}, {{84, 5040}}), "yolov8");
  EXPECT_EQ(recognised("labels=face\n", kUsual, {{5, 8400}}), "yolov8");
  EXPECT_EQ(recognised("", kUsual, {{25200, 85}}), "yolov5");
  EXPECT_EQ(recognised("", kUsual, {{116, 8400}, {32, 160, 160}}), "yolov8-seg");
  EXPECT_EQ(recognised("labels=person\n", kUsual, {{56, 8400}}), "yolov8-pose");
  EXPECT_EQ(recognised("num-detected-classes=15\n", {1024, 1024}, {{20, 21504}}), "yolov8-obb");
  EXPECT_EQ(recognised(coco, kUsual, {{300, 6}}), "yolov10");
  EXPECT_EQ(recognised(coco, kUsual, {{300, 84}}), "rt-detr");
  EXPECT_EQ(recognised(coco, kUsual, {{300, 80}, {300, 4}}, {"logits", "pred_boxes"}), "rt-detr");
  EXPECT_EQ(recognised("", {960, 544}, {{16, 34, 60}, {4, 34, 60}},
                       {"output_bbox/BiasAdd", "output_cov/Sigmoid"}),
            "detectnet-v2");
  EXPECT_EQ(recognised("", {300, 300}, {{100, 4}, {100}, {100}, {}},
                       {"detection_boxes", "detection_classes", "detection_scores", "num"}),
            "tf-ssd");
  EXPECT_EQ(recognised("", {320, 240}, {{4420, 2}, {4420, 4}}), "ultra-light");
  EXPECT_EQ(recognised("", {128, 128}, {{896, 16}, {896, 1}}), "blazeface");
  EXPECT_EQ(recognised("num-detected-classes=19\n", {512, 256}, {{19, 256, 512}}), "segmentation");
  EXPECT_EQ(recognised("dictionary-path=keys.txt\n", {320, 48}, {{40, 6625}}), "ctc");
}

TEST(Registry, WhatMayBeSeveralFamiliesIsNotRecognised) {
  constexpr Size kUsual{640, 640};
  EXPECT_EQ(recognised("", kUsual, {{84, 8400}}), "none");  // how many of the columns are classes?
  EXPECT_EQ(recognised("num-detected-classes=2\n", kUsual, {{300, 6}}), "none");
  EXPECT_EQ(recognised("", kUsual, {{300, 6}}), "none");
  EXPECT_EQ(recognised("", kUsual, {{100, 80}, {100, 4}}), "none");
  EXPECT_EQ(recognised("", kUsual, {{8400, 85}}), "none");  // YOLOX, whose boxes are not decoded
  EXPECT_EQ(recognised("", kUsual, {{1, 640, 640}}), "none");
  EXPECT_EQ(recognised("", kUsual, {{512}}), "none");
  EXPECT_EQ(recognised("", kUsual, {}), "none");
  EXPECT_EQ(recognised("", {-1, -1}, {{25200, 85}}), "none");
  EXPECT_EQ(recognised("", {-1, -1}, {{-1, -1}, {-1}}), "none");
}

TEST(Registry, WhatTheConfigurationSaysIsNotOverruled) {
  constexpr Size kUsual{640, 640};
  const std::vector<Shape> boxes = {{25200, 85}};
  EXPECT_EQ(recognised("model-family=raw\n", kUsual, boxes), "none");
  EXPECT_EQ(recognised("network-type=100\n", kUsual, boxes), "none");
  EXPECT_EQ(recognised("network-type=1\n", kUsual, boxes), "none");
  EXPECT_EQ(recognised("custom-lib-path=libyolo.so\n", kUsual, boxes), "none");
  EXPECT_EQ(recognised("network-type=3\n", kUsual, boxes), "yolov5");
}

TEST(Registry, AnInputOfUnknownSizeIsAnError) {
  NetworkShape network = kBoxes;
  network.input = {-1, 64};
  EXPECT_THAT(complaint("[property]\nmodel-family=ultra-light\n", network),
              HasSubstr("infer-dims"));
}

// A key that a family has no use for is unknown to it.
TEST(Registry, KeysOfOtherFamiliesAreUnknown) {
  EXPECT_THAT(complaint("[property]\nmodel-family=embedding\nnum-detected-classes=1\n", kVector),
              HasSubstr("test.ini:3: num-detected-classes: no such key"));
  EXPECT_THAT(complaint("[property]\nmodel-family=landmarks\n[class-attrs-all]\ntopk=1\n", kVector),
              HasSubstr("[class-attrs-all]: no such group"));
}

}  // namespace
}  // namespace sightline
