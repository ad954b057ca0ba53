// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A frame of 1,000 tracks among 1,000 lines and 1,000 zones, beside looking at each pair; small
// zones, as in a large installation, and zones that all cover the whole picture, which no index can
// help. Then a scene of the usual size, from a frame's objects to its metadata.

#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "analytics/polygon.h"
#include "analytics/scene.h"
#include "analytics/segment.h"
#include "stage/analytics.h"

namespace sightline {
namespace {

constexpr int kTracks = 1000;
constexpr int kFrames = 64;  // which are shown again and again
constexpr Size kFrame{1920, 1080};

// A square of `side`, as shares.
std::vector<Point> square_at(float x, float y, float side) {
  return {{x, y}, {x + side, y}, {x + side, y + side}, {x, y + side}};
}

StreamRules rules_of(int count, float side) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> place(0, 1 - side);
  StreamRules rules;
  rules.track_timeout = std::chrono::seconds(2);
  rules.motion_window = std::chrono::seconds(1);
  rules.motion_distance = 0.03f;
  for (int i = 0; i < count; ++i) {
    const std::vector<Point> square = square_at(place(random), place(random), side);
    const std::string name = std::to_string(i);
    rules.lines.push_back({.name = name, .from = square[0], .to = square[2], .hysteresis = 0.01f});
    rules.zones.push_back({.name = name, .corners = square, .hysteresis = 0.01f});
  }
  return rules;
}

// Tracks that walk to and fro, 4 pixels a frame.
std::vector<std::vector<Sighting>> walks(int tracks) {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> x(0, 1900), y(0, 1000), step(-4, 4);
  std::vector<std::vector<Sighting>> frames(kFrames);
  for (int track = 0; track < tracks; ++track) {
    const Point start{x(random), y(random)}, speed{step(random), step(random)};
    for (int i = 0; i < kFrames; ++i) {
      const auto far = static_cast<float>(i < kFrames / 2 ? i : kFrames - i);
      frames[static_cast<std::size_t>(i)].push_back(
          {static_cast<std::uint64_t>(track),
           0,
           "person",
           {start.x + far * speed.x, start.y + far * speed.y, 20, 60}});
    }
  }
  return frames;
}

Findings show(Scene& scene, const std::vector<std::vector<Sighting>>& frames, std::size_t number) {
  return scene.observe({.frame = kFrame,
                        .time = std::chrono::milliseconds(40 * number),
                        .number = number,
                        .objects = frames[number % kFrames]});
}

void OneFrame(benchmark::State& state, int rules, float side) {
  const auto frames = walks(kTracks);
  Scene scene(rules_of(rules, side));
  std::size_t number = 0;
  show(scene, frames, number++);  // in which everybody enters
  for (auto _ : state) benchmark::DoNotOptimize(show(scene, frames, number++));
}
BENCHMARK_CAPTURE(OneFrame, SmallLinesAndZones, 1000, 0.05f)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(OneFrame, ZonesOverTheWholePicture, 1000, 1.0f)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(OneFrame, FiveLinesAndZones, 5, 0.3f)->Unit(benchmark::kMicrosecond);

// The geometry alone, without state, for each track and each line and zone.
void EachPair(benchmark::State& state) {
  const auto frames = walks(kTracks);
  const StreamRules rules = rules_of(1000, 0.05f);
  std::vector<Segment> segments;
  std::vector<Polygon> polygons;
  for (const LineRule& line : rules.lines) segments.push_back({line.from, line.to});
  for (const ZoneRule& zone : rules.zones) polygons.emplace_back(zone.corners);
  std::size_t number = 1;
  for (auto _ : state) {
    int found = 0;
    const auto& before = frames[(number - 1) % kFrames];
    const auto& now = frames[number++ % kFrames];
    for (std::size_t i = 0; i < now.size(); ++i) {
      const Point p{before[i].box.x / 1920, before[i].box.y / 1080};
      const Point q{now[i].box.x / 1920, now[i].box.y / 1080};
      for (const Segment& segment : segments) found += crossing(segment, p, q) != 0;
      for (const Polygon& polygon : polygons) found += polygon.contains(q);
    }
    benchmark::DoNotOptimize(found);
  }
}
BENCHMARK(EachPair)->Unit(benchmark::kMicrosecond);

// Five lines, five zones and ten persons: from a frame's objects to its metadata.
void AnalyzeAndAttachTenObjects(benchmark::State& state) {
  const auto frames = walks(10);
  Scene scene(rules_of(5, 0.3f));
  std::size_t number = 0;
  for (auto _ : state) {
    SightFrame* frame = sight_frame_new(1920, 1080);
    for (const Sighting& sighting : frames[number % kFrames]) {
      const SightBox box{sighting.box.x, sighting.box.y, sighting.box.width, sighting.box.height};
      SightObject* object = sight_frame_add_object(frame, "person", 0, 1, &box, 0, nullptr);
      sight_object_set_track(object, *sighting.track, nullptr);
    }
    const std::vector<Sighting> objects = sightings_of(frame);
    const Findings findings = scene.observe({.frame = kFrame,
                                             .time = std::chrono::milliseconds(40 * number),
                                             .number = number,
                                             .objects = objects});
    attach(frame, scene.rules(), findings);
    sight_frame_unref(frame);
    ++number;
  }
}
BENCHMARK(AnalyzeAndAttachTenObjects)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace sightline

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
