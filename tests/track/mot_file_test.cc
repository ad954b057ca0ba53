// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/mot_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "track/scores.h"

namespace sightline::testing {
namespace {

using ::testing::HasSubstr;

std::string complaint(const std::string& text) {
  try {
    parse_mot(text, "gt.txt");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInput);
    return error.what();
  }
  return "no error";
}

TEST(MotFile, ReadsTruthsAndResults) {
  const auto rows = parse_mot(
      "1,2,3.5,4,10,20,1,1,0.86\r\n\n 7, 9 ,-5,0,1e1,2.5,0.3,-1,-1,-1\n3.00,4.0,1,1,1,1", "gt.txt");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].frame, 1);
  EXPECT_EQ(rows[0].identity, 2);
  EXPECT_EQ(rows[0].box, (Rect{3.5f, 4, 10, 20}));
  EXPECT_EQ(rows[0].class_id, 1);
  EXPECT_DOUBLE_EQ(rows[0].visibility, 0.86);
  EXPECT_EQ(rows[1].frame, 7);
  EXPECT_EQ(rows[1].box, (Rect{-5, 0, 10, 2.5f}));
  EXPECT_EQ(rows[1].class_id, -1);
  EXPECT_EQ(rows[2].frame, 3);
  EXPECT_EQ(rows[2].confidence, 1) << "what is not said";
}

TEST(MotFile, WhatIsWrongIsNamedWithItsLine) {
  EXPECT_THAT(complaint("1,1,0,0,1,1\n1,2,3\n"), HasSubstr("gt.txt:2: has 3 columns; expected 6"));
  EXPECT_THAT(complaint("1,1,0,0,1,1,1,1,1,1,1"), HasSubstr("gt.txt:1: has 11 columns"));
  EXPECT_THAT(complaint("0,1,0,0,1,1"),
              HasSubstr("gt.txt:1: frame is \"0\"; expected a whole number from 1"));
  EXPECT_THAT(complaint("1.5,1,0,0,1,1"), HasSubstr("frame is \"1.5\""));
  EXPECT_THAT(complaint("99999999999,1,0,0,1,1"), HasSubstr("frame is larger than"));
  EXPECT_THAT(complaint("1,-1,0,0,1,1"), HasSubstr("id is \"-1\""));
  EXPECT_THAT(complaint("1,1,nan,0,1,1"), HasSubstr("x is \"nan\""));
  EXPECT_THAT(complaint("1,1,0,inf,1,1"), HasSubstr("y is \"inf\""));
  EXPECT_THAT(complaint("1,1,0,0,1e30,1"), HasSubstr("width is \"1e30\""));
  EXPECT_THAT(complaint("1,1,0,0,1,"), HasSubstr("height is \"\""));
  EXPECT_THAT(complaint("1,1,0,0,-1,1"), HasSubstr("width and height"));
  EXPECT_THAT(complaint("1,1,0,0,1,1\n2,1,0,0,1,1\n1,1,5,5,1,1"),
              HasSubstr("gt.txt:3: id 1 is in frame 1 a second time, after line 1"));
  EXPECT_THAT(complaint(std::string("1,1,0,0,1,1\0", 12)), HasSubstr("height is"));
  EXPECT_THROW(read_mot_file("/nowhere/gt.txt"), Error);
  EXPECT_THROW(read_mot_file("/tmp"), Error);
}

TEST(MotFile, ALineReadsBackAsItWas) {
  const MotRow row{12, 34, {1.25f, -2, 30, 40.5f}, 0.5, 1, 0.25};
  const MotRow back = parse_mot(to_mot_line(row), "line").at(0);
  EXPECT_EQ(back.frame, row.frame);
  EXPECT_EQ(back.identity, row.identity);
  EXPECT_EQ(back.box, row.box);
  EXPECT_EQ(back.confidence, row.confidence);
  EXPECT_EQ(back.class_id, row.class_id);
  EXPECT_EQ(back.visibility, row.visibility);
}

TEST(MotFile, WhatIsNotJudgedCountsNeitherWay) {
  const auto truth = parse_mot(
      "1,1,0,0,10,10,1,1,1\n"
      "1,2,100,0,10,10,0,1,1\n"     // confidence 0
      "1,3,200,0,10,10,1,7,1\n"     // another class
      "1,4,300,0,10,10,1,1,0.1\n",  // hidden
      "gt.txt");
  const auto found =
      parse_mot("1,1,0,0,10,10\n1,2,100,0,10,10\n1,3,200,0,10,10\n1,4,300,0,10,10", "found");
  const auto one = parse_mot("1,1,0,0,10,10", "one");
  const auto wrong = parse_mot("1,1,0,0,10,10\n1,9,150,0,10,10", "wrong");
  const MotSelection selection{1, 0.2};
  for (const auto* result : {&found, &one}) {
    const ClearMot score = clear_mot(compare(truth, *result, selection));
    EXPECT_EQ(score.matches, 1u);
    EXPECT_EQ(score.misses, 0u);
    EXPECT_EQ(score.false_positives, 0u);
  }
  EXPECT_EQ(clear_mot(compare(truth, wrong, selection)).false_positives, 1u);
  EXPECT_EQ(clear_mot(compare(truth, one)).misses, 2u) << "all classes, hidden or not";
}

}  // namespace
}  // namespace sightline::testing
