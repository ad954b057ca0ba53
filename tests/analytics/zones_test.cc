// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "analytics/polygon.h"
#include "scene_builder.h"

namespace sightline::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// 20 to 80 each way; left from 2 pixels outside.
constexpr const char* kZone =
    "[roi-filtering]\nroi-a = 20;20; 80;20; 80;80; 20;80\nhysteresis = 2\n";

std::string counts(const Findings& findings, std::size_t zone = 0) {
  const ZoneCount& count = findings.zones[zone];
  return std::to_string(count.now) + " now, " + std::to_string(count.in) + " in, " +
         std::to_string(count.out) + " out";
}

TEST(Zones, CountWhoEntersStaysAndLeaves) {
  Scene scene = scene_of(kZone);
  Film film(scene);
  EXPECT_EQ(counts(film.walk({{10, 50}, {15, 50}})), "0 now, 0 in, 0 out");
  EXPECT_EQ(counts(film.walk({{25, 50}})), "1 now, 1 in, 0 out");
  const Findings later = film.walk({{30, 50}, {50, 50}, {70, 50}});
  ASSERT_EQ(later.objects[0].zones.size(), 1u);
  EXPECT_EQ(later.objects[0].zones[0].time, milliseconds(300));
  const Findings outside = film.walk({{90, 50}});
  EXPECT_EQ(counts(outside), "0 now, 1 in, 1 out");
  EXPECT_THAT(outside.objects[0].zones, IsEmpty());
  EXPECT_THAT(film.events(), ElementsAre("entered 0 by 1", "left 0 by 1 after 400 ms"));
}

TEST(Zones, WhatTremblesAtTheEdgeStaysInside) {
  Scene scene = scene_of(kZone);
  Film film(scene);
  EXPECT_EQ(counts(film.walk({{10, 50}, {20, 50}, {18.5f, 50}, {21, 50}, {18.1f, 50}})),
            "1 now, 1 in, 0 out");
  EXPECT_EQ(counts(film.walk({{17, 50}, {19, 50}})), "0 now, 1 in, 1 out");
  EXPECT_EQ(counts(film.walk({{20, 50}})), "1 now, 2 in, 1 out");
}

TEST(Zones, WhoIsFirstSeenInsideHasEntered) {
  Scene scene = scene_of(kZone);
  Film film(scene);
  EXPECT_EQ(counts(film.walk({{50, 50}})), "1 now, 1 in, 0 out");
}

TEST(Zones, AMissedDetectionChangesNothingAndALostTrackLeavesAsLongAgoAsItWasSeen) {
  Scene scene = scene_of("[property]\nconfig-width=100\nconfig-height=100\ntrack-timeout=500\n" +
                         std::string(kZone));
  Film film(scene);
  film.stay(3, {at(50, 50, 7)});
  EXPECT_EQ(counts(film.stay(5, {})), "1 now, 1 in, 0 out");
  EXPECT_EQ(counts(film.stay(2, {})), "0 now, 1 in, 1 out");
  EXPECT_THAT(film.events(), ElementsAre("entered 0 by 7", "lost in 0 by 7 after 200 ms"));
}

TEST(Zones, DwellGoesOnWhileATrackIsMissed) {
  Scene scene = scene_of(kZone);
  Film film(scene);
  film.show({at(50, 50)});
  film.stay(9, {});
  EXPECT_EQ(film.show({at(50, 50)}).objects[0].zones[0].time, milliseconds(1000));
}

TEST(Zones, ObjectsWithoutATrackCountWhereTheyAreAndEnterNothing) {
  Scene scene = scene_of(kZone);
  Film film(scene);
  const Findings findings =
      film.show({at(50, 50, std::nullopt), at(60, 60, std::nullopt), at(5, 5, std::nullopt)});
  EXPECT_EQ(counts(findings), "2 now, 0 in, 0 out");
  ASSERT_EQ(findings.objects[0].zones.size(), 1u);
  EXPECT_EQ(findings.objects[0].zones[0].time, milliseconds(0));
  EXPECT_THAT(findings.objects[2].zones, IsEmpty());
  EXPECT_EQ(counts(film.show({})), "0 now, 0 in, 0 out");
  EXPECT_THAT(film.events(), IsEmpty());
}

TEST(Zones, AnInverseOneIsWhatIsOutside) {
  Scene scene = scene_of(std::string(kZone) + "inverse-roi = 1\n");
  Film film(scene);
  EXPECT_EQ(counts(film.walk({{50, 50}})), "0 now, 0 in, 0 out");
  EXPECT_EQ(counts(film.walk({{10, 50}})), "1 now, 1 in, 0 out");
  EXPECT_EQ(counts(film.walk({{21, 50}})), "1 now, 1 in, 0 out");  // within hysteresis
  EXPECT_EQ(counts(film.walk({{500, 50}})), "1 now, 1 in, 0 out");
  EXPECT_EQ(counts(film.walk({{50, 50}})), "0 now, 1 in, 1 out");
}

// A detector that wavers between two classes does not make anybody come and go.
TEST(Zones, TheClassMattersWhenEntering) {
  Scene scene = scene_of(std::string(kZone) + "class-id = 0\n");
  Film film(scene);
  EXPECT_EQ(counts(film.show({at(50, 50, 1, 0), at(50, 50, 2, 3)})), "1 now, 1 in, 0 out");
  EXPECT_EQ(counts(film.show({at(50, 50, 1, 3), at(50, 50, 2, 3)})), "1 now, 1 in, 0 out");
  EXPECT_EQ(counts(film.show({at(5, 50, 1, 3), at(50, 50, 2, 0)})), "1 now, 2 in, 1 out");
}

