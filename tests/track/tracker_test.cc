// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/tracker.h"

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sightline::testing {
namespace {

constexpr double kFrame = 0.04;  // seconds

Observation at(float x, float y = 100, float confidence = 0.9f) {
  Observation observation;
  observation.box = {x, y, 40, 80};
  observation.class_id = 0;
  observation.confidence = confidence;
  return observation;
}

TrackerOptions quick() {
  TrackerOptions options;
  options.min_hits = 1;
  return options;
}

std::uint64_t id_of(const std::vector<const Track*>& tracks, std::size_t index = 0) {
  return tracks.at(index) != nullptr ? tracks[index]->id : 0;
}

constexpr TrackAlgorithm kAlgorithms[] = {TrackAlgorithm::kIou, TrackAlgorithm::kSort,
                                          TrackAlgorithm::kByteTrack};

TEST(Tracker, AnObjectKeepsItsTrackAndAnotherGetsAnother) {
  for (const TrackAlgorithm algorithm : kAlgorithms) {
    TrackerOptions options = quick();
    options.algorithm = algorithm;
    Tracker tracker(options);
    std::set<std::uint64_t> left, right;
    for (int i = 0; i < 50; ++i) {
      const float step = 4 * static_cast<float>(i);
      const auto tracks =
          tracker.update(i * kFrame, std::vector{at(600 - step, 300), at(100 + step)});
      right.insert(id_of(tracks, 1));
      left.insert(id_of(tracks, 0));
    }
    EXPECT_EQ(left.size(), 1u);
    EXPECT_EQ(right.size(), 1u);
    EXPECT_NE(*left.begin(), *right.begin());
  }
}

TEST(Tracker, StatesFollowTheCounts) {
  TrackerOptions options;
  options.min_hits = 3;
  options.max_lost = 0.2;
  Tracker tracker(options);
  double now = 0;
  const auto step = [&](bool seen) {
    now += kFrame;
    const auto tracks =
        tracker.update(now, seen ? std::vector{at(100)} : std::vector<Observation>());
    return seen ? tracks[0] : nullptr;
  };
  EXPECT_EQ(step(true)->state, TrackState::kTentative);
  step(false);
  EXPECT_TRUE(tracker.tracks().empty()) << "a tentative one is gone at once";

  const Track* track = step(true);
  EXPECT_EQ(track->age, 0);
  EXPECT_EQ(step(true)->state, TrackState::kTentative);
  EXPECT_EQ(step(true)->state, TrackState::kConfirmed);
  EXPECT_EQ(track->hits, 3);
  EXPECT_EQ(track->age, 2);
  const std::uint64_t id = track->id;
  for (int i = 0; i < 4; ++i) step(false);
  ASSERT_EQ(tracker.tracks().size(), 1u);
  EXPECT_EQ(tracker.tracks()[0]->state, TrackState::kLost);
  EXPECT_EQ(step(true)->id, id) << "away for 0.2 s";
  EXPECT_EQ(step(true)->state, TrackState::kConfirmed);
  for (int i = 0; i < 6; ++i) step(false);
  EXPECT_TRUE(tracker.tracks().empty());
  EXPECT_NE(step(true)->id, id);
}

TEST(Tracker, LowConfidencesKeepATrackButBeginNone) {
  for (const TrackAlgorithm algorithm : kAlgorithms) {
    TrackerOptions options = quick();
    options.algorithm = algorithm;
    Tracker tracker(options);
    EXPECT_EQ(tracker.update(0, std::vector{at(100, 100, 0.3f)})[0], nullptr);
    const std::uint64_t id = id_of(tracker.update(kFrame, std::vector{at(100)}));
    const auto unsure = tracker.update(2 * kFrame, std::vector{at(101, 100, 0.3f)});
    const auto hopeless = tracker.update(3 * kFrame, std::vector{at(101, 100, 0.05f)});
    EXPECT_EQ(id_of(unsure), algorithm == TrackAlgorithm::kByteTrack ? id : 0);
    EXPECT_EQ(hopeless[0], nullptr);
  }
}

TEST(Tracker, CrossingObjectsKeepTheirTracksThroughOcclusion) {
  for (const TrackAlgorithm algorithm : {TrackAlgorithm::kSort, TrackAlgorithm::kByteTrack}) {
    TrackerOptions options = quick();
    options.algorithm = algorithm;
    Tracker tracker(options);
    std::uint64_t before = 0, after = 0, front = 0;
    for (int i = 0; i < 60; ++i) {
      const float x = 5 * static_cast<float>(i);
      std::vector<Observation> seen{at(400 - x)};
      if (std::abs(400 - 2 * x - 100) > 30) seen.push_back(at(100 + x, 97));  // else hidden
      const auto tracks = tracker.update(i * kFrame, seen);
      if (i == 20) std::tie(front, before) = std::pair(id_of(tracks, 0), id_of(tracks, 1));
      if (i == 40) {
        EXPECT_EQ(id_of(tracks, 0), front);
        after = id_of(tracks, 1);
      }
    }
    EXPECT_EQ(before, after);
  }
}

TEST(Tracker, DroppedFramesAreALongerStep) {
  Tracker tracker(quick());
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 60; ++i) {
    if (i > 10 && i % 6 != 0) continue;  // 5 of 6 are dropped: 48 pixels, more than the box is wide
    ids.insert(id_of(tracker.update(i * kFrame, std::vector{at(100 + 8 * static_cast<float>(i))})));
  }
  EXPECT_EQ(ids.size(), 1u);
}

TEST(Tracker, ACameraOfAFrameEveryFewSecondsIsTrackedButAGapIsNotBridged) {
  Tracker slow(quick());
  slow.update(0, std::vector{at(100)});
  const std::uint64_t id = id_of(slow.update(5, std::vector{at(100)}));  // its pace is known now
  for (int i = 2; i < 6; ++i) EXPECT_EQ(id_of(slow.update(5 * i, std::vector{at(100)})), id);

  Tracker fast(quick());
  std::uint64_t before = 0;
  for (int i = 0; i < 10; ++i) before = id_of(fast.update(i * kFrame, std::vector{at(100)}));
  EXPECT_NE(id_of(fast.update(30, std::vector{at(100)})), before);
}

TEST(Tracker, FramesThatNobodyLookedAtPredictAndLoseNothing) {
  Tracker tracker(quick());
  std::uint64_t id = 0;
  for (int i = 0; i < 20; ++i)
    id = id_of(tracker.update(i * kFrame, std::vector{at(100 + 4 * static_cast<float>(i))}));
  EXPECT_TRUE(tracker.predicted().empty()) << "it was observed";
  for (int i = 20; i < 25; ++i) {
    tracker.predict(i * kFrame);
    const auto predicted = tracker.predicted();
    ASSERT_EQ(predicted.size(), 1u);
    EXPECT_EQ(predicted[0]->state, TrackState::kConfirmed);
    EXPECT_NEAR(predicted[0]->filter.box().x, 100 + 4 * i, 1);
    EXPECT_EQ(predicted[0]->age, i);
  }
  EXPECT_EQ(id_of(tracker.update(25 * kFrame, std::vector{at(200)})), id);
  tracker.predict(60);
  EXPECT_TRUE(tracker.predicted().empty()) << "for as long as a lost one is remembered";
}

TEST(Tracker, LostTracksCoastForAsLongAsAskedFor) {
  TrackerOptions options = quick();
  options.max_coast = 0.1;
  Tracker tracker(options);
  for (int i = 0; i < 10; ++i) tracker.update(i * kFrame, std::vector{at(100)});
  std::vector<std::size_t> shown;
  for (int i = 10; i < 14; ++i) {
    tracker.update(i * kFrame, {});
    shown.push_back(tracker.predicted().size());
  }
  EXPECT_EQ(shown, (std::vector<std::size_t>{1, 1, 0, 0}));
}

TEST(Tracker, ClassesDoNotMixUnlessTold) {
  for (const bool mix : {false, true}) {
    TrackerOptions options = quick();
    options.mix_classes = mix;
    Tracker tracker(options);
    const std::uint64_t car = id_of(tracker.update(0, std::vector{at(100)}));
    Observation truck = at(100);
    truck.class_id = 7;
    EXPECT_EQ(id_of(tracker.update(kFrame, std::vector{truck})) == car, mix);
    Observation unnumbered = at(300);
    unnumbered.class_id = -1;
    unnumbered.label = "cat";
    const std::uint64_t cat = id_of(tracker.update(2 * kFrame, std::vector{unnumbered}));
    unnumbered.label = "dog";
    EXPECT_EQ(id_of(tracker.update(3 * kFrame, std::vector{unnumbered})) == cat, mix);
  }
}

TEST(Tracker, EmbeddingsFindALostTrackAgainElsewhere) {
  const std::vector<float> ada{1, 0.1f, 0}, grace{0, 1, 0.1f};
  for (const bool used : {true, false}) {
    TrackerOptions options = quick();
    options.max_lost = 0.5;
    options.max_embedding_distance = used ? 0.4f : 0;
    Tracker tracker(options);
    const auto looks = [](float x, const std::vector<float>& embedding) {
      Observation observation = at(x);
      observation.embedding = embedding;
      return observation;
    };
    std::vector<const Track*> tracks;
    double now = 0;
    for (int i = 0; i < 5; ++i, now += kFrame)
      tracks = tracker.update(now, std::vector{looks(100, ada), looks(500, grace)});
    const std::uint64_t first = id_of(tracks, 0), second = id_of(tracks, 1);
    for (int i = 0; i < 50; ++i, now += kFrame) tracker.update(now, {});  // 2 s
    tracks = tracker.update(now, std::vector{looks(480, ada), looks(90, grace)});
    EXPECT_EQ(id_of(tracks, 0) == first, used);
    EXPECT_EQ(id_of(tracks, 1) == second, used);
    for (int i = 0; i < 300; ++i, now += kFrame) tracker.update(now, {});  // 12 s
    EXPECT_TRUE(tracker.tracks().empty());
  }
}

TEST(Tracker, EmbeddingsThatDifferForbidWhatPlaceWouldAllow) {
  TrackerOptions options = quick();
  options.max_embedding_distance = 0.3f;
  Tracker tracker(options);
  const std::vector<float> ada{1, 0, 0}, grace{0, 1, 0};
  Observation observation = at(100);
  observation.embedding = ada;
  const std::uint64_t first = id_of(tracker.update(0, std::vector{observation}));
  observation.embedding = grace;
  EXPECT_NE(id_of(tracker.update(kFrame, std::vector{observation})), first);
}

TEST(Tracker, LandmarksTellTwoBoxesOfOnePlaceApart) {
  TrackerOptions options = quick();
  options.use_landmarks = true;
  Tracker tracker(options);
  const std::vector<Point> left{{105, 120}, {110, 140}}, right{{130, 120}, {135, 140}};
  const auto with = [](float x, const std::vector<Point>& landmarks) {
    Observation observation = at(x);
    observation.landmarks = landmarks;
    return observation;
  };
  auto tracks = tracker.update(0, std::vector{with(100, left), with(101, right)});
  const std::uint64_t first = id_of(tracks, 0), second = id_of(tracks, 1);
  tracks = tracker.update(kFrame, std::vector{with(101, left), with(100, right)});
  EXPECT_EQ(id_of(tracks, 0), first);
  EXPECT_EQ(id_of(tracks, 1), second);
}

TEST(Tracker, FollowsTheCameraWhereAllObjectsAgree) {
  for (const bool follow : {true, false}) {
    TrackerOptions options = quick();
    options.follow_camera = follow;
    Tracker tracker(options);
    const auto row = [](float shift) {
      std::vector<Observation> observations;
      for (int i = 0; i < 6; ++i)
        observations.push_back(at(100 + 42 * static_cast<float>(i) + shift));
      return observations;
    };
    std::vector<std::uint64_t> before;
    for (int i = 0; i < 10; ++i) {
      before.clear();
      for (const Track* track : tracker.update(i * kFrame, row(0))) before.push_back(track->id);
    }
    // Half a box: nearer to a neighbour for none, but far beyond what noise explains.
    std::vector<std::uint64_t> after;
    for (const Track* track : tracker.update(10 * kFrame, row(17))) after.push_back(track->id);
    EXPECT_EQ(before == after, follow);
  }
}

TEST(Tracker, MemoryIsBoundedWhateverComes) {
  TrackerOptions options = quick();
  options.max_tracks = 20;
  Tracker tracker(options);
  for (int i = 0; i < 200; ++i) {
    std::vector<Observation> many;
    for (int k = 0; k < 100; ++k)
      many.push_back(
          at(static_cast<float>(1000 * i + 100 * k), 0, 0.5f + 0.004f * static_cast<float>(k)));
    const auto tracks = tracker.update(i * kFrame, many);
    ASSERT_LE(tracker.tracks().size(), 20u);
    EXPECT_EQ(tracks[0], nullptr);
    EXPECT_NE(tracks[99], nullptr) << "the most confident have room";
  }
}

TEST(Tracker, IdsAreUniqueInTheProcess) {
  std::set<std::uint64_t> ids;
  for (int i = 0; i < 10; ++i) {
    Tracker tracker(quick());
    for (const Track* track : tracker.update(0, std::vector{at(0), at(500)}))
      EXPECT_TRUE(ids.insert(track->id).second);
  }
  EXPECT_EQ(ids.count(0), 0u);
}

TEST(Tracker, WhatIsNoBoxIsNoTrack) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Tracker tracker(quick());
  std::vector<Observation> wrong;
  for (const float bad : {kNan, kInf, -kInf, 1e30f, -1e30f, std::numeric_limits<float>::max()})
    for (float Rect::*member : {&Rect::x, &Rect::y, &Rect::width, &Rect::height}) {
      wrong.push_back(at(100));
      wrong.back().box.*member = bad;
    }
  wrong.push_back(at(100));
  wrong.back().box.width = 0;
  wrong.push_back(at(100));
  wrong.back().box.height = -5;
  wrong.push_back(at(100, 100, kNan));
  const std::vector<Point> landmarks{{kNan, 0}};
  wrong.push_back(at(100));
  wrong.back().landmarks = landmarks;
  for (const Track* track : tracker.update(0, wrong)) EXPECT_EQ(track, nullptr);
  EXPECT_THROW(tracker.update(kNan, {}), Error);
  EXPECT_THROW(tracker.predict(kInf), Error);
}

