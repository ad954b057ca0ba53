// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Libraries of parsers through the whole element: what a frame gets, and what becomes of it when a
// parser does what none should.

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nvinfer_fixture.h"

namespace sightline {
namespace {

using ::testing::AllOf;
using testing::Element;
using ::testing::HasSubstr;
using testing::Ptr;
using testing::start_error;

class NvinferParsers : public testing::NvinferTest, public ::testing::Test {
 protected:
  static std::string library(const std::string& name) {
    return std::string("custom-lib-path=") + PARSERS + "/lib" + name + ".so\n";
  }
  static std::string results(const std::string& description) {
    Element element("sightinfer unique-id=5 max-in-flight=1 " + description);
    element.set_caps(testing::video_caps("RGB", kWidth, kHeight));
    const Ptr<GstBuffer> out = element.through(scene(0));
    return out == nullptr ? element.error_text() : described(sight_buffer_get_frame(out.get()));
  }
};

// The network sees 16 × 16 of 64 × 48: x by 4, y by 3.
TEST_F(NvinferParsers, BoxesOfALibraryAreObjectsOfTheFrame) {
  const std::string keys = library("answers") + "parse-bbox-func-name=small_box\nlabels=tram\n";
  for (const char* way : {"config-file=", "config-file-path="})
    EXPECT_THAT(results(way + config("mean", keys)),
                HasSubstr("\"label\":\"tram\",\"confidence\":0.75,\"box\":[4.0,3.0,12.0,9.0]"))
        << way;
}

TEST_F(NvinferParsers, LabelsOfALibraryNeedNoLabelFile) {
  const std::string keys = library("answers") +
                           "parse-classifier-func-name=says_yes\nnetwork-type=1\nprocess-mode=2\n"
                           "output-blob-names=mean\n";
  EXPECT_THAT(results("config-file-path=" + config("mean", keys)), HasSubstr("\"yes\""));
}

// So a file of nvinfer's runs where a family reads the network, too.
TEST_F(NvinferParsers, AFamilyComesBeforeALibrary) {
  const std::string keys =
      "model-family=decoded-boxes\ncustom-lib-path=/not/there.so\nparse-bbox-func-name=Parse\n";
  const std::string file = config("detector", keys);
  for (const char* way : {"config-file=", "config-file-path="}) {
    EXPECT_THAT(results(way + file), HasSubstr("class 0")) << way;
    EXPECT_THAT(
        testing::said_when_opened(std::string("sightinfer ") + way + file, GST_MESSAGE_WARNING),
        AllOf(HasSubstr("custom-lib-path is passed over"),
              HasSubstr("model-family = decoded-boxes says how the outputs are read")))
        << way;
  }
}

TEST_F(NvinferParsers, AKindOfNetworkTakesTheFunctionOfItsKind) {
  const std::string keys = library("answers") +
                           "parse-classifier-func-name=says_yes\nparse-bbox-func-name=small_box\n"
                           "labels=a\nnetwork-type=";
  EXPECT_THAT(results("config-file-path=" + config("mean", keys + "1\n")), HasSubstr("\"yes\""));
  EXPECT_THAT(results("config-file-path=" + config("mean", keys + "0\n")),
              HasSubstr("\"label\":\"a\""));
}

TEST_F(NvinferParsers, WhatAParserThrowsFailsTheFrameAsOnErrorSays) {
  const std::string file =
      config("mean", library("misbehaving") + "parse-bbox-func-name=throws\nlabels=a\n");
  const std::string complaint =
      "libmisbehaving.so: throws: threw an exception: the anchors are missing";
  EXPECT_THAT(results("on-error=stop config-file=" + file), HasSubstr(complaint));

  Element going_on("sightinfer unique-id=5 max-in-flight=1 on-error=continue config-file=" + file);
  going_on.set_caps(testing::video_caps("RGB", kWidth, kHeight));
  for (guint64 number = 0; number < 2; ++number) {
    const Ptr<GstBuffer> out = going_on.through(scene(number));
    ASSERT_NE(out, nullptr);
    EXPECT_NE(sight_frame_get_user_data(sight_buffer_get_frame(out.get()), "sightline-error:5"),
              nullptr);
  }
  EXPECT_THAT(going_on.warning_text(), HasSubstr(complaint));
  EXPECT_EQ(going_on.error_text(), "");
}

TEST_F(NvinferParsers, WhatCannotBeLoadedNamesTheLine) {
  EXPECT_THAT(
      start_error("sightinfer config-file=" +
                  config("mean", "labels=a\ncustom-lib-path=no.so\nparse-bbox-func-name=Parse\n")),
      AllOf(HasSubstr("mean.ini:6: custom-lib-path = no.so"), HasSubstr("there is no ")));
  EXPECT_THAT(
      start_error("sightinfer config-file=" +
                  config("mean", library("answers") + "labels=a\nparse-bbox-func-name=Parse\n")),
      AllOf(HasSubstr("mean.ini:7: parse-bbox-func-name = Parse"),
            HasSubstr("libanswers.so exports nothing of that name")));
}

}  // namespace
}  // namespace sightline