constexpr const char* kCrowd =
    "[overcrowding]\nroi-a = 20;20; 80;20; 80;80; 20;80\nobject-threshold = 2\n"
    "time-threshold = 300\n";

std::vector<Sighting> people(int count) {
  std::vector<Sighting> sightings;
  for (int i = 0; i < count; ++i) sightings.push_back(at(50, 50, static_cast<std::uint64_t>(i)));
  for (std::size_t i = sightings.size(); i < 5; ++i) sightings.push_back(at(5, 5, i));
  return sightings;
}

TEST(Zones, AreOvercrowdedByTooManyForLongEnough) {
  Scene scene = scene_of(kCrowd);
  Film film(scene);
  EXPECT_FALSE(film.stay(10, people(2)).zones[0].overcrowded);
  EXPECT_FALSE(film.stay(3, people(3)).zones[0].overcrowded);
  film.stay(1, people(2));
  EXPECT_FALSE(film.stay(3, people(3)).zones[0].overcrowded);  // from the start again
  EXPECT_TRUE(film.stay(1, people(4)).zones[0].overcrowded);
  EXPECT_TRUE(film.stay(5, people(5)).zones[0].overcrowded);
  EXPECT_FALSE(film.stay(1, people(2)).zones[0].overcrowded);
  std::vector<std::string> crowds;
  for (const std::string& event : film.events())
    if (event.find("overcrowded") != std::string::npos) crowds.push_back(event);
  EXPECT_THAT(crowds,
              ElementsAre("overcrowded 0 with 4", "no longer overcrowded 0 with 2 after 900 ms"));
}

TEST(Zones, WithoutATimeOneTooManyIsEnough) {
  Scene scene = scene_of("[roi-filtering]\nroi-a = 0;0; 100;0; 0;100\nobject-threshold = 0\n");
  Film film(scene);
  EXPECT_FALSE(film.show({}).zones[0].overcrowded);
  EXPECT_TRUE(film.show({at(10, 10, std::nullopt)}).zones[0].overcrowded);
  EXPECT_FALSE(film.show({}).zones[0].overcrowded);
}

// Each track and each zone in a table, with no grid and no lists.
class SlowZone {
 public:
  SlowZone(std::vector<Point> corners, double hysteresis)
      : polygon_(std::move(corners)), hysteresis_(hysteresis) {}

  void show(std::uint64_t track, Point p) {
    bool& inside = inside_[track];
    const bool now = polygon_.contains(p) || (inside && polygon_.distance(p) <= hysteresis_);
    in_ += now && !inside;
    out_ += !now && inside;
    inside = now;
  }

  std::string counts() const {
    return std::to_string(in_ - out_) + " now, " + std::to_string(in_) + " in, " +
           std::to_string(out_) + " out";
  }

 private:
  Polygon polygon_;  // which geometry_test.cc compares
  double hysteresis_;
  std::map<std::uint64_t, bool> inside_;
  int in_ = 0;
  int out_ = 0;
};

TEST(Zones, CountsOfACrowdEqualTheSlowReference) {
  std::mt19937 random(9);
  std::uniform_real_distribution<float> anywhere(-20, 120);
  std::normal_distribution<float> step(0, 3);
  std::ostringstream groups;
  groups.precision(9);
  groups << "[roi-filtering]\nhysteresis = 2\n";
  std::vector<SlowZone> slow;
  for (int i = 0; i < 40; ++i) {
    std::vector<Point> corners(static_cast<std::size_t>(3 + i % 5));
    groups << "roi-" << i << " = ";
    for (Point& corner : corners) {
      corner = {anywhere(random), anywhere(random)};
      groups << corner.x << ";" << corner.y << ";";
      corner = {corner.x / 100, corner.y / 100};
    }
    groups << "\n";
    if (i % 3 == 0) groups << "anchor-" << i << " = center\n";  // which mixes the grid's answers
    slow.emplace_back(corners, 0.02f);
  }
  Scene scene = scene_of(groups.str());
  Film film(scene);
  std::vector<Point> places(30);
  for (Point& place : places) place = {anywhere(random), anywhere(random)};
  Findings findings;
  for (int frame = 0; frame < 300; ++frame) {
    std::vector<Sighting> objects;
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i] = {places[i].x + step(random), places[i].y + step(random)};
      objects.push_back(at(places[i].x, places[i].y, i));
      for (SlowZone& zone : slow) zone.show(i, place_of(objects.back().box, {100, 100})->center);
    }
    findings = film.show(objects);
  }
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < slow.size(); ++i) {
    EXPECT_EQ(counts(findings, i), slow[i].counts()) << i;
    total += findings.zones[i].in;
  }
  EXPECT_GT(total, 500u);
}

TEST(Zones, ACrowdOfTracksThatCannotBeIsForgotten) {
  Scene scene = scene_of(kZone);
  Film film(scene);
  std::uint64_t next = 0;
  Findings findings;
  // All at one time, so that no time-out helps.
  for (int frame = 0; frame < 5; ++frame) {
    std::vector<Sighting> objects;
    for (int i = 0; i < 8000; ++i) objects.push_back(at(50, 50, next++));
    findings = film.show_at(milliseconds(1), objects);
    EXPECT_LE(findings.zones[0].now, Scene::kMaxTracks);
  }
  EXPECT_EQ(findings.zones[0].in, 40'000u);
  EXPECT_EQ(findings.zones[0].in - findings.zones[0].out, findings.zones[0].now);
}

}  // namespace
}  // namespace sightline::testing
