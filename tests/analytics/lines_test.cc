// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cmath>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analytics/segment.h"
#include "scene_builder.h"

namespace sightline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// From left to right at y = 50: downwards is in. A crossing counts from 2 pixels behind it.
constexpr const char* kLine = "[line-crossing]\nline-crossing-a = 20;50; 80;50\nhysteresis = 2\n";

std::string counts(const Findings& findings, std::size_t line = 0) {
  return std::to_string(findings.lines[line].in) + " in, " +
         std::to_string(findings.lines[line].out) + " out";
}

std::string counts_of(const std::string& groups, const std::vector<Point>& way) {
  Scene scene = scene_of(groups);
  return counts(Film(scene).walk(way));
}

TEST(Lines, EachWayIsCountedOnceACrossing) {
  Scene scene = scene_of(kLine);
  Film film(scene);
  film.walk({{50, 30}, {50, 45}, {50, 60}, {50, 70}});
  EXPECT_THAT(film.events(), ElementsAre("crossed 0 in by 1"));
  const Findings findings = film.walk({{50, 40}, {50, 30}, {50, 60}});
  EXPECT_EQ(counts(findings), "2 in, 1 out");
  ASSERT_EQ(findings.objects[0].crossings.size(), 1u);
  EXPECT_TRUE(findings.objects[0].crossings[0].inwards);
  EXPECT_THAT(film.walk({{50, 61}}).objects[0].crossings, IsEmpty());
}

TEST(Lines, WhatTremblesOnTheLineCountsOnceOrNotAtAll) {
  EXPECT_EQ(counts_of(kLine, {{50, 30}, {50, 51}, {50, 49}, {50, 51}, {50, 49}, {50, 30}}),
            "0 in, 0 out");
  EXPECT_EQ(counts_of(kLine, {{50, 30}, {50, 51}, {50, 49}, {50, 51.9f}, {50, 60}}), "1 in, 0 out");
  EXPECT_EQ(counts_of(kLine, {{50, 30}, {50, 60}, {50, 51}, {50, 49}, {50, 51}, {50, 60}}),
            "1 in, 0 out");
}

TEST(Lines, AFastObjectThatJumpsOverTheLineHasCrossedIt) {
  EXPECT_EQ(counts_of(kLine, {{50, 0}, {50, 100}}), "1 in, 0 out");
  EXPECT_EQ(counts_of(kLine, {{50, 900}, {50, -900}}), "0 in, 1 out");
  EXPECT_EQ(counts_of(kLine, {{5, 0}, {10, 100}}), "0 in, 0 out");
}

TEST(Lines, BesideTheEndsNothingIsCrossed) {
  EXPECT_EQ(counts_of(kLine, {{10, 30}, {10, 70}, {90, 70}, {90, 30}}), "0 in, 0 out");
  // Through it and back around its end: it is where it was.
  EXPECT_EQ(counts_of(kLine, {{79, 40}, {79, 51}, {81, 51}, {81, 40}}), "0 in, 0 out");
}

TEST(Lines, WhoWalksAlongTheLineHasNotCrossedIt) {
  EXPECT_EQ(counts_of(kLine, {{30, 40}, {30, 50}, {40, 50}, {60, 50}, {70, 40}}), "0 in, 0 out");
  EXPECT_EQ(counts_of(kLine, {{0, 50}, {30, 50}, {60, 50}, {100, 50}}), "0 in, 0 out");
  EXPECT_EQ(counts_of(kLine, {{30, 40}, {30, 50}, {40, 50}, {60, 50}, {70, 60}}), "1 in, 0 out");
}

TEST(Lines, WhoIsLostOnTheLineHasNotCrossedItAndGoesOnIfFoundInTime) {
  for (const auto& [gap, expected] : {std::pair(milliseconds(1000), "1 in, 0 out"),
                                      std::pair(milliseconds(3000), "0 in, 0 out")}) {
    Scene scene = scene_of(kLine);
    Film film(scene);
    EXPECT_EQ(counts(film.walk({{50, 30}, {50, 51}})), "0 in, 0 out");
    film.skip(gap);
    film.show({});
    EXPECT_EQ(counts(film.walk({{50, 60}})), expected) << gap.count();
  }
}

TEST(Lines, WithoutHysteresisTheFirstPixelBehindCounts) {
  const std::string line = "[line-crossing]\nline-crossing-a = 20;50; 80;50\nhysteresis = 0\n";
  EXPECT_EQ(counts_of(line, {{50, 49}, {50, 50}}), "0 in, 0 out");
  EXPECT_EQ(counts_of(line, {{50, 49}, {50, 50}, {50, 50.5f}}), "1 in, 0 out");
}

