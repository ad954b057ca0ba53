// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/configuration.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "stage/config_keys.h"

namespace sightline {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ConfigurationTest : public testing::Test {
 protected:
  Configuration read(const std::string& text, const ModelOverrides& overrides = {},
                     const std::string& name = "net.txt") const {
    return Configuration::read(folder_.write(name, text), overrides);
  }
  static ModelOverrides deepstream() {
    ModelOverrides overrides;
    overrides.compat = Compat::kDeepStream;
    return overrides;
  }
  static std::string value(const Configuration& configuration, const char* key,
                           const char* group = "property") {
    const auto found = configuration.file.peek(group, key);
    return found ? found->text() + " from " + found->where() : "none";
  }

  test::TemporaryFolder folder_;
};

TEST_F(ConfigurationTest, PropertiesLieOverTheFileAndNvinfersDefaultsUnderIt) {
  ModelOverrides overrides = deepstream();
  overrides.set("batch-size", "8");
  overrides.set("operate-on-gie-id", "3", "infer-on-gie-id");
  const Configuration read = this->read(
      "[property]\nonnx-file=a.onnx\nbatch-size=2\nscaling-filter=1\nprocess-mode=2\n", overrides);
  EXPECT_THAT(value(read, "batch-size"),
              AllOf(HasSubstr("8 from"), HasSubstr("the property batch-size")));
  EXPECT_THAT(value(read, "operate-on-gie-id"), HasSubstr("the property infer-on-gie-id"));
  EXPECT_THAT(value(read, "scaling-filter"), AllOf(HasSubstr("1 from"), HasSubstr("net.txt:4")));
  EXPECT_EQ(value(read, "pad-value"), "0 from nvinfer's default");
  EXPECT_EQ(value(read, "net-scale-factor"), "none");
  EXPECT_EQ(value(read, "secondary-reinfer-interval"), "none");
  EXPECT_EQ(value(this->read("[property]\nonnx-file=a.onnx\n"), "pad-value"), "none");
}

// Of nvinfer's secondary classifiers a label holds until the box has grown.
TEST_F(ConfigurationTest, ASecondaryClassifierLooksOnceAtATrack) {
  const Configuration read =
      this->read("[property]\nonnx-file=a.onnx\nprocess-mode=2\nnetwork-type=1\n", deepstream());
  EXPECT_EQ(value(read, "secondary-reinfer-interval"), "2147483647 from nvinfer's default");
  EXPECT_EQ(value(read, "reinfer-sharper"), "0 from nvinfer's default");
}

TEST_F(ConfigurationTest, TheFileMaySayWhoseDefaultsHold) {
  EXPECT_EQ(this->read("[property]\nonnx-file=a.onnx\ncompat=deepstream\n").compat,
            Compat::kDeepStream);
  EXPECT_EQ(this->read("[property]\nonnx-file=a.onnx\n").compat, Compat::kOwn);
  EXPECT_THROW(this->read("[property]\nonnx-file=a.onnx\ncompat=nvidia\n"), Error);
}

TEST_F(ConfigurationTest, RefusalsDependOnWhetherThereIsANetwork) {
  const std::string complaint =
      test::complaint([&] { read("[property]\nmodel-file=a.caffemodel\nproto-file=a.prototxt\n"); },
                      ErrorCode::kConfig);
  EXPECT_THAT(complaint, AllOf(HasSubstr("net.txt:2: model-file = a.caffemodel"),
                               HasSubstr("Convert the network to ONNX and set onnx-file")));
  const Configuration both = read("[property]\nonnx-file=a.onnx\nmodel-engine-file=a.engine\n");
  EXPECT_THAT(both.warnings, ElementsAre(HasSubstr("net.txt:3: model-engine-file is passed over")));
  EXPECT_THAT(read("[property]\nonnx-file=a.onnx\ndisable-output-host-copy=0\n").warnings,
              IsEmpty());
}

TEST_F(ConfigurationTest, WhatAModelIsSaysMoreThanWhatGoesAlong) {
  const auto of = [&](const std::string& keys) {
    return test::complaint([&] { read("[property]\nmodel-engine-file=a.engine\n" + keys); },
                           ErrorCode::kConfig);
  };
  EXPECT_THAT(of("tlt-encoded-model=a.etlt\n"), HasSubstr("net.txt:3: tlt-encoded-model = a.etlt"));
  EXPECT_THAT(of(""), HasSubstr("onnx-file says which network runs"));
}

// As GLib's whole numbers are; a list is none.
TEST_F(ConfigurationTest, NvinferTakesANumberThatHasARemarkBehindIt) {
  const std::string text =
      "[property]\nonnx-file=a.onnx\nbatch-size=4 # frames\ninterval = 2 ; and skip\n"
      "operate-on-class-ids=0 ;1\nfilter-out-class-ids=0 ; 2\nclassifier-type=2 doors\n"
      "cluster-mode=2\nnet-scale-factor=0.5\n[class-attrs-0]\ntopk=3  # best\n";
  const Configuration theirs = read(text, deepstream());
  EXPECT_THAT(value(theirs, "batch-size"), HasSubstr("4 from "));
  EXPECT_THAT(value(theirs, "interval"), HasSubstr("2 from "));
  EXPECT_THAT(value(theirs, "operate-on-class-ids"), HasSubstr("0 ;1 from "));
  EXPECT_THAT(value(theirs, "filter-out-class-ids"), HasSubstr("0 ; 2 from "));
  EXPECT_THAT(value(theirs, "classifier-type"), HasSubstr("2 doors from "));
  EXPECT_THAT(value(theirs, "net-scale-factor"), HasSubstr("0.5 from "));
  EXPECT_THAT(value(theirs, "topk", "class-attrs-0"), HasSubstr("3 from "));
  EXPECT_THAT(value(read(text), "batch-size"), HasSubstr("4 # frames from "));
}

TEST_F(ConfigurationTest, ALibraryWithoutAFunctionForTheKindOfNetworkIsPassedOver) {
  const Configuration other =
      read("[property]\nonnx-file=a.onnx\ncustom-lib-path=lib.so\nparse-classifier-func-name=F\n",
           deepstream());
  EXPECT_THAT(
      other.warnings,
      ElementsAre(HasSubstr("custom-lib-path is passed over: no function of it"),
                  HasSubstr("parse-classifier-func-name is passed over: it is for another")));
  EXPECT_EQ(value(other, "custom-lib-path"), "none");
  const Configuration fitting =
      read("[property]\nonnx-file=a.onnx\ncustom-lib-path=lib.so\nparse-bbox-func-name=F\n",
           deepstream());
  EXPECT_THAT(fitting.warnings, IsEmpty());
  EXPECT_THAT(value(fitting, "custom-lib-path"), HasSubstr("lib.so"));
}

TEST_F(ConfigurationTest, RepeatedKeysAreRefusedUnlessNvinferReadsThem) {
  const std::string text = "[property]\nonnx-file=a.onnx\ninterval=1\ninterval=2\n";
  EXPECT_THAT(test::complaint([&] { read(text); }, ErrorCode::kConfig),
              HasSubstr("already set in line 3"));
  EXPECT_THAT(value(read(text, deepstream()), "interval"), HasSubstr("2 from"));
}

TEST_F(ConfigurationTest, ClusterModeZeroOfNvinferReplacesWhatClassesSay) {
  const Configuration read = this->read(
      "[property]\nonnx-file=a.onnx\n[class-attrs-all]\ntopk=5\n[class-attrs-2]\nnms-iou-threshold="
      "0.1\n",
      deepstream());
  EXPECT_THAT(value(read, "cluster-mode"), HasSubstr("2 from nvinfer's cluster-mode 0"));
  EXPECT_THAT(value(read, "topk", "class-attrs-all"), HasSubstr("20 from"));
  EXPECT_THAT(value(read, "nms-iou-threshold", "class-attrs-2"), HasSubstr("0.5 from"));
  const Configuration one =
      this->read("[property]\nonnx-file=a.onnx\ncluster-mode=1\n", deepstream());
  EXPECT_THAT(value(one, "cluster-mode"), HasSubstr("1 from"));
  EXPECT_EQ(value(one, "topk", "class-attrs-all"), "none");
}

TEST_F(ConfigurationTest, TheReferenceTableNamesEachKeyOnce) {
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const ConfigKey& key : config_keys()) {
    EXPECT_TRUE(names.insert({key.group, key.name}).second) << key.name;
    EXPECT_FALSE(key.text.empty()) << key.name;
  }
  EXPECT_EQ(find_config_key("class-attrs-3", "topk")->use, KeyUse::kApplied);
  EXPECT_EQ(find_config_key("property", "topk"), nullptr);
}

TEST_F(ConfigurationTest, ThePageOfKeysIsWhatTheTableSays) {
  std::ifstream file(DOCS "/nvinfer-keys.md");
  std::ostringstream page;
  page << file.rdbuf();
  EXPECT_TRUE(page.str() == describe_config_keys())
      << "run: sightline config keys > docs/nvinfer-keys.md";
}

}  // namespace
}  // namespace sightline
