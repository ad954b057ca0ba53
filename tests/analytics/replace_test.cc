// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Other rules while a scene has counts and tracks.

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "scene_builder.h"

namespace sightline::testing {
namespace {

constexpr const char* kBefore =
    "[line-crossing]\nline-crossing-a = 0;50; 100;50\nline-crossing-b = 0;80; 100;80\n"
    "[roi-filtering]\nroi-x = 0;0; 50;0; 50;100; 0;100\nroi-y = 0;0; 100;0; 100;100; 0;100\n"
    "object-threshold-x = 0\n";

TEST(Replace, CountsGoWithTheirNames) {
  Scene scene = scene_of(kBefore);
  Film film(scene);
  film.walk({{20, 40}, {20, 60}, {20, 90}});
  scene.replace(
      rules_of("[line-crossing]\nline-crossing-c = 0;20; 100;20\nline-crossing-b = 0;10; 100;10\n"
               "[roi-filtering]\nroi-y = 0;0; 100;0; 100;100; 0;100\n"
               "roi-x = 0;0; 50;0; 50;100; 0;100\nroi-z = 0;0; 100;0; 100;100; 0;100\n")
          .of(""));
  const Findings now = film.walk({{20, 91}});
  ASSERT_EQ(now.lines.size(), 2u);
  EXPECT_EQ(now.lines[0].in, 0u) << "c is new";
  EXPECT_EQ(now.lines[1].in, 1u) << "b has moved and counted one";
  ASSERT_EQ(now.zones.size(), 3u);
  for (const ZoneCount& zone : now.zones) {
    EXPECT_EQ(zone.in, 1u);
    EXPECT_EQ(zone.now, 1u);
  }
  ASSERT_EQ(now.objects[0].zones.size(), 3u);
  EXPECT_EQ(now.objects[0].zones[0].time, milliseconds(300)) << "since it entered";
  EXPECT_EQ(now.objects[0].zones[2].time, milliseconds(0));
}

TEST(Replace, WhoIsInAZoneThatMovesAwayLeavesIt) {
  Scene scene = scene_of(kBefore);
  Film film(scene);
  film.walk({{20, 40}, {20, 41}});
  scene.replace(rules_of("[roi-filtering]\nroi-x = 60;0; 100;0; 100;100; 60;100\n").of(""));
  const Findings now = film.walk({{20, 42}});
  EXPECT_EQ(film.events().back(), "left 0 by 1 after 200 ms");
  EXPECT_EQ(now.zones[0].now, 0u);
  EXPECT_EQ(now.zones[0].out, 1u);
}

TEST(Replace, ACrossingThatHasBegunCountsIfItsLineStays) {
  const std::string hysteresis = "[line-crossing]\nhysteresis = 10\n";
  for (const auto& [line, counted] :
       {std::pair("line-crossing-b = 0;80; 100;80\nline-crossing-a = 0;50; 100;50\n", 1u),
        std::pair("line-crossing-b = 0;80; 100;80\nline-crossing-a = 0;51; 100;51\n", 0u)}) {
    Scene scene = scene_of(hysteresis + "line-crossing-a = 0;50; 100;50\n");
    Film film(scene);
    film.walk({{20, 40}, {20, 55}});  // through it, and not clear of it yet
    scene.replace(rules_of(hysteresis + line).of(""));
    EXPECT_EQ(film.walk({{20, 65}}).lines[1].in, counted) << line;
  }
}

TEST(Replace, ACrowdEndsByTheNewThreshold) {
  Scene scene = scene_of(kBefore);
  Film film(scene);
  EXPECT_TRUE(film.walk({{20, 40}}).zones[0].overcrowded);
  const std::string zone = "[roi-filtering]\nroi-x = 0;0; 50;0; 50;100; 0;100\n";
  scene.replace(rules_of(zone + "object-threshold = 5\n").of(""));
  EXPECT_FALSE(film.walk({{20, 41}}).zones[0].overcrowded);
  EXPECT_EQ(film.events().back(), "no longer overcrowded 0 with 1 after 100 ms");
  scene.replace(rules_of(zone + "object-threshold = 0\n").of(""));
  EXPECT_TRUE(film.walk({{20, 42}}).zones[0].overcrowded);
  scene.replace(rules_of(zone).of(""));
  EXPECT_FALSE(film.walk({{20, 43}}).zones[0].overcrowded);
}

}  // namespace
}  // namespace sightline::testing
