// SPDX-License-Identifier: LGPL-2.1-or-later

#include "crowd.h"

#include <gtest/gtest.h>

#include "track/scores.h"
#include "track/tracker.h"

namespace sightline::testing {
namespace {

constexpr unsigned kSeeds[] = {21, 22};  // none that the constants of the tracker were chosen on

ComparedSequence run(const std::vector<CrowdFrame>& frames, const TrackerOptions& options) {
  Tracker tracker(options);
  std::vector<std::vector<LabelledBox>> truth, result;
  for (const CrowdFrame& frame : frames) {
    const auto tracks = tracker.update(frame.seconds, frame.detections);
    std::vector<LabelledBox> found;
    for (std::size_t i = 0; i < tracks.size(); ++i)
      if (tracks[i] != nullptr && tracks[i]->state == TrackState::kConfirmed)
        found.push_back({static_cast<std::int64_t>(tracks[i]->id), frame.detections[i].box});
    for (const Track* track : tracker.predicted())
      found.push_back({static_cast<std::int64_t>(track->id), track->filter.box()});
    truth.push_back(frame.truth);
    result.push_back(std::move(found));
  }
  return compare(truth, result);
}

double idf1(const std::vector<CrowdFrame>& frames, TrackAlgorithm algorithm, double max_coast) {
  TrackerOptions options;
  options.algorithm = algorithm;
  options.max_coast = max_coast;
  return identity_scores(run(frames, options)).idf1;
}

TEST(Crowd, IsTheSameForTheSameSeed) {
  const CrowdOptions scene = crowd_scenes(5).back();
  const auto once = make_crowd(scene), again = make_crowd(scene);
  ASSERT_EQ(once.size(), again.size());
  for (std::size_t i = 0; i < once.size(); ++i) {
    ASSERT_EQ(once[i].detections.size(), again[i].detections.size());
    for (std::size_t k = 0; k < once[i].detections.size(); ++k)
      ASSERT_EQ(once[i].detections[k].box, again[i].detections[k].box);
  }
}

// What is written about a scene has to be so.
TEST(Crowd, HasTheErrorsThatItsOptionsSay) {
  CrowdOptions options{.name = "", .seed = 3, .persons = 20, .seconds = 60};
  std::size_t visible = 0, wrong = 0, missed = 0, hidden = 0;
  const auto frames = make_crowd(options);
  for (const CrowdFrame& frame : frames) {
    std::vector<LabelledBox> detections;
    for (const Observation& detection : frame.detections) detections.push_back({0, detection.box});
    for (const LabelledBox& person : frame.truth) hidden += person.ignored ? 1 : 0;
    const std::vector<std::vector<LabelledBox>> truth{frame.truth}, result{detections};
    const ClearMot score = clear_mot(compare(truth, result));
    visible += score.matches + score.misses;
    missed += score.misses;
    wrong += score.false_positives;
  }
  const double boxes = static_cast<double>(visible), count = static_cast<double>(frames.size());
  EXPECT_GT(static_cast<double>(missed) / boxes, 0.10)
      << "of the visible, and who is partly hidden";
  EXPECT_LT(static_cast<double>(missed) / boxes, 0.25);
  EXPECT_NEAR(static_cast<double>(wrong) / count, 1, 0.4) << "and some that lie beside a person";
  EXPECT_GT(hidden, 100u) << "nobody is ever fully hidden";
}

// Thresholds are below what was measured when this was written by at least 0.02; docs/tracking.md
// has the figures of all scenes.
TEST(Crowd, ByteTrackKeepsIdentitiesAndBeatsIou) {
  double sum = 0;
  int count = 0;
  for (const unsigned seed : kSeeds)
    for (const CrowdOptions& scene : crowd_scenes(seed)) {
      const auto frames = make_crowd(scene);
      const double bytetrack = idf1(frames, TrackAlgorithm::kByteTrack, 0.2);
      const double overlap = idf1(frames, TrackAlgorithm::kIou, 0.2);
      EXPECT_GT(bytetrack, 0.80) << scene.name << " " << seed;
      EXPECT_GT(bytetrack, overlap + 0.05) << scene.name << " " << seed;
      sum += bytetrack;
      ++count;
    }
  EXPECT_GT(sum / count, 0.91);
}

}  // namespace
}  // namespace sightline::testing
