// SPDX-License-Identifier: LGPL-2.1-or-later

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;
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
      HasSubstr("test.ini:2: network-type = 0: a detector needs model-family, which says how "
                "its outputs are decoded. Known: blazeface, d-fine, db, decoded-boxes, "));
  EXPECT_THAT(complaint("[property]\nnetwork-type=2\n", kBoxes), HasSubstr("[classes,h,w]"));
  EXPECT_THAT(complaint("[property]\nnetwork-type=7\n", kBoxes), HasSubstr("Known: 0, detector"));
  EXPECT_THAT(
      complaint("[property]\nmodel-family=landmarks\nnetwork-type=1\n", kVector),
      HasSubstr("test.ini:3: network-type = 1: model-family = landmarks is of another type"));
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
