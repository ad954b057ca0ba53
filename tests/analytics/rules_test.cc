// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/rules.h"

#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scene_builder.h"

namespace sightline::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string complaint(const std::string& groups) {
  try {
    rules_of(groups);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConfig);
    return error.what();
  }
  return "no complaint";
}

TEST(Rules, PixelsBecomeShares) {
  const Rules rules = rules_of(
      "[property]\nconfig-width=200\nconfig-height=100\nmotion-distance=10\ntrack-timeout=700\n"
      "[line-crossing]\nline-crossing-a = 10;10; 20;20; 100;50; 200;75\nhysteresis=5\n");
  const LineRule& line = rules.lines.general.at(0);
  EXPECT_EQ(line.name, "a");
  EXPECT_EQ(line.from, (Point{0.5f, 0.5f}));
  EXPECT_EQ(line.to, (Point{1, 0.75f}));
  ASSERT_TRUE(line.inwards);
  EXPECT_FLOAT_EQ(line.inwards->x, 0.05f);
  EXPECT_FLOAT_EQ(line.inwards->y, 0.1f);
  EXPECT_FLOAT_EQ(line.hysteresis, 0.05f);
  EXPECT_FLOAT_EQ(rules.motion_distance, 0.1f);
  EXPECT_EQ(rules.track_timeout, milliseconds(700));
}

TEST(Rules, WithoutASizeCoordinatesAreShares) {
  const Rules rules = rules_of("[property]\n[roi-filtering]\nroi-a = 0;0; 1;0; 0.5;-0.5\n");
  EXPECT_THAT(rules.zones.general.at(0).corners,
              ElementsAre(Point{0, 0}, Point{1, 0}, Point{0.5f, -0.5f}));
}

TEST(Rules, AKeyWithANameHoldsForThatOne) {
  const Rules rules = rules_of(
      "[roi-filtering]\nroi-a=0;0;9;0;9;9\nroi-b=0;0;9;0;9;9\nclass-id=1;2\nclass-id-b=-1\n"
      "class-label-b=car\nanchor-b=center\nobject-threshold-a=3\ntime-threshold-a=1500\n");
  const auto& zones = rules.zones.general;
  EXPECT_THAT(zones.at(0).subjects.filter.class_ids, ElementsAre(1, 2));
  EXPECT_EQ(zones[0].subjects.anchor, Anchor::kBottomCenter);
  EXPECT_EQ(zones[0].object_threshold, 3u);
  EXPECT_EQ(zones[0].time_threshold, milliseconds(1500));
  EXPECT_THAT(zones.at(1).subjects.filter.class_ids, IsEmpty());
  EXPECT_THAT(zones[1].subjects.filter.labels, ElementsAre("car"));
  EXPECT_EQ(zones[1].subjects.anchor, Anchor::kCenter);
  EXPECT_FALSE(zones[1].object_threshold);
}

TEST(Rules, AStreamsOwnGroupStandsInsteadOfTheGeneralOneOfItsKind) {
  const Rules rules = rules_of(
      "[line-crossing]\nline-crossing-a=0;0;9;9\n[line-crossing-stream-car park]\n"
      "line-crossing-b=0;0;9;9\n[line-crossing-stream-off]\nenable=0\nline-crossing-c=0;0;9;9\n"
      "[roi-filtering]\nroi-z=0;0;9;0;9;9\n"
      "[overcrowding-stream-car park]\nroi-y=0;0;9;0;9;9\nobject-threshold=1\n");
  EXPECT_EQ(rules.of("lobby").lines.at(0).name, "a");
  EXPECT_EQ(rules.of("lobby").zones.size(), 1u);
  const StreamRules park = rules.of("car park");
  ASSERT_EQ(park.lines.size(), 1u);
  EXPECT_EQ(park.lines[0].name, "b");
  ASSERT_EQ(park.zones.size(), 2u);
  EXPECT_EQ(park.zones[1].name, "y");
  EXPECT_THAT(rules.of("off").lines, IsEmpty());
}

TEST(Rules, TheWholeCanBeSwitchedOff) {
  const Rules rules = rules_of("[property]\nenable=0\n[line-crossing]\nline-crossing-a=0;0;1;1\n");
  EXPECT_THAT(rules.of("x").lines, IsEmpty());
}

// The shape of a file for nvdsanalytics: numbers as it writes them, streams by number.
TEST(Rules, ReadNvdsanalyticsGroups) {
  const Rules rules = rules_of(
      "[property]\nenable=1\nconfig-width=1920\nconfig-height=1080\n"
      "[roi-filtering-stream-0]\nenable=1\nroi-RF=300;600;900;600;900;900;300;900\ninverse-roi=0\n"
      "class-id=-1\n"
      "[overcrowding-stream-1]\nenable=1\nroi-OC=200;600;500;600;600;900;50;800\n"
      "object-threshold=2\nclass-id=-1\n"
      "[line-crossing-stream-0]\nenable=1\nline-crossing-Exit=800;700;1100;900;850;800;1200;750\n"
      "class-id=0\nextended=0\nmode=loose\n"
      "[direction-detection-stream-0]\nenable=1\ndirection-South=300;800;400;1000\nclass-id=0\n");
  EXPECT_EQ(
      rules.of("0").lines.size() + rules.of("0").zones.size() + rules.of("0").directions.size(),
      3u);
  EXPECT_EQ(rules.of("1").zones.at(0).object_threshold, 2u);
}