TEST(Lines, TheDirectionSaysWhatIsIn) {
  const std::string upwards = "[line-crossing]\nline-crossing-a = 50;90; 50;10; 20;50; 80;50\n";
  EXPECT_EQ(counts_of(upwards, {{50, 30}, {50, 70}}), "0 in, 1 out");
  EXPECT_EQ(counts_of(upwards, {{50, 70}, {50, 30}}), "1 in, 0 out");
  EXPECT_EQ(counts_of("[line-crossing]\nline-crossing-a = 80;50; 20;50\n", {{50, 70}, {50, 30}}),
            "1 in, 0 out");
}

TEST(Lines, ModeAsksForTheAngle) {
  const auto line = [](const std::string& mode) {
    return "[line-crossing]\nline-crossing-a = 0;50; 100;50\nmode = " + mode + "\n";
  };
  const std::vector<Point> straight = {{50, 30}, {50, 70}};  // cosine 1
  const std::vector<Point> slanting = {{30, 40}, {59, 60}};  // cosine 0.57
  const std::vector<Point> grazing = {{5, 45}, {95, 55}};    // cosine 0.11
  const std::vector<Point> flat = {{0, 46}, {100, 54}};      // cosine 0.08
  EXPECT_EQ(counts_of(line("strict"), straight), "1 in, 0 out");
  EXPECT_EQ(counts_of(line("strict"), slanting), "0 in, 0 out");
  EXPECT_EQ(counts_of(line("balanced"), slanting), "1 in, 0 out");
  EXPECT_EQ(counts_of(line("balanced"), grazing), "0 in, 0 out");
  EXPECT_EQ(counts_of(line("loose"), grazing), "1 in, 0 out");
  EXPECT_EQ(counts_of(line("loose"), flat), "0 in, 0 out");
  EXPECT_EQ(counts_of(line("any"), flat), "1 in, 0 out");
  EXPECT_EQ(counts_of(line("strict"), {{50, 70}, {50, 30}}), "0 in, 1 out");
}

TEST(Lines, AnExtendedOneHasNoEnds) {
  const std::string line = "[line-crossing]\nline-crossing-a = 45;50; 55;50\nextended = 1\n";
  EXPECT_EQ(counts_of(line, {{5, 30}, {5, 70}, {95, 30}}), "1 in, 1 out");
}

TEST(Lines, CountOnlyTheirClasses) {
  Scene scene = scene_of(
      "[line-crossing]\nline-crossing-all = 20;50; 80;50\nline-crossing-cars = 20;50; 80;50\n"
      "line-crossing-some = 20;50; 80;50\nclass-id-cars = 2\nclass-id-some = 7\n"
      "class-label-some = person;dog\n");
  Film film(scene);
  film.show({at(50, 30, 1, 0, "person"), at(50, 30, 2, 2, "car"), at(50, 30, 3, 7, "x")});
  const Findings findings =
      film.show({at(50, 70, 1, 0, "person"), at(50, 70, 2, 2, "car"), at(50, 70, 3, 7, "x")});
  EXPECT_EQ(counts(findings, 0), "3 in, 0 out");
  EXPECT_EQ(counts(findings, 1), "1 in, 0 out");
  EXPECT_EQ(counts(findings, 2), "2 in, 0 out");
}

TEST(Lines, TheAnchorSaysWhichPointOfABoxCrosses) {
  Scene scene = scene_of(
      "[line-crossing]\nline-crossing-feet = 0;50; 100;50\nline-crossing-middle = 0;50; 100;50\n"
      "anchor-middle = center\n");
  Film film(scene);
  const auto person = [](float top) { return Sighting{1, 0, "person", {40, top, 10, 30}}; };
  film.show({person(0)});
  const Findings feet = film.show({person(25)});
  EXPECT_EQ(counts(feet, 0) + "; " + counts(feet, 1), "1 in, 0 out; 0 in, 0 out");
  const Findings all = film.show({person(40)});
  EXPECT_EQ(counts(all, 0) + "; " + counts(all, 1), "1 in, 0 out; 1 in, 0 out");
}

TEST(Lines, ObjectsWithoutATrackOrWithOneThatIsTakenCrossNothing) {
  Scene scene = scene_of(kLine);
  Film film(scene);
  film.show({at(50, 30, std::nullopt)});
  EXPECT_EQ(counts(film.show({at(50, 70, std::nullopt)})), "0 in, 0 out");
  // Two with the same track in each frame, on either side.
  film.stay(5, {at(50, 30, 9), at(50, 70, 9)});
  EXPECT_EQ(counts(film.show({at(50, 30, 9), at(50, 70, 9)})), "0 in, 0 out");
}

