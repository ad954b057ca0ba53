// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The tracker on crowds with known truth: how well each algorithm keeps identities, and what a
// frame costs. Seeds other than those that its constants were chosen on. "oracle" is what the
// detections allow at best: each has the identity of the person it lies on.

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "../tests/track/crowd.h"
#include "track/scores.h"
#include "track/tracker.h"

namespace sightline {
namespace {

using Boxes = std::vector<std::vector<LabelledBox>>;
using testing::CrowdFrame;

constexpr unsigned kFirstSeed = 21, kLastSeed = 25;

struct Variant {
  const char* name;
  TrackAlgorithm algorithm;
  double coast;  // seconds
};

constexpr Variant kVariants[] = {
    {"iou", TrackAlgorithm::kIou, 0},
    {"iou, coast 0.2", TrackAlgorithm::kIou, 0.2},
    {"sort", TrackAlgorithm::kSort, 0},
    {"sort, coast 0.2", TrackAlgorithm::kSort, 0.2},
    {"bytetrack", TrackAlgorithm::kByteTrack, 0},
    {"bytetrack, coast 0.2", TrackAlgorithm::kByteTrack, 0.2},
};

// Means over the seeds.
struct Row {
  double mota = 0, idf1 = 0, hota = 0, switches = 0, microseconds = 0;

  void add(const ComparedSequence& sequence, double cost) {
    const ClearMot clear = clear_mot(sequence);
    constexpr double kPart = 1.0 / (kLastSeed - kFirstSeed + 1);
    mota += kPart * clear.mota;
    idf1 += kPart * identity_scores(sequence).idf1;
    hota += kPart * sightline::hota(sequence).hota;
    switches += kPart * static_cast<double>(clear.identity_switches);
    microseconds += kPart * cost;
  }

  void print(const std::string& scene, const char* name) const {
    std::printf("%-10s %-21s %6.3f %6.3f %6.3f %9.1f %9.1f\n", scene.c_str(), name, mota, idf1,
                hota, switches, microseconds);
  }
};

Boxes truth_of(const std::vector<CrowdFrame>& frames) {
  Boxes truth;
  for (const CrowdFrame& frame : frames) truth.push_back(frame.truth);
  return truth;
}

Boxes oracle(const std::vector<CrowdFrame>& frames) {
  Boxes result;
  for (const CrowdFrame& frame : frames) {
    WeightMatrix weights(frame.truth.size(), frame.detections.size());
    for (std::size_t t = 0; t < weights.rows(); ++t)
      for (std::size_t d = 0; d < weights.columns(); ++d) {
        const double overlap = iou(frame.truth[t].box, frame.detections[d].box);
        weights(t, d) = overlap >= kMatchThreshold ? overlap : 0;
      }
    const std::vector<int> columns = assign(weights);
    auto& boxes = result.emplace_back();
    for (std::size_t t = 0; t < columns.size(); ++t)
      if (columns[t] != kUnassigned)
        boxes.push_back(
            {frame.truth[t].identity, frame.detections[static_cast<std::size_t>(columns[t])].box});
  }
  return result;
}

// `microseconds` a frame of tracking alone.
Boxes track(const std::vector<CrowdFrame>& frames, const Variant& variant, double& microseconds) {
  TrackerOptions options;
  options.algorithm = variant.algorithm;
  options.max_coast = variant.coast;
  Tracker tracker(options);
  Boxes result;
  std::chrono::duration<double, std::micro> spent{};
  for (const CrowdFrame& frame : frames) {
    const auto begin = std::chrono::steady_clock::now();
    const auto tracks = tracker.update(frame.seconds, frame.detections);
    const auto predicted = tracker.predicted();
    spent += std::chrono::steady_clock::now() - begin;
    auto& boxes = result.emplace_back();
    for (std::size_t i = 0; i < tracks.size(); ++i)
      if (tracks[i] != nullptr && tracks[i]->state == TrackState::kConfirmed)
        boxes.push_back({static_cast<std::int64_t>(tracks[i]->id), frame.detections[i].box});
    for (const Track* each : predicted)
      boxes.push_back({static_cast<std::int64_t>(each->id), each->filter.box()});
  }
  microseconds = spent.count() / static_cast<double>(frames.size());
  return result;
}

void run_scene(std::size_t index) {
  std::vector<Row> rows(std::size(kVariants));
  Row best;
  std::string name;
  for (unsigned seed = kFirstSeed; seed <= kLastSeed; ++seed) {
    const testing::CrowdOptions scene = testing::crowd_scenes(seed)[index];
    name = scene.name;
    const auto frames = testing::make_crowd(scene);
    const Boxes truth = truth_of(frames);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      double microseconds = 0;
      const Boxes result = track(frames, kVariants[i], microseconds);
      rows[i].add(compare(truth, result), microseconds);
    }
    best.add(compare(truth, oracle(frames)), 0);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].print(name, kVariants[i].name);
  best.print(name, "oracle, no coasting");
}

}  // namespace
}  // namespace sightline

int main() {
  std::printf("%-10s %-21s %6s %6s %6s %9s %9s\n", "scene", "algorithm", "MOTA", "IDF1", "HOTA",
              "switches", "µs/frame");
  const std::size_t scenes = sightline::testing::crowd_scenes(1).size();
  for (std::size_t i = 0; i < scenes; ++i) sightline::run_scene(i);
}