TEST(Rules, EveryMistakeIsNamedWithItsLine) {
  const std::string line = "[line-crossing]\nline-crossing-a = ";  // line 5 of the file
  const std::string zone = "[roi-filtering]\nroi-a = ";
  const std::pair<std::string, std::string> cases[] = {
      {line + "1;2;3\n", "a.ini:5: line-crossing-a = 1;2;3: expected x and y of each point"},
      {line + "1;2;3;4;5;6\n", "a.ini:5: line-crossing-a = 1;2;3;4;5;6: expected the two ends"},
      {line + "\n", "a.ini:5"},
      {line + "1;2;1;2\n", "the two ends of the line are the same"},
      {line + "0;0;5;5;1;1;2;2\n", "the direction runs along the line"},
      {line + "3;3;3;3;1;1;2;5\n", "the two points of the direction are the same"},
      {line + "1;2;nan;4\n", "expected numbers"},
      {line + "1;2;3;400\n", "farther from the picture"},
      {line + "1;2;3;1e30\n", "farther from the picture"},
      {line + "1;2;3;4\nextended=maybe\n", "a.ini:6: extended = maybe"},
      {line + "1;2;3;4\nmode=exact\n", "Known: any, loose, balanced, strict"},
      {line + "1;2;3;4\nmode-b=any\n", "a.ini:6: mode-b: no such key in [line-crossing]"},
      {line + "1;2;3;4\nhysteresis=-1\n", "a.ini:6: hysteresis = -1"},
      {line + "1;2;3;4\nanchor=top\n", "Known: bottom-center, center"},
      {line + "1;2;3;4\nclass-id=\n", "expected class numbers, or -1"},
      {line + "1;2;3;4\nclass-id=car\n", "expected whole numbers"},
      {line + "1;2;3;4\nline-crossing-a=1;2;3;4\n", "already set in line 5"},
      {line + "1;2;3;4\nline-crossing-=1;2;3;4\n", "expected a name after line-crossing-"},
      {zone + "1;2;3;4\n", "expected the 3 to 4096 corners"},
      {zone + "1;1;2;2;3;3;1;1\n", "no area"},
      {zone + "5;5;5;5;5;5\n", "no area"},
      {zone + "1;1;2;1;2;2\ntime-threshold=100\n", "needs object-threshold"},
      {zone + "1;1;2;1;2;2\nobject-threshold=-1\n", "expected a whole number from 0"},
      {zone + "1;1;2;1;2;2\n[overcrowding]\nobject-threshold=1\nroi-a=1;1;2;1;2;2\n",
       "a.ini:8: roi-a: there is such a zone already, a.ini:5"},
      {zone + "1;1;2;1;2;2\n[overcrowding-stream-x]\nobject-threshold=1\nroi-a=1;1;2;1;2;2\n",
       "there is such a zone already"},
      {"[overcrowding]\nroi-a=1;1;2;1;2;2\n",
       "object-threshold is missing in group [overcrowding]"},
      {"[direction-detection]\ndirection-a=1;1\n", "expected two points"},
      {"[direction-detection]\ndirection-a=1;1;1;1\n", "are the same"},
      {"[direction-detection]\ndirection-a=1;1;2;2\nmode=any\n", "Known: loose, balanced, strict"},
      {"[heat-map]\n", "a.ini:4: [heat-map]: no such group"},
      {"[property]\nconfig-width=10\n", "needs config-height"},
      {"[property]\nconfig-height=10\n", "needs config-width"},
      {"[property]\nconfig-width=0\nconfig-height=10\n", "a.ini:2: config-width = 0"},
      {"[property]\ntrack-timeout=0\n", "a.ini:2: track-timeout = 0"},
      {"[property]\nosd-mode=2\n", "a.ini:2: osd-mode: no such key in [property]"},
      {"[property]\n[line-crossing]\nline-crossing-a=100;200;300;400\n",
       "For pixels, set config-width and config-height"},
  };
  for (const auto& [groups, expected] : cases)
    EXPECT_THAT(complaint(groups), HasSubstr(expected)) << groups;
}

// Groups that are switched off are checked, too.
TEST(Rules, MistakesInADisabledGroupAreMistakes) {
  EXPECT_THAT(complaint("[line-crossing]\nenable=0\nline-crossing-a=1;2\n"),
              HasSubstr("a.ini:6: line-crossing-a"));
}

TEST(Rules, TheExampleIsRead) {
  const Rules rules = Rules::read(ConfigFile::read(ANALYTICS_EXAMPLE));
  EXPECT_EQ(rules.of("lobby").lines.size(), 2u);
  EXPECT_EQ(rules.of("lobby").zones.size(), 2u);
  EXPECT_EQ(rules.of("car park").lines.size(), 1u);
  EXPECT_EQ(rules.of("car park").directions.size(), 2u);
}

}  // namespace
}  // namespace sightline::testing
