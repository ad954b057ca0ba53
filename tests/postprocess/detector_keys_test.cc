// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Every key of detectors: two values give two results, and wrong ones name file and line.

#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;
using testing::ElementsAre;
using testing::HasSubstr;

// Two classes. Rows 0 and 1 overlap with IoU 1/3 and score for class 0, rows 2 and 3 the same
// for class 1, row 4 is a weak, lone one of class 0.
std::vector<Tensor> outputs() {
  return {Tensor::copy_of(
              "scores", {5, 3},
              std::vector<float>{0, 0.9f, 0, 0, 0.8f, 0, 0, 0, 0.7f, 0, 0, 0.6f, 0, 0.25f, 0}),
          Tensor::copy_of("boxes", {5, 4},
                          std::vector<float>{0,    0,    0.2f, 0.1f, 0.1f, 0, 0.3f, 0.1f,  //
                                             0,    0,    0.2f, 0.1f, 0.1f, 0, 0.3f, 0.1f,  //
                                             0.5f, 0.5f, 1,    1})};
}

const std::string kProperty = "[property]\nmodel-family=decoded-boxes\n";

std::unique_ptr<Postprocessor> detector(const std::string& text) {
  return make(kProperty + text, network_of({100, 100}, outputs()));
}

std::vector<int> rows(const std::string& text) {
  std::vector<int> found;
  for (const Detection& detection : detector(text)->decode(outputs()).detections)
    found.push_back(detection.row);
  return found;
}

std::string wrong(const std::string& text) {
  return complaint(kProperty + text, network_of({100, 100}, outputs()));
}

TEST(DetectorKeys, DefaultsAreNvinfers) {
  EXPECT_THAT(rows(""), ElementsAre(0, 2, 4));  // pre-cluster-threshold 0.2, nms-iou-threshold 0.3
}

TEST(DetectorKeys, PreClusterThresholdAndItsOldName) {
  EXPECT_THAT(rows("[class-attrs-all]\npre-cluster-threshold=0.65\n"), ElementsAre(0, 2));
  EXPECT_THAT(rows("[class-attrs-all]\npre-cluster-threshold=0.75\n"), ElementsAre(0));
  EXPECT_THAT(rows("[class-attrs-all]\nthreshold=0.75\n"), ElementsAre(0));
  EXPECT_THAT(rows("[class-attrs-1]\nthreshold=0.75\n"), ElementsAre(0, 4));
  EXPECT_THAT(wrong("[class-attrs-all]\nthreshold=1.5\n"),
              HasSubstr("test.ini:4: threshold = 1.5"));
  EXPECT_THAT(wrong("[class-attrs-all]\nthreshold=nan\n"), HasSubstr("test.ini:4"));
  EXPECT_THAT(wrong("[class-attrs-all]\nthreshold=0.1\npre-cluster-threshold=0.1\n"),
              HasSubstr("another name"));
}

TEST(DetectorKeys, PostClusterThreshold) {
  EXPECT_THAT(rows("[class-attrs-all]\npost-cluster-threshold=0.3\n"), ElementsAre(0, 2));
  EXPECT_THAT(rows("[class-attrs-all]\npost-cluster-threshold=0.8\n"), ElementsAre(0));
}

