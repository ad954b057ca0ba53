// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parsers with the interface of sightline/postprocess.h: the example's results, and what becomes of
// what none should do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parser_fixture.h"

namespace sightline {
namespace {

using test::floats_of;
using test::parse_complaint;
using test::parsed;
using test::parser_config;
using ::testing::HasSubstr;

const std::vector<Tensor> kTable = {
    floats_of("table", {3, 5},
              {0.5f, 0.5f, 0.5f, 0.25f, 0.9f,    // twice the same
               0.5f, 0.5f, 0.5f, 0.25f, 0.8f,    //
               0.1f, 0.1f, 0.1f, 0.1f, 0.1f})};  // below the threshold

TEST(SightParser, TheExampleFindsItsBoxes) {
  const std::string keys = "parser=center_boxes\nlabels=bottle\n";
  const Results results = parsed(parser_config("center_boxes", keys), {40, 80}, kTable);
  ASSERT_EQ(results.detections.size(), 1u);
  EXPECT_EQ(results.detections[0].box, (Rect{10, 30, 20, 20}));
  EXPECT_EQ(results.detections[0].label, "bottle");
  EXPECT_EQ(results.detections[0].row, 0);
  EXPECT_EQ(parsed(parser_config("center_boxes", keys + "cluster-mode=none"), {40, 80}, kTable)
                .detections.size(),
            2u);
  const Results in_pixels =
      parsed(parser_config("center_boxes", keys + "parser-options=pixels"), {40, 80}, kTable);
  EXPECT_EQ(in_pixels.detections.at(0).box, (Rect{0.25f, 0.375f, 0.5f, 0.25f}));
}

TEST(SightParser, ANetworkThatIsNotItsIsRefusedWhenOpened) {
  const NetworkShape network{{16, 16}, {{"table", ElementType::kFloat32, {3, 6}}}};
  EXPECT_THAT(
      test::complaint(parser_config("center_boxes", "parser=center_boxes\nlabels=a"), network),
      ::testing::AllOf(HasSubstr("parser = center_boxes"),
                       HasSubstr("open() failed: expected one output, float32 [n,5]")));
}

std::string complaint_of(const std::string& parser, const std::string& what) {
  return parse_complaint(parser_config("bad_sight_parsers",
                                       "parser=" + parser + "\nlabels=a;b\nparser-options=" + what),
                         {16, 16}, kTable);
}

TEST(SightParser, WhatNoneShouldDoFailsTheFrame) {
  const auto detector = [](const std::string& what) { return complaint_of("bad_detector", what); };
  const std::string who = "libbad_sight_parsers.so: bad_detector: ";
  EXPECT_EQ(detector("nothing bad"), "no complaint");
  EXPECT_EQ(detector("says nothing"), who + "parse() returned 7, which is failure");
  EXPECT_EQ(detector("says why"), who + "parse() failed: the scene is dark");
  EXPECT_THAT(detector("size"), HasSubstr("set struct_size"));
  EXPECT_THAT(detector("class"), HasSubstr("object 0: class -3, expected 0 to 1"));
  EXPECT_THAT(detector("nan"), HasSubstr("object 0: its box has an edge or size of nan"));
  EXPECT_THAT(detector("negative"), HasSubstr("no negative size"));
  EXPECT_THAT(detector("landmarks"), HasSubstr("3 landmarks"));
  EXPECT_THAT(detector("many landmarks"), HasSubstr("2147483648 landmarks"));
  EXPECT_THAT(detector("mask"), HasSubstr("its mask holds what is no finite number"));
  EXPECT_THAT(detector("mask null"), HasSubstr("null pointer"));
  EXPECT_THAT(detector("mask size"), HasSubstr("its mask is 2147483648"));
  EXPECT_THAT(detector("tensor"), HasSubstr("tensor \"t\""));
  EXPECT_THAT(detector("null tensor"), HasSubstr("a tensor without a name"));
  EXPECT_THAT(detector("label"), HasSubstr("the configuration has no label 9"));
  EXPECT_THAT(detector("label nan"), HasSubstr("its confidence is no finite number"));
  EXPECT_THAT(detector("map"), HasSubstr("gave segmentation, which its kind has not"));
  EXPECT_THAT(complaint_of("bad_segmentation", "map"),
              HasSubstr("a pixel of class 70000, expected -1 to 1"));
  EXPECT_THAT(complaint_of("bad_segmentation", "nothing bad"), HasSubstr("gave objects"));
  EXPECT_THAT(complaint_of("bad_landmarks", "point"), HasSubstr("a landmark at nan"));
}

TEST(SightParser, OpeningMayFail) {
  const auto of = [](const std::string& what) {
    return test::complaint(
        parser_config("bad_sight_parsers", "parser=bad_detector\nlabels=a\nparser-options=" + what),
        test::network_of({16, 16}, kTable));
  };
  EXPECT_THAT(of("open fails"), HasSubstr("open() failed: there are no anchors"));
  EXPECT_THAT(of("open adds"), HasSubstr("labels are not taken here"));
}

}  // namespace
}  // namespace sightline
