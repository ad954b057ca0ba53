// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "scene_builder.h"

namespace sightline::testing {
namespace {

// 3 pixels in a second is movement.
constexpr const char* kDirections =
    "[direction-detection]\ndirection-east = 0;0; 1;0\ndirection-south = 0;0; 0;1\n"
    "direction-southeast = 0;0; 1;1\nmode = balanced\n";

std::optional<std::size_t> direction_after(const std::string& groups,
                                           const std::vector<Point>& way) {
  Scene scene = scene_of(groups);
  return Film(scene).walk(way).objects[0].direction;
}

TEST(Directions, TheOneAtTheSmallestAngleIsFollowed) {
  EXPECT_EQ(direction_after(kDirections, {{10, 10}, {20, 11}}), 0u);
  EXPECT_EQ(direction_after(kDirections, {{10, 10}, {11, 20}}), 1u);
  EXPECT_EQ(direction_after(kDirections, {{10, 10}, {20, 21}}), 2u);
  EXPECT_EQ(direction_after(kDirections, {{50, 50}, {40, 40}}), std::nullopt);
}

TEST(Directions, ModeIsTheLargestAngle) {
  for (const auto& [mode, cosine] :
       {std::pair("loose", 0.1), std::pair("balanced", 0.5), std::pair("strict", 0.8)}) {
    const std::string groups =
        std::string("[direction-detection]\ndirection-east = 0;0; 1;0\nmode = ") + mode + "\n";
    const auto follows = [&](double angle) {
      const Point end{50 + 20 * static_cast<float>(std::cos(angle)),
                      50 + 20 * static_cast<float>(std::sin(angle))};
      return direction_after(groups, {{50, 50}, end}).has_value();
    };
    const double limit = std::acos(cosine);
    EXPECT_TRUE(follows(limit - 0.01)) << mode;
    EXPECT_FALSE(follows(limit + 0.01)) << mode;
    EXPECT_FALSE(follows(std::numbers::pi)) << mode;
  }
}

TEST(Directions, WhatTremblesStands) {
  EXPECT_EQ(direction_after(kDirections, {{50, 50}, {52, 50}, {50, 50}, {51, 51}, {52, 50}}),
            std::nullopt);
  Scene scene = scene_of(kDirections);
  Film film(scene);
  EXPECT_EQ(film.walk({{50, 50}, {60, 50}, {61, 50}, {60, 50}}).objects[0].direction, 0u);
  EXPECT_EQ(film.stay(11, {at(60, 50)}).objects[0].direction, std::nullopt);
}

TEST(Directions, TheFirstFrameOfATrackHasNone) {
  EXPECT_EQ(direction_after(kDirections, {{50, 50}}), std::nullopt);
}

// In a picture twice as wide as high, the diagonal of shares is no diagonal of pixels.
TEST(Directions, AnglesAreThoseOfThePicture) {
  Scene scene =
      scene_of("[property]\n[direction-detection]\ndirection-a = 0;0; 0.5;0.5\nmode = strict\n");
  const auto show = [&](float x, float y) {
    const std::vector<Sighting> objects = {at(x, y)};
    return scene.observe({.frame = {200, 100}, .objects = objects}).objects[0].direction;
  };
  show(10, 10);
  EXPECT_EQ(show(30, 20), 0u);
  EXPECT_EQ(show(40, 50), std::nullopt);
}

TEST(Directions, CountOnlyTheirClasses) {
  EXPECT_EQ(direction_after(std::string(kDirections) + "class-id = 4\n", {{10, 10}, {20, 10}}),
            std::nullopt);
}

}  // namespace
}  // namespace sightline::testing
