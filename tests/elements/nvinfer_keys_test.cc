// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Each of nvinfer's keys that is applied makes a difference that can be seen; each other one is
// refused or passed over, and says so.

#include <fstream>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nvinfer_fixture.h"
#include "stage/config_keys.h"
#include "stage/model.h"

namespace sightline {
namespace {

using ::testing::AllOf;
using testing::Element;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Ptr;
using testing::start_error;

const std::string kRaw = "model-family=raw\n";
const std::string kOnObjects = "model-family=raw\nprocess-mode=2\n";
const std::string kClasses = "model-family=classifier\noutput-blob-names=mean\napply-softmax=1\n";
const std::string kDetector = "model-family=decoded-boxes\n";
const std::string kMasks = "model-family=yolov8-seg\n";
const std::string kMap = "model-family=segmentation\n";
const std::string kLibrary = std::string("custom-lib-path=") + PARSERS + "/libanswers";
const std::string kParsers = kLibrary + ".so\nlabels=road;sky\n";

// Two configurations that differ in one key, or in its value.
struct Difference {
  std::string key;
  std::string network;
  std::string common;  // keys of [property]
  std::string first, second;
  std::string group = {};   // where the key is, if not in [property]
  std::string groups = {};  // other groups

  friend void PrintTo(const Difference& it, std::ostream* out) { *out << it.key; }
};

class NvinferKeys : public testing::NvinferTest, public ::testing::TestWithParam<Difference> {
 protected:
  void SetUp() override {
    folder_.write("cats.txt", "cat\ndog\n");
    folder_.write("birds.txt", "crow\nowl\n");
    folder_.write("colors.txt", "red;green;blue\n");
    folder_.write("shades.txt", "rose;lime;navy\n");
    write_picture("mean.ppm", 20), write_picture("bright.ppm", 200);
    folder_.write("input.bin", std::string(3 * kSide * kSide * 4, '\0'));
    folder_.write("other.bin", std::string(3 * kSide * kSide * 4, '\x3f'));
    folder_.write("zeros.bin", std::string(12, '\0'));
    folder_.write("ones.bin", std::string(12, '\x3f'));
    previous_ = std::filesystem::current_path();
    std::filesystem::create_directory(folder_.path() / "out");
    std::filesystem::current_path(folder_.path() / "out");
  }
  void TearDown() override { std::filesystem::current_path(previous_); }

  void write_picture(const std::string& name, int level) const {
    folder_.write(name,
                  "P6 16 16 255\n" + std::string(3 * kSide * kSide, static_cast<char>(level)));
  }

  // Everything that can be seen of a stage with this configuration.
  std::string observed(const Difference& difference, const std::string& line) {
    const bool in_group = !difference.group.empty();
    const std::string id = difference.key == "gie-unique-id" ? "" : "gie-unique-id=7\n";
    const bool of_batches = difference.key == "batch-size" || difference.key == "warmup-engine";
    const std::string batch = of_batches ? "" : "batch-size=2\n";  // else it is measured
    const std::string file =
        config(difference.network, id + batch + difference.common + (in_group ? "" : line) + "\n",
               (in_group ? "[" + difference.group + "]\n" + line + "\n" : "") + difference.groups);
    const std::string description = "sightinfer name=stage max-in-flight=1 config-file=" + file;
    std::string seen = testing::said_when_opened(description, GST_MESSAGE_INFO);
    auto element = std::make_unique<Element>(description);
    element->set_caps(testing::video_caps("RGB", kWidth, kHeight));
    for (guint64 number = 0; number < 4; ++number) {
      const Ptr<GstBuffer> out = element->through(scene(number));
      if (out == nullptr) {
        seen += "stopped: " + element->error_text();
        break;
      }
      const SightFrame* frame = sight_buffer_get_frame(out.get());
      seen += described(frame);
    }
    seen += figures(*element) + files();
    return without(seen, file);
  }