TEST(Lines, BoxesThatAreNoNumbersArePassedOver) {
  Scene scene = scene_of(kLine);
  Film film(scene);
  film.walk({{50, 30}});
  for (const float wrong : {NAN, INFINITY, -INFINITY})
    film.show({{1, 0, "", {wrong, 70, 1, 1}},
               {2, 0, "", {50, 30, wrong, wrong}},
               {std::nullopt, 0, "", {wrong, wrong, wrong, wrong}}});
  film.show({at(3e38f, 3e38f, 3), at(-3e38f, 1e38f, std::nullopt)});
  film.show({at(-3e38f, -3e38f, 3)});
  EXPECT_EQ(counts(film.walk({{50, 70}})), "1 in, 0 out");
}

TEST(Lines, CoordinatesFollowTheFrame) {
  // In shares; the frame is twice as wide as high, then three times as large, then of another
  // shape.
  Scene scene = scene_of("[property]\n[line-crossing]\nline-crossing-a = 0.2;0.5; 0.8;0.5\n");
  const auto show = [&](Size size, float x, float y) {
    const std::vector<Sighting> objects = {at(x, y)};
    return scene.observe({.frame = size, .objects = objects});
  };
  show({200, 100}, 50, 40);
  EXPECT_EQ(counts(show({200, 100}, 50, 60)), "1 in, 0 out");
  EXPECT_EQ(counts(show({600, 300}, 150, 120)), "1 in, 1 out");
  // Nothing is compared across a change of shape.
  EXPECT_EQ(counts(show({100, 100}, 50, 60)), "1 in, 1 out");
  EXPECT_EQ(counts(show({100, 100}, 50, 40)), "1 in, 2 out");
}

// What the counter does with increments and a grid, from whole ways and for each line: a way counts
// when it ends clear of the line, on the side to which it passes through the line's segment in sum.
class SlowLine {
 public:
  SlowLine(Segment segment, double hysteresis) : segment_(segment), hysteresis_(hysteresis) {}

  void show(std::uint64_t track, Point p) {
    std::vector<Point>& way = ways_[track];
    way.push_back(p);
    const double side = signed_distance(segment_, p);
    if (std::abs(side) <= hysteresis_) return;
    int sum = 0;
    for (std::size_t i = 1; i < way.size(); ++i) sum += passes(way[i - 1], way[i]);
    if (sum != 0 && (side > 0) == (sum > 0)) ++(sum > 0 ? in_ : out_);
    way = {p};
  }

  std::string counts() const {
    return std::to_string(in_) + " in, " + std::to_string(out_) + " out";
  }

 private:
  // By the signs of the areas of the four triangles.
  int passes(Point p, Point q) const {
    const auto area = [](Point a, Point b, Point c) {
      return (double{b.x} - a.x) * (double{c.y} - a.y) - (double{c.x} - a.x) * (double{b.y} - a.y);
    };
    const double a = area(segment_.from, segment_.to, p), b = area(segment_.from, segment_.to, q);
    const double c = area(p, q, segment_.from), d = area(p, q, segment_.to);
    return a * b < 0 && c * d < 0 ? (b > 0 ? 1 : -1) : 0;
  }

  Segment segment_;
  double hysteresis_;
  std::map<std::uint64_t, std::vector<Point>> ways_;
  int in_ = 0;
  int out_ = 0;
};

TEST(Lines, CountsOfACrowdEqualTheSlowReference) {
  std::mt19937 random(8);
  std::uniform_real_distribution<float> anywhere(0, 100);
  std::normal_distribution<float> step(0, 3);
  constexpr float kHysteresis = 2;
  std::ostringstream groups;
  groups.precision(9);
  groups << "[line-crossing]\nhysteresis = " << kHysteresis << "\n";
  std::vector<SlowLine> slow;
  const auto to_height = [](float value) { return value / 100; };
  for (int i = 0; i < 40; ++i) {
    const Point from{anywhere(random), anywhere(random)}, to{anywhere(random), anywhere(random)};
    groups << "line-crossing-" << i << " = " << from.x << ";" << from.y << ";" << to.x << ";"
           << to.y << "\n";
    slow.emplace_back(
        Segment{{to_height(from.x), to_height(from.y)}, {to_height(to.x), to_height(to.y)}},
        to_height(kHysteresis));
  }
  Scene scene = scene_of(groups.str());
  Film film(scene);
  std::vector<Point> places(30);
  for (Point& place : places) place = {anywhere(random), anywhere(random)};
  Findings findings;
  for (int frame = 0; frame < 400; ++frame) {
    std::vector<Sighting> objects;
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i] = {places[i].x + step(random), places[i].y + step(random)};
      objects.push_back(at(places[i].x, places[i].y, i));
      for (SlowLine& line : slow) line.show(i, place_of(objects.back().box, {100, 100})->center);
    }
    findings = film.show(objects);
  }
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < slow.size(); ++i) {
    EXPECT_EQ(counts(findings, i), slow[i].counts()) << i;
    total += findings.lines[i].in + findings.lines[i].out;
  }
  EXPECT_GT(total, 500u);
}

}  // namespace
}  // namespace sightline::testing