// Anything at all may come in; what comes out is a number or nothing.
TEST(Tracker, SurvivesNoise) {
  std::mt19937 random(99);
  const auto any = [&]() -> float {
    switch (random() % 10) {
      case 0:
        return std::numeric_limits<float>::quiet_NaN();
      case 1:
        return std::numeric_limits<float>::infinity();
      case 2:
        return -1e7f;
      case 3:
        return 1e7f;
      case 4:
        return 1e-30f;
      case 5:
        return 0;
      default:
        return static_cast<float>(random() % 1000) - 200;
    }
  };
  for (const TrackAlgorithm algorithm : kAlgorithms) {
    TrackerOptions options = quick();
    options.algorithm = algorithm;
    options.max_embedding_distance = 0.5f;
    options.use_landmarks = true;
    options.max_coast = 1;
    options.max_tracks = 40;
    Tracker tracker(options);
    std::vector<Point> landmarks(3);
    std::vector<float> embedding(4);
    for (int i = 0; i < 2000; ++i) {
      std::vector<Observation> observations(random() % 12);
      for (Point& point : landmarks) point = {any(), any()};
      for (float& value : embedding) value = any();
      for (Observation& o : observations) {
        o.box = {any(), any(), any(), any()};
        o.class_id = static_cast<int>(random() % 2);
        o.confidence = static_cast<float>(random() % 100) / 100;
        if (random() % 2 == 0) o.landmarks = landmarks;
        if (random() % 2 == 0) o.embedding = embedding;
      }
      const double now = i * 0.01 + static_cast<double>(random() % 3) - 1;
      if (random() % 4 == 0)
        tracker.predict(now);
      else
        tracker.update(now, observations);
      for (const Track* track : tracker.tracks()) {
        const Rect box = track->filter.box();
        ASSERT_TRUE(std::isfinite(box.x) && std::isfinite(box.y)) << i;
        ASSERT_FALSE(box.empty()) << i;
        ASSERT_TRUE(std::isfinite(track->filter.velocity().x)) << i;
        for (const float value : track->embedding) ASSERT_TRUE(std::isfinite(value)) << i;
      }
    }
  }
}

}  // namespace
}  // namespace sightline::testing