  static std::string figures(Element& element) {
    GstStructure* stats = nullptr;
    gchar* engine = nullptr;
    g_object_get(element.element(), "stats", &stats, "engine", &engine, nullptr);
    std::string text;
    for (const char* name : {"runs", "items", "skipped", "objects-looked-at"}) {
      guint64 value = 0;
      gst_structure_get_uint64(stats, name, &value);
      text += std::string(name) + " " + std::to_string(value) + "\n";
    }
    const std::string words = engine;
    text += words.substr(0, words.find("batch:") + 14);
    g_free(engine);
    gst_structure_free(stats);
    return text;
  }
  // The names of the files that were written, which are removed.
  static std::string files() {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator("."))
      names.insert(entry.path().filename().string());
    std::string text;
    for (const std::string& name : names) {
      text += name + "\n";
      std::filesystem::remove(name);
    }
    return text;
  }
  static std::string without(std::string text, const std::string& words) {
    for (auto at = text.find(words); at != std::string::npos; at = text.find(words))
      text.erase(at, words.size());
    return text;
  }

  std::filesystem::path previous_;
};

TEST_P(NvinferKeys, TwoValuesMakeADifference) {
  const Difference& difference = GetParam();
  const std::string first = observed(difference, difference.first);
  const std::string second = observed(difference, difference.second);
  EXPECT_THAT(first, Not(HasSubstr("stopped")));
  EXPECT_THAT(second, Not(HasSubstr("stopped")));
  EXPECT_TRUE(first != second) << difference.first << " and " << difference.second
                               << " give the same:\n"
                               << first;
  EXPECT_TRUE(first == observed(difference, difference.first)) << "it differs by itself";
}

const Difference kDifferences[] = {
    {"gie-unique-id", "mean", kRaw, "gie-unique-id=7", "gie-unique-id=8"},
    {"process-mode", "mean", kRaw, "process-mode=1", "process-mode=2"},
    {"batch-size", "mean", kRaw, "batch-size=1", "batch-size=3"},
    {"interval", "mean", kRaw, "interval=0", "interval=2"},
    {"network-type", "mean", "output-blob-names=mean\n", "network-type=1", "network-type=100"},
    {"is-classifier", "mean", "output-blob-names=mean\n", "is-classifier=1", "network-type=100"},
    {"operate-on-gie-id", "mean", kOnObjects, "operate-on-gie-id=1", "operate-on-gie-id=-1"},
    {"operate-on-class-ids", "mean", kOnObjects, "operate-on-class-ids=0;1",
     "operate-on-class-ids=2"},
    {"filter-out-class-ids", "detector", kDetector, "filter-out-class-ids=0",
     "filter-out-class-ids=1"},
    {"input-object-min-width", "mean", kOnObjects, "input-object-min-width=0",
     "input-object-min-width=10"},
    {"input-object-min-height", "mean", kOnObjects, "input-object-min-height=0",
     "input-object-min-height=12"},
    {"input-object-max-width", "mean", kOnObjects, "input-object-max-width=0",
     "input-object-max-width=12"},
    {"input-object-max-height", "mean", kOnObjects, "input-object-max-height=0",
     "input-object-max-height=20"},
    {"secondary-reinfer-interval", "mean", kOnObjects, "secondary-reinfer-interval=0",
     "secondary-reinfer-interval=2"},
    {"network-mode", "mean", kRaw, "network-mode=0", "network-mode=2"},
    {"infer-dims", "open", kRaw, "infer-dims=3;8;8", "infer-dims=3;5;7"},
    {"output-blob-names", "mean", kRaw, "output-blob-names=mean", "output-blob-names=mean;largest"},
    {"warmup-engine", "mean", kRaw + "batch-size=3\n", "warmup-engine=0", "warmup-engine=1"},
    {"stabilize-buffer-count", "mean", kRaw, "stabilize-buffer-count=0",
     "stabilize-buffer-count=2"},
    {"net-scale-factor", "mean", kRaw, "net-scale-factor=1", "net-scale-factor=0.5"},
    {"offsets", "mean", kRaw, "offsets=0;0;0", "offsets=1;2;3"},
    {"mean-file", "mean", kRaw, "mean-file=mean.ppm", "mean-file=bright.ppm"},
    {"model-color-format", "mean", kRaw, "model-color-format=0", "model-color-format=1"},
    {"maintain-aspect-ratio", "mean", kRaw, "maintain-aspect-ratio=0", "maintain-aspect-ratio=1"},
    {"symmetric-padding", "mean", kRaw + "maintain-aspect-ratio=1\nattach-input-tensor=1\n",
     "symmetric-padding=0", "symmetric-padding=1"},
    {"scaling-filter", "mean", kRaw, "scaling-filter=0", "scaling-filter=1"},
    {"input-tensor-from-meta", "mean", kRaw, "input-tensor-from-meta=0",
     "input-tensor-from-meta=1"},
    {"labelfile-path", "detector", kDetector, "labelfile-path=cats.txt",
     "labelfile-path=birds.txt"},
    {"num-detected-classes", "detector", kDetector, "num-detected-classes=1",
     "num-detected-classes=2"},
    {"cluster-mode", "detector", kDetector, "cluster-mode=2", "cluster-mode=4"},
    {"classifier-type", "mean", kClasses, "classifier-type=color", "classifier-type=shade"},
    {"classifier-threshold", "mean", kClasses, "classifier-threshold=0", "classifier-threshold=1"},
    {"output-tensor-meta", "detector", kDetector, "output-tensor-meta=0", "output-tensor-meta=1"},
    {"custom-lib-path", "mean", "parse-bbox-func-name=small_box\nlabels=car\n", kLibrary + ".so",
     kLibrary + "_elsewhere.so"},
    {"parse-bbox-func-name", "mean", kParsers, "parse-bbox-func-name=small_box",
     "parse-bbox-func-name=large_box"},
    {"parse-bbox-instance-mask-func-name", "mean", kParsers + "network-type=3\n",
     "parse-bbox-instance-mask-func-name=small_mask",
     "parse-bbox-instance-mask-func-name=large_mask"},
    {"parse-classifier-func-name", "mean", kParsers, "parse-classifier-func-name=says_yes",
     "parse-classifier-func-name=says_no"},
    {"parse-segmentation-func-name", "mean", kParsers, "parse-segmentation-func-name=all_road",
     "parse-segmentation-func-name=all_sky"},
    {"raw-output-file-write", "mean", kRaw, "raw-output-file-write=0", "raw-output-file-write=1"},
    {"dump-input-tensor", "mean", kRaw, "dump-input-tensor=0", "dump-input-tensor=1"},
    {"dump-output-tensor", "mean", kRaw, "dump-output-tensor=0", "dump-output-tensor=1"},
    {"overwrite-input-tensor", "mean", kRaw + "ip-tensor-file=input.bin\n",
     "overwrite-input-tensor=0", "overwrite-input-tensor=1"},
    {"ip-tensor-file", "mean", kRaw + "overwrite-input-tensor=1\n", "ip-tensor-file=input.bin",
     "ip-tensor-file=other.bin"},
    {"overwrite-output-tensor", "mean", kRaw + "op-tensor-files=zeros.bin;zeros.bin\n",
     "overwrite-output-tensor=0", "overwrite-output-tensor=1"},
    {"op-tensor-files", "mean", kRaw + "overwrite-output-tensor=1\n",
     "op-tensor-files=zeros.bin;zeros.bin", "op-tensor-files=ones.bin;zeros.bin"},
    {"pre-cluster-threshold", "detector", kDetector, "pre-cluster-threshold=0.2",
     "pre-cluster-threshold=0.7", "class-attrs-all"},
    {"threshold", "detector", kDetector, "threshold=0.2", "threshold=0.7", "class-attrs-1"},
    {"post-cluster-threshold", "detector", kDetector, "post-cluster-threshold=0",
     "post-cluster-threshold=0.7", "class-attrs-all"},
    {"nms-iou-threshold", "detector", kDetector, "nms-iou-threshold=0.3", "nms-iou-threshold=0.6",
     "class-attrs-0"},
    {"topk", "detector", kDetector, "topk=0", "topk=1", "class-attrs-all"},
    {"detected-min-w", "detector", kDetector, "detected-min-w=0", "detected-min-w=22",
     "class-attrs-all"},
    {"detected-min-h", "detector", kDetector, "detected-min-h=0", "detected-min-h=19.3",
     "class-attrs-all"},
    {"detected-max-w", "detector", kDetector, "detected-max-w=0", "detected-max-w=22",
     "class-attrs-all"},
    {"detected-max-h", "detector", kDetector, "detected-max-h=0", "detected-max-h=19",
     "class-attrs-all"},
    {"roi-top-offset", "detector", kDetector, "roi-top-offset=0", "roi-top-offset=5",
     "class-attrs-0"},
    {"roi-bottom-offset", "detector", kDetector, "roi-bottom-offset=0", "roi-bottom-offset=5",
     "class-attrs-1"},
    {"crop-objects-to-roi-boundary", "detector", kDetector, "crop-objects-to-roi-boundary=0",
     "crop-objects-to-roi-boundary=1", "", "[class-attrs-0]\nroi-top-offset=5\n"},
    {"eps", "detector", kDetector + "cluster-mode=1\n", "eps=0.1", "eps=0.7", "class-attrs-all"},
    {"minBoxes", "detector", kDetector + "cluster-mode=1\n", "minBoxes=1", "minBoxes=2",
     "class-attrs-all"},
    {"dbscan-min-score", "detector", kDetector + "cluster-mode=1\n", "dbscan-min-score=0.1",
     "dbscan-min-score=0.85", "class-attrs-all"},
    {"group-threshold", "detector", kDetector + "cluster-mode=0\n", "group-threshold=0",
     "group-threshold=1", "class-attrs-all"},
    {"output-instance-mask", "masks", kMasks, "output-instance-mask=0", "output-instance-mask=1"},
    {"segmentation-threshold", "map", kMap, "segmentation-threshold=0",
     "segmentation-threshold=0.5"},
    {"segmentation-output-order", "map", kMap, "segmentation-output-order=0",
     "segmentation-output-order=1"},
    {"border-color", "detector", kDetector, "border-color=1;0;0;1", "border-color=0;1;0;1",
     "class-attrs-0"},
    {"bg-color", "detector", kDetector, "bg-color=1;0;0;0.5", "bg-color=0;1;0;0.5",
     "class-attrs-all"},
};

INSTANTIATE_TEST_SUITE_P(Each, NvinferKeys, ::testing::ValuesIn(kDifferences),
                         [](const auto& keys) {
                           std::string name = keys.param.key;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// Keys whose test is elsewhere, since both values cannot be set in one configuration.
const std::set<std::string> kElsewhere = {
    "onnx-file",
    "gpu-id",
    "network-input-order",
    "enable-dbscan",          // below
    "classifier-async-mode",  // sightinfer_late_test.cc
};
TEST(NvinferKeysTable, EachAppliedKeyHasATest) {
  std::set<std::string> tested = kElsewhere;
  for (const Difference& difference : kDifferences) tested.insert(difference.key);
  for (const ConfigKey& key : config_keys()) {
    EXPECT_TRUE(key.use != KeyUse::kApplied || tested.contains(std::string(key.name))) << key.name;
  }
}

class NvinferFile : public testing::NvinferTest, public ::testing::Test {
 protected:
  std::string error_of(const std::string& network, const std::string& keys,
                       const std::string& properties = "") const {
    return start_error("sightinfer config-file=" + config(network, keys) + " " + properties);
  }
  static std::string said_by(const std::string& description, GstMessageType types) {
    return testing::said_when_opened("sightinfer " + description, types);
  }
  static std::string results(const std::string& description) {
    Element element("sightinfer max-in-flight=1 " + description);
    element.set_caps(testing::video_caps("RGB", kWidth, kHeight));
    const Ptr<GstBuffer> out = element.through(scene(0));
    return out == nullptr ? element.error_text() : described(sight_buffer_get_frame(out.get()));
  }
};

TEST_F(NvinferFile, RefusedKeysSayWhatToUseInstead) {
  for (const ConfigKey& key : config_keys()) {
    if (key.use != KeyUse::kRefused) continue;
    const std::string line = std::string(key.name) + "=1\n";
    const std::string file = bare_config("refused.ini", "[property]\nmodel-family=raw\n" + line);
    EXPECT_THAT(start_error("sightinfer config-file=" + file),
                AllOf(HasSubstr("refused.ini:3: " + std::string(key.name)),
                      HasSubstr(std::string(key.text))));
    // Beside what says what to do instead, a warning is enough.
    EXPECT_THAT(said_by("config-file=" + config("mean", kRaw + line), GST_MESSAGE_WARNING),
                AllOf(HasSubstr(std::string(key.name) + " is passed over"),
                      HasSubstr(std::string(key.text))));
  }
}

TEST_F(NvinferFile, ADetectorWithoutAFamilyIsDetectNet) {
  const std::string file =
      bare_config("detector.txt", "[property]\nonnx-file=detector.onnx\nnetwork-type=0\n");
  EXPECT_THAT(start_error("sightinfer config-file-path=" + file), HasSubstr("coverage"));
  EXPECT_THAT(start_error("sightinfer config-file=" + file),
              HasSubstr("a detector needs model-family"));
}

TEST_F(NvinferFile, KeysWithoutMeaningAreNamedOnce) {
  std::string lines;
  for (const ConfigKey& key : config_keys())
    if (key.use == KeyUse::kMeaningless) lines += std::string(key.name) + "=1\n";
  const std::string said = said_by("config-file=" + config("mean", kRaw + lines), GST_MESSAGE_INFO);
  for (const char* name : {"enable-dla", "use-dla-core", "scaling-compute-hw", "workspace-size",
                           "force-implicit-batch-dim", "layer-device-precision", "strongly-typed",
                           "dynamic-properties", "auto-inc-mem", "max-gpu-mem-per",
                           "tensor-meta-pool-size", "parse-func"}) {
    const auto at = said.find(name);
    ASSERT_NE(at, std::string::npos) << name;
    EXPECT_EQ(said.find(name, at + 1), std::string::npos) << name;
  }
}

TEST_F(NvinferFile, IsReadAsYamlAsItIsAsIni) {
  const std::string keys =
      "model-family=decoded-boxes\noffsets=1;2;3\nnet-scale-factor=0.5\nlabels=cat;dog\n";
  const std::string ini = config("detector", keys, "[class-attrs-1]\nnms-iou-threshold=0.6\n");
  const std::string yaml = bare_config(
      "detector.yml",
      "property:\n  onnx-file: detector.onnx\n  engine-workers: 1\n  engine-threads: 1\n"
      "  model-family: decoded-boxes\n  offsets: 1;2;3\n  net-scale-factor: 0.5\n"
      "  labels: [cat, dog]\nclass-attrs-1:\n  nms-iou-threshold: 0.6\n");
  const std::string from_ini = results("unique-id=5 config-file=" + ini);
  EXPECT_THAT(from_ini, HasSubstr("cat"));
  EXPECT_EQ(from_ini, results("unique-id=5 config-file=" + yaml));
}

TEST_F(NvinferFile, PropertiesComeBeforeTheFile) {
  struct Case {
    const char *key, *other, *property;
  };
  for (const Case& it :
       {Case{"process-mode=1", "process-mode=2", "process-mode=secondary"},
        Case{"operate-on-gie-id=7", "operate-on-gie-id=1", "infer-on-gie-id=1"},
        Case{"operate-on-class-ids=7", "operate-on-class-ids=0;2", "infer-on-class-ids=0:2"},
        Case{"gie-unique-id=7", "gie-unique-id=5", "unique-id=5"},
        Case{"attach-input-tensor=0", "attach-input-tensor=1", "attach-input-tensor=true"}}) {
    const std::string mode =
        std::string_view(it.key).starts_with("process-mode") ? "" : "process-mode=2\n";
    const std::string id = std::string_view(it.key).starts_with("gie") ? "" : "gie-unique-id=5\n";
    const auto seen = [&](const std::string& line, const std::string& properties) {
      return results("config-file=" + config("mean", kRaw + mode + id + line) + " " + properties);
    };
    EXPECT_EQ(seen(it.key, it.property), seen(it.other, "")) << it.property;
    EXPECT_NE(seen(it.key, it.property), seen(it.key, "")) << it.property;
  }
  const std::string detector = config("detector", kDetector + "filter-out-class-ids=0\n");
  EXPECT_THAT(results("filter-out-class-ids=1 config-file=" + detector), HasSubstr("class 0"));
  EXPECT_THAT(results("config-file=" + detector), Not(HasSubstr("class 0")));
  EXPECT_THAT(results("output-tensor-meta=true config-file=" + detector), HasSubstr("scores#"));
  EXPECT_THAT(error_of("mean", kRaw, "infer-on-class-ids=cat"),
              HasSubstr("the property infer-on-class-ids"));
}

// nvinfer's defaults, which are said, hold with config-file-path; ours hold with config-file.
TEST_F(NvinferFile, ItsPathMeansItsDefaults) {
  const std::string keys = "network-type=100\nprocess-mode=2\nattach-input-tensor=1\n";
  const std::string file = config("mean", keys);
  const std::string said = said_by("config-file-path=" + file, GST_MESSAGE_INFO);
  EXPECT_THAT(said, AllOf(HasSubstr("compat=deepstream"), HasSubstr("scaling-filter = nearest"),
                          HasSubstr("pad-value = 0"), HasSubstr("crop-rounding = even"),
                          HasSubstr("batch-size = 1"), HasSubstr("gie-unique-id = 15")));
  const std::string own = results("unique-id=5 config-file=" + file);
  const std::string theirs = results("unique-id=5 config-file-path=" + file);
  EXPECT_NE(own, theirs);
  EXPECT_EQ(theirs, results("unique-id=5 compat=deepstream config-file=" + file));
  EXPECT_EQ(theirs,
            results("unique-id=5 config-file=" + config("mean", keys + "compat=deepstream\n")));
  EXPECT_EQ(theirs,
            results("unique-id=5 config-file=" +
                    config("mean", keys + "scaling-filter=0\ncrop-rounding=even\npad-value=0\n")));
}

TEST_F(NvinferFile, ClusterModeZeroIsWhatNvinferMakesOfIt) {
  const std::string attributes = "[class-attrs-all]\nnms-iou-threshold=0.01\n";
  for (const char* mode : {"", "cluster-mode=0\n"}) {
    // Boxes 0 and 1 overlap by 0.43: both stay at nvinfer's 0.5.
    const std::string file = config("detector", kDetector + mode, attributes);
    const std::string theirs = results("unique-id=5 config-file-path=" + file);
    EXPECT_EQ(theirs, results("unique-id=5 compat=deepstream config-file=" +
                              config("detector", kDetector + "cluster-mode=2\n",
                                     "[class-attrs-all]\nnms-iou-threshold=0.5\ntopk=20\n")))
        << mode;
  }
  const std::string two = results("unique-id=5 config-file-path=" +
                                  config("detector", kDetector + "cluster-mode=2\n", attributes));
  EXPECT_TRUE(two !=
              results("unique-id=5 config-file-path=" + config("detector", kDetector, attributes)));
}

// Its reader passes over what means nothing to a kind of network, and takes the last of two.
TEST_F(NvinferFile, IsTakenAsItIs) {
  const std::string keys =
      "network-type=100\nmodel-color-format=0\nmodel-color-format=1\nclassifier-threshold=0.5\n"
      "num-detected-classes=4\nmodel-engine-file=m.onnx_b1_gpu0_fp16.engine\nnetwork-mode=2\n"
      "gpu-id=0\nnetwork-input-order=0\n";
  const std::string file = config("mean", keys, "[class-attrs-all]\ntopk=20\n");
  EXPECT_EQ(results("unique-id=5 config-file-path=" + file),
            results("unique-id=5 compat=deepstream config-file=" +
                    config("mean", "network-type=100\nmodel-color-format=1\n")));
  const std::string said = said_by("config-file-path=" + config("mean", keys), GST_MESSAGE_INFO);
  EXPECT_THAT(said, AllOf(HasSubstr("of no effect here"), HasSubstr("num-detected-classes"),
                          HasSubstr("network-mode = 2")));
}

TEST_F(NvinferFile, WhatItDoesNotKnowIsPassedOverWithAWarning) {
  const std::string file = config("mean", kRaw + "network-tpye=1\n", "[extra]\na=b\n");
  EXPECT_THAT(
      said_by("config-file-path=" + file, GST_MESSAGE_WARNING),
      AllOf(HasSubstr("network-tpye: no such key in [property]. Did you mean network-type?"),
            HasSubstr("[extra]: no such group"), HasSubstr("passed over, as by nvinfer")));
  EXPECT_THAT(start_error("sightinfer config-file=" + file), HasSubstr("[extra]: no such group"));
  const std::string theirs = results("unique-id=5 config-file-path=" + file);
  EXPECT_EQ(theirs, results("unique-id=5 config-file-path=" + config("mean", kRaw)));
}

// The files of NVIDIA's samples have keys of every way of clustering, whichever is chosen.
TEST_F(NvinferFile, SamplesRunAsTheyAre) {
  const std::string plain =
      results("unique-id=5 config-file-path=" +
              config("detector", kDetector + "cluster-mode=2\n", "[class-attrs-all]\ntopk=20\n"));
  const std::string sample = kDetector +
                             "cluster-mode=2  # NMS\nsymmetric-padding=1\nclassifier-async-mode=1\n"
                             "secondary-reinfer-interval=90\nclassifier-threshold=0.51\n";
  EXPECT_EQ(plain, results("unique-id=5 config-file-path=" +
                           config("detector", sample,
                                  "[class-attrs-all]\ntopk=20\neps=0.2\ngroup-threshold=1\n"
                                  "minBoxes=3\nthreshold=0.9\npre-cluster-threshold=0.2\n")));
  EXPECT_THAT(error_of("detector", kDetector + "symmetric-padding=1\n"),
              HasSubstr("needs maintain-aspect-ratio"));
}

TEST_F(NvinferFile, ANetworkThatIsNotThereIsNamedByItsLine) {
  EXPECT_THAT(start_error("sightinfer config-file=" +
                          bare_config("gone.ini", "[property]\nonnx-file=gone.onnx\n")),
              AllOf(HasSubstr("gone.ini:2: "), HasSubstr("gone.onnx: no such model")));
}

// A key that another kind of network reads is no unknown one.
TEST_F(NvinferFile, AKeyThatNobodyReadsIsAnErrorWithOurDefaults) {
  EXPECT_THAT(error_of("detector", kDetector + "output-instance-mask=1\n"),
              HasSubstr("output-instance-mask = 1: has no effect for this kind of network"));
  EXPECT_THAT(error_of("mean", kRaw, "crop-objects-to-roi-boundary=true"),
              HasSubstr("the property crop-objects-to-roi-boundary"));
}

// What a network found within an object moves with the object while it is not looked at again.
TEST_F(NvinferFile, WhatASecondaryDetectorFoundMovesWithItsTrack) {
  Element element("sightinfer max-in-flight=1 unique-id=5 config-file=" +
                  config("detector", kDetector + "process-mode=2\noperate-on-class-ids=0\n"
                                                 "secondary-reinfer-interval=100\n"));
  element.set_caps(testing::video_caps("RGB", kWidth, kHeight));
  std::vector<std::vector<SightBox>> boxes;
  for (int number = 0; number < 3; ++number) {
    Ptr<GstBuffer> buffer = picture();
    sight_frame_set_stream(sight_buffer_edit_frame(buffer.get(), nullptr), "door",
                           static_cast<guint64>(number), nullptr);
    SightObject* car = testing::add_object(buffer, {4.f + 3 * number, 6.f + number, 20, 20}, "car");
    sight_object_set_track(car, 1, nullptr);
    const Ptr<GstBuffer> out = element.through(std::move(buffer));
    const SightFrame* frame = sight_buffer_get_frame(out.get());
    boxes.emplace_back();
    for (guint i = 1; i < sight_frame_get_n_objects(frame); ++i)
      sight_object_get_box(sight_frame_get_object(frame, i), &boxes.back().emplace_back());
  }
  GstStructure* stats = nullptr;
  g_object_get(element.element(), "stats", &stats, nullptr);
  guint64 items = 0;
  gst_structure_get_uint64(stats, "items", &items);
  gst_structure_free(stats);
  EXPECT_EQ(items, 1u);
  ASSERT_GT(boxes[0].size(), 0u);
  for (std::size_t number = 1; number < 3; ++number) {
    ASSERT_EQ(boxes[number].size(), boxes[0].size());
    for (std::size_t i = 0; i < boxes[0].size(); ++i) {
      EXPECT_NEAR(boxes[number][i].x - boxes[0][i].x, 3.0 * static_cast<double>(number), 1e-3);
      EXPECT_NEAR(boxes[number][i].y - boxes[0][i].y, 1.0 * static_cast<double>(number), 1e-3);
    }
  }
}

TEST_F(NvinferFile, KeysThatCannotHaveTwoValuesInOneFileMakeADifference) {
  EXPECT_NE(results("unique-id=5 config-file=" + config("mean", kRaw)),
            results("unique-id=5 config-file=" +
                    bare_config("other.ini",
                                "[property]\nonnx-file=open.onnx\ninfer-dims=3;4;4\n" + kRaw)));
  const auto options = [](const std::string& keys) {
    return EngineOptions::from_config(
        ConfigFile::parse("[property]\nonnx-file=m.onnx\n" + keys, "a.ini"));
  };
  EXPECT_FALSE(options("network-mode=0\n").half_on_gpu);
  EXPECT_FALSE(options("network-mode=1\n").half_on_gpu);
  EXPECT_TRUE(options("network-mode=2\n").half_on_gpu);
  EXPECT_TRUE(options("network-mode=3\n").half_on_gpu);
  EXPECT_FALSE(options("network-mode=2\nprecision=fp32\n").half_on_gpu);
  EXPECT_EQ(options("gpu-id=0\n").device, "auto");
  EXPECT_EQ(options("gpu-id=1\n").device, "auto:1");
  EXPECT_THAT(error_of("mean", kRaw + "network-input-order=1\n"),
              HasSubstr("the network's input is nchw"));
  EXPECT_THAT(
      results("unique-id=5 config-file=" + config("mean", kRaw + "network-input-order=0\n")),
      HasSubstr("mean#5"));
  const auto from_file = [&](const std::string& keys) {
    return Configuration::read(config("detector", kDetector + keys), {})
        .file.peek("property", "cluster-mode");
  };
  EXPECT_EQ(from_file("enable-dbscan=1\n")->text(), "1");
  EXPECT_FALSE(from_file("enable-dbscan=0\n"));
}

}  // namespace
}  // namespace sightline