TEST(DetectorKeys, NmsIouThreshold) {
  EXPECT_THAT(rows("[class-attrs-all]\nnms-iou-threshold=0.4\n"), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(rows("[class-attrs-0]\nnms-iou-threshold=0.4\n"), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(wrong("cluster-mode=none\n[class-attrs-all]\nnms-iou-threshold=0.4\n"),
              HasSubstr("no meaning but with cluster-mode = nms or hybrid"));
}

TEST(DetectorKeys, Topk) {
  EXPECT_THAT(rows("[class-attrs-all]\ntopk=1\n"), ElementsAre(0, 2));
  EXPECT_THAT(rows("[class-attrs-all]\ntopk=0\n[class-attrs-1]\ntopk=-1\n"), ElementsAre(2));
  EXPECT_THAT(wrong("[class-attrs-all]\ntopk=-2\n"), HasSubstr("test.ini:4: topk = -2"));
}

TEST(DetectorKeys, ClusterMode) {
  EXPECT_THAT(rows("cluster-mode=2\n"), ElementsAre(0, 2, 4));
  EXPECT_THAT(rows("cluster-mode=nms\n"), ElementsAre(0, 2, 4));
  EXPECT_THAT(rows("cluster-mode=4\n"), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(rows("cluster-mode=none\n"), ElementsAre(0, 1, 2, 3, 4));
  for (const char* mode : {"3", "hybrid"})
    EXPECT_THAT(rows(std::string("cluster-mode=") + mode + "\n"), ElementsAre(0, 2, 4)) << mode;
  for (const char* mode : {"0", "group-rectangles", "1", "dbscan"})
    EXPECT_THAT(rows(std::string("cluster-mode=") + mode + "\n"), ElementsAre(0, 1, 2, 3, 4))
        << mode << " joins nothing where nothing is alike";
  EXPECT_THAT(wrong("cluster-mode=soft\n"), HasSubstr("Known: 0, group-rectangles, 1, dbscan, 2"));
}

// Rows 0 and 1, and 2 and 3, are 10 % of the picture apart and 20 % by 10 % large: alike from
// eps = 2/3 on.
TEST(DetectorKeys, KeysOfDbscanAndGroupedRectangles) {
  EXPECT_THAT(rows("cluster-mode=dbscan\n[class-attrs-all]\neps=0.6\n[class-attrs-0]\neps=0.7\n"),
              ElementsAre(0, 2, 3, 4));
  for (const std::string mode : {"cluster-mode=dbscan\n", "cluster-mode=hybrid\n"}) {
    EXPECT_THAT(rows(mode + "[class-attrs-all]\neps=0.7\n"), ElementsAre(0, 2, 4)) << mode;
    EXPECT_THAT(rows(mode + "[class-attrs-all]\neps=0.7\nminBoxes=2\n"), ElementsAre(0, 2));
    EXPECT_THAT(rows(mode + "[class-attrs-all]\neps=0.7\nminBoxes=3\n"), ElementsAre());
    EXPECT_THAT(rows(mode + "[class-attrs-all]\neps=0.7\ndbscan-min-score=1.4\n"), ElementsAre(0));
  }
  const std::string group = "cluster-mode=group-rectangles\n[class-attrs-all]\neps=0.7\n";
  EXPECT_THAT(rows(group + "group-threshold=1\n"), ElementsAre(0, 2));
  EXPECT_THAT(rows(group + "group-threshold=0\n"), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(rows(group + "group-threshold=2\n"), ElementsAre());
  for (const std::string key : {"eps", "minBoxes", "dbscan-min-score", "group-threshold"})
    EXPECT_THAT(wrong("[class-attrs-all]\n" + key + "=1\n"),
                HasSubstr(key + " = 1: has no meaning but with cluster-mode = "));
  EXPECT_THAT(wrong("cluster-mode=1\n[class-attrs-0]\nnms-iou-threshold=0.5\n"),
              HasSubstr("has no meaning but with cluster-mode = nms or hybrid"));
}

TEST(DetectorKeys, NmsClassAgnostic) {
  // All boxes of class 0 lie where those of class 1 do.
  EXPECT_THAT(rows("nms-class-agnostic=1\n"), ElementsAre(0, 4));
  EXPECT_THAT(rows("nms-class-agnostic=0\n"), ElementsAre(0, 2, 4));
  EXPECT_THAT(wrong("cluster-mode=none\nnms-class-agnostic=1\n"), HasSubstr("nms and hybrid"));
}

TEST(DetectorKeys, SizeLimitsAreAskedForInFramePixels) {
  const auto limited = detector(
      "[class-attrs-all]\ndetected-min-w=10\ndetected-min-h=20\n"
      "[class-attrs-1]\ndetected-max-w=30\ndetected-max-h=40\ndetected-min-h=0\n");
  const auto accepts = [](const Postprocessor& detector, int class_id, float width, float height) {
    return detector.admitted(class_id, {5, 6, width, height}, {640, 480}).has_value();
  };
  EXPECT_TRUE(accepts(*limited, 0, 10, 20));
  EXPECT_FALSE(accepts(*limited, 0, 9.9f, 20));
  EXPECT_FALSE(accepts(*limited, 0, 10, 19.9f));
  EXPECT_TRUE(accepts(*limited, 0, 1e9f, 1e9f));
  EXPECT_TRUE(accepts(*limited, 1, 30, 1));
  EXPECT_FALSE(accepts(*limited, 1, 9, 1));
  EXPECT_FALSE(accepts(*limited, 1, 30.1f, 1));
  EXPECT_FALSE(accepts(*limited, 1, 30, 40.1f));
  EXPECT_FALSE(accepts(*limited, 0, kNan, 20));
  EXPECT_FALSE(accepts(*limited, 2, 20, 20));
  EXPECT_TRUE(accepts(*detector("[class-attrs-all]\ndetected-max-w=0\n"), 0, 500, 1));
}

// Of a frame of 100 rows the first 10 and the last 20 are out.
constexpr const char* kRoi = "[class-attrs-0]\nroi-top-offset=10\nroi-bottom-offset=20\n";

std::optional<Rect> admitted(const std::string& keys, int class_id, float top, float bottom) {
  return detector(keys + kRoi)->admitted(class_id, {30, top, 5, bottom - top}, {200, 100});
}

TEST(DetectorKeys, RowsThatNoBoxMayReachIntoAreOfAClass) {
  EXPECT_TRUE(admitted("", 0, 10, 80));
  EXPECT_FALSE(admitted("", 0, 9.9f, 80));
  EXPECT_FALSE(admitted("", 0, 10, 80.1f));
  EXPECT_FALSE(admitted("", 0, 0, 5));
  // Without an offset a box may even reach beyond the frame.
  EXPECT_TRUE(admitted("", 1, -3, 105));
}

TEST(DetectorKeys, BoxesAreCutToTheRowsTheyMayBeIn) {
  const std::string cut = "crop-objects-to-roi-boundary=1\n";
  const auto expect = [&](float top, float bottom, float cut_top, float cut_bottom) {
    const auto box = admitted(cut, 0, top, bottom);
    ASSERT_TRUE(box);
    EXPECT_EQ(box->x, 30);
    EXPECT_EQ(box->width, 5);
    EXPECT_EQ(box->y, cut_top);
    EXPECT_EQ(box->bottom(), cut_bottom);
  };
  expect(10, 80, 10, 80);
  expect(4, 80, 10, 80);
  expect(20, 95, 20, 80);
  expect(-4, 105, 10, 80);
  EXPECT_FALSE(admitted(cut, 0, 0, 10));
  EXPECT_FALSE(admitted(cut, 0, 80, 90));
  EXPECT_TRUE(admitted(cut, 1, -4, 105));
  EXPECT_FALSE(admitted("crop-objects-to-roi-boundary=0\n", 0, 4, 80));
}

TEST(DetectorKeys, NumDetectedClasses) {
  EXPECT_THAT(rows("num-detected-classes=2\n"), ElementsAre(0, 2, 4));
  EXPECT_THAT(rows("num-detected-classes=1\n"), ElementsAre(0, 4));
  EXPECT_THAT(wrong("num-detected-classes=3\n"), HasSubstr("tells apart 2"));
}

TEST(DetectorKeys, FilterOutClassIds) {
  EXPECT_THAT(rows("filter-out-class-ids=0\n"), ElementsAre(2));
  EXPECT_THAT(rows("filter-out-class-ids=1;\n"), ElementsAre(0, 4));
  EXPECT_THAT(rows("filter-out-class-ids=0;1\n"), ElementsAre());
  EXPECT_THAT(wrong("filter-out-class-ids=2\n"), HasSubstr("from 0 to 1"));
  EXPECT_THAT(wrong("filter-out-class-ids=-1\n"), HasSubstr("from 0 to 1"));
}

TEST(DetectorKeys, FilteredOutAlsoWhereScoresAreNotProbabilities) {
  const std::vector<Tensor> blaze = {
      Tensor::copy_of("s", {896, 1}, std::vector<float>(896, kHuge)),
      Tensor::copy_of("r", {896, 16}, std::vector<float>(896 * 16, 5))};
  const NetworkShape network = network_of({128, 128}, blaze);
  EXPECT_FALSE(
      make("[property]\nmodel-family=blazeface\n", network)->decode(blaze).detections.empty());
  EXPECT_TRUE(make("[property]\nmodel-family=blazeface\nfilter-out-class-ids=0\n", network)
                  ->decode(blaze)
                  .detections.empty());
}

TEST(DetectorKeys, GroupsOfClassesThatAreNotThere) {
  EXPECT_THAT(wrong("[class-attrs-2]\ntopk=1\n"), HasSubstr("[class-attrs-2]: the network has 2"));
  EXPECT_THAT(wrong("[class-attrs-x]\ntopk=1\n"), HasSubstr("no such group"));
  EXPECT_THAT(wrong("[class-attrs-99999999999]\ntopk=1\n"), HasSubstr("no such group"));
  EXPECT_THAT(wrong("[class-attrs-0]\ntopkk=1\n"), HasSubstr("Did you mean topk?"));
}

TEST(DetectorKeys, Labels) {
  const auto labels = [](const std::string& text) {
    std::vector<std::string> found;
    for (const Detection& detection : detector(text)->decode(outputs()).detections)
      found.push_back(detection.label);
    return found;
  };
  EXPECT_THAT(labels(""), ElementsAre("class 0", "class 1", "class 0"));
  EXPECT_THAT(labels("labels=face; ear\n"), ElementsAre("face", "ear", "face"));
  EXPECT_THAT(wrong("labels=face\n"),
              HasSubstr("test.ini:3: labels = face: holds 1 labels, expected 2"));
}

class LabelFile : public testing::Test {
 protected:
  LabelFile() { std::filesystem::create_directories(directory_); }
  ~LabelFile() override { std::filesystem::remove_all(directory_); }

  std::string label_of(const std::string& content) {
    write(content);
    return make(kProperty + "labelfile-path=labels.txt\n", network_of({100, 100}, outputs()),
                directory_)
        ->decode(outputs())
        .detections.at(1)
        .label;
  }
  std::string wrong_file(const std::string& content) {
    write(content);
    return complaint_of("labelfile-path=labels.txt\n");
  }
  std::string complaint_of(const std::string& text) {
    return complaint(kProperty + text, network_of({100, 100}, outputs()), directory_);
  }
  void write(const std::string& content) {
    std::ofstream(directory_ / "labels.txt", std::ios::binary) << content;
  }

  std::filesystem::path directory_ = std::filesystem::path(testing::TempDir()) /
                                     ("sightline-labels-" + std::to_string(::getpid()));
};

TEST_F(LabelFile, ALabelALine) {
  EXPECT_EQ(label_of("face\near\n"), "ear");
  EXPECT_EQ(label_of("\xef\xbb\xbf"
                     "face\r\n\r\n  inner ear \r\n\n"),
            "inner ear");
  EXPECT_EQ(label_of("face\nOhr ä"), "Ohr ä");
}

TEST_F(LabelFile, OneThatDoesNotFitIsAnErrorWithFileAndLine) {
  EXPECT_THAT(wrong_file("face\n"), HasSubstr("test.ini:3: labelfile-path = labels.txt: holds 1"));
  EXPECT_THAT(wrong_file("a\nb\nc\n"), HasSubstr("holds 3 labels, expected 2"));
  EXPECT_THAT(wrong_file(""), HasSubstr("holds 0 labels"));
  EXPECT_THAT(wrong_file(std::string("a\0b\nc\n", 6)), HasSubstr("no text file"));
  EXPECT_THAT(wrong_file(std::string(2 << 20, 'a')), HasSubstr("1 MiB"));
  EXPECT_THAT(complaint_of("labelfile-path=none.txt\n"), HasSubstr("cannot read"));
  EXPECT_THAT(complaint_of("labelfile-path=.\n"), HasSubstr("is a folder"));
  write("a\nb\n");
  EXPECT_THAT(complaint_of("labels=a;b\nlabelfile-path=labels.txt\n"), HasSubstr("keep one"));
}

}  // namespace
}  // namespace sightline
