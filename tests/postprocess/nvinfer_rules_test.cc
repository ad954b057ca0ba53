// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What nvinfer's reader lets pass is an error of our own files, and passed over in nvinfer's: files
// as they lie about load, and find what they find there.

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Read {
  Results results;
  std::vector<std::string> remarks, unread;
};

Read read_as_nvinfers(const std::string& text, const std::vector<Tensor>& outputs,
                      const std::filesystem::path& folder = {}) {
  const ConfigFile config = config_of("[property]\ncompat=deepstream\n" + text, folder);
  config.find("property", "compat");
  const auto postprocessor = make_postprocessor(config, network_of({100, 100}, outputs));
  return {postprocessor->decode(outputs), config.remarks(), config.unknown()};
}

// Rows 0 and 1 are of class 0 and overlap by 1/3, row 2 is of class 1.
const std::vector<Tensor> kObjects = {
    Tensor::copy_of("scores", {3, 3}, std::vector<float>{0, 0.9f, 0, 0, 0.8f, 0, 0, 0, 0.7f}),
    Tensor::copy_of("boxes", {3, 4},
                    std::vector<float>{0, 0, 0.2f, 0.1f, 0.1f, 0, 0.3f, 0.1f, 0, 0, 0.2f, 0.1f})};

Read read_detector(const std::string& text) {
  return read_as_nvinfers("model-family=decoded-boxes\n" + text, kObjects);
}

std::vector<int> rows(const Read& read) {
  std::vector<int> found;
  for (const Detection& detection : read.results.detections) found.push_back(detection.row);
  return found;
}

TEST(NvinferRules, KeysOfAnotherClusterModeAreLeftUnread) {
  const Read nms = read_detector(
      "cluster-mode=2\n[class-attrs-all]\npre-cluster-threshold=0.2\neps=0.2\ngroup-threshold=1\n");
  EXPECT_THAT(rows(nms), ElementsAre(0, 2));
  EXPECT_THAT(nms.unread, ElementsAre(HasSubstr("eps"), HasSubstr("group-threshold")));
  const Read none = read_detector("cluster-mode=4\n[class-attrs-all]\nnms-iou-threshold=0.1\n");
  EXPECT_THAT(rows(none), ElementsAre(0, 1, 2));
  EXPECT_THAT(none.unread, ElementsAre(HasSubstr("nms-iou-threshold")));
}

TEST(NvinferRules, OfTheTwoNamesOfAThresholdTheLaterCounts) {
  const Read first = read_detector(
      "cluster-mode=4\n[class-attrs-all]\nthreshold=0.85\npre-cluster-threshold=0.75\n");
  EXPECT_THAT(rows(first), ElementsAre(0, 1));
  EXPECT_THAT(first.remarks, ElementsAre(HasSubstr("test.ini:6: threshold = 0.85")));
  EXPECT_THAT(rows(read_detector("cluster-mode=4\n[class-attrs-all]\npre-cluster-threshold=0.75\n"
                                 "threshold=0.85\n")),
              ElementsAre(0));
}

TEST(NvinferRules, AThresholdAboveOneNeverFindsAClass) {
  EXPECT_THAT(rows(read_detector("cluster-mode=4\n[class-attrs-0]\npre-cluster-threshold=1.1\n")),
              ElementsAre(2));
}

TEST(NvinferRules, LabelsNeedNotFitTheClasses) {
  const Read few = read_detector("cluster-mode=2\nlabels=car\n");
  ASSERT_EQ(few.results.detections.size(), 2u);
  EXPECT_EQ(few.results.detections[0].label, "car");
  EXPECT_EQ(few.results.detections[1].label, "class 1");
  EXPECT_THAT(few.remarks, ElementsAre(HasSubstr("labels = car: holds 1 labels, expected 2")));
  const Read many = read_detector("cluster-mode=2\nlabels=car;dog;cat\n");
  EXPECT_EQ(many.results.detections[1].label, "dog");
  EXPECT_THAT(many.remarks, ElementsAre(HasSubstr("holds 3 labels")));
  EXPECT_THAT(read_detector("labels=car;dog\n").remarks, IsEmpty());
}

TEST(NvinferRules, ClassesThatANetworkDoesNotHaveAreRemarkedOn) {
  const Read read =
      read_detector("cluster-mode=2\nnum-detected-classes=4\nfilter-out-class-ids=0;9\n");
  EXPECT_THAT(rows(read), ElementsAre(2));
  EXPECT_THAT(read.remarks,
              ElementsAre(HasSubstr("tells apart 2"), HasSubstr("class ids from 0 to 1")));
}

TEST(NvinferRules, AClassifiersLabelsAndNameNeedNotFitItsHeads) {
  const std::vector<Tensor> heads = {
      Tensor::copy_of("make", {3}, std::vector<float>{0.1f, 0.2f, 0.7f}),
      Tensor::copy_of("type", {2, 1, 1}, std::vector<float>{0.4f, 0.6f})};
  const auto folder = std::filesystem::temp_directory_path() /
                      ("sightline-nvinfer-rules-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "labels.txt") << "audi;bmw\n";
  const Read read = read_as_nvinfers(
      "network-type=1\nclassifier-type=car\nlabelfile-path=labels.txt\n", heads, folder);
  std::filesystem::remove_all(folder);
  std::vector<std::string> said;
  for (const Classification& c : read.results.classifications)
    said.push_back(c.attribute + "=" + c.label);
  EXPECT_THAT(said, ElementsAre("car=", "car="));  // without a label, which is attached nowhere
  EXPECT_THAT(read.remarks, ElementsAre(HasSubstr("holds 1 lines of labels, expected 2"),
                                        HasSubstr("holds 2 labels of \"car\", expected 3")));
}

// Its only class is over the threshold or it is not.
TEST(NvinferRules, AHeadOfOneNumberIsAProbability) {
  const std::vector<Tensor> outputs = {Tensor::copy_of("p", {1}, std::vector<float>{0.7f})};
  const auto said = [&](const std::string& threshold) {
    return read_as_nvinfers("network-type=1\nlabels=mask\nclassifier-threshold=" + threshold + "\n",
                            outputs)
        .results.classifications;
  };
  ASSERT_EQ(said("0.5").size(), 1u);
  EXPECT_EQ(said("0.5")[0].label, "mask");
  EXPECT_FLOAT_EQ(said("0.5")[0].confidence, 0.7f);
  EXPECT_THAT(said("0.8"), IsEmpty());
}

}  // namespace
}  // namespace sightline
