// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/track_cache.h"

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using ::testing::HasSubstr;

const ReinferRule kRule{
    .interval = 10, .warm_up = 1, .growth = 0.2f, .sharper = 0.5f, .frontal = 0.3f};
const TrackView kView{100, 0.2f, 6.0f};

TrackResults results(std::uint64_t frame, float value) {
  TrackResults made{frame, {}, {}};
  made.results.tensors.push_back(Tensor::copy_of("embedding", {1}, std::vector<float>{value}));
  return made;
}

float value_of(const TrackResults& kept) { return kept.results.tensors.front().floats()[0]; }

ReinferRule rule_of(const std::string& keys) {
  const ConfigFile config = ConfigFile::parse("[property]\n" + keys, "rule.ini");
  const ReinferRule rule = ReinferRule::from_config(config);
  config.reject_unknown();
  return rule;
}

TEST(ReinferRule, NothingIsTakenOverUnlessAskedFor) {
  EXPECT_FALSE(rule_of("").takes_over());
  EXPECT_FALSE(rule_of("secondary-reinfer-interval = 0\n").takes_over());
  const ReinferRule rule = rule_of(
      "secondary-reinfer-interval = 30\nreinfer-warm-up = 2\nreinfer-growth = 0.5\n"
      "reinfer-sharper = 0\nreinfer-frontal = 0.25\n");
  EXPECT_TRUE(rule.takes_over());
  EXPECT_EQ(rule.interval, 30);
  EXPECT_EQ(rule.warm_up, 2);
  EXPECT_EQ(rule.growth, 0.5f);
  EXPECT_EQ(rule.sharper, 0);
  EXPECT_EQ(rule.frontal, 0.25f);
}

TEST(ReinferRule, AWrongValueIsNamedWithItsLine) {
  for (const char* line :
       {"secondary-reinfer-interval = -1", "secondary-reinfer-interval = often",
        "reinfer-warm-up = 0", "reinfer-growth = nan", "reinfer-frontal = 1.5"}) {
    try {
      rule_of(std::string(line) + "\n");
      ADD_FAILURE() << line;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("rule.ini:2: " + std::string(line)));
    }
  }
}

TEST(ReinferRule, BetterIsLargerSharperOrFrontal) {
  const auto better = [](TrackView now) { return kRule.is_better(kView, now); };
  EXPECT_FALSE(better(kView));
  EXPECT_FALSE(better({120, 0.2f, 6.0f}));
  EXPECT_TRUE(better({120.1f, 0.2f, 6.0f}));
  EXPECT_FALSE(better({50, 0.1f, 9.0f}));
  EXPECT_FALSE(better({100, 0.299f, 6.0f}));
  EXPECT_TRUE(better({100, 0.301f, 6.0f}));
  EXPECT_FALSE(better({100, 0.2f, 4.3f}));
  EXPECT_TRUE(better({100, 0.2f, 4.1f}));
  // Landmarks jitter by a pixel; less says nothing.
  EXPECT_FALSE(kRule.is_better({100, {}, 1.5f}, {100, {}, 0.6f}));
  const ReinferRule none{.interval = 10, .warm_up = 1, .growth = 0, .sharper = 0, .frontal = 0};
  EXPECT_FALSE(none.is_better(kView, {1000, 2, 0.0f}));
}

TEST(TrackCache, ATrackIsLookedAtWhenItIsNewAndAfterTheInterval) {
  TrackCache cache;
  std::vector<int> looked;
  for (int frame = 0; frame < 40; ++frame)
    if (cache.turn(kRule, "door", static_cast<std::uint64_t>(frame), 7, kView).looked_at)
      looked.push_back(frame);
  EXPECT_EQ(looked, (std::vector<int>{0, 11, 22, 33}));  // more than ten frames have passed
  EXPECT_TRUE(cache.turn(kRule, "door", 3, 7, kView).looked_at);  // the stream began anew
}

TEST(TrackCache, ANewTrackIsLookedAtAsOftenAsItsWarmUpSays) {
  TrackCache cache;
  ReinferRule rule = kRule;
  rule.warm_up = 3;
  int looks = 0;
  for (std::uint64_t frame = 0; frame < 10; ++frame)
    looks += cache.turn(rule, "door", frame, 7, kView).looked_at ? 1 : 0;
  EXPECT_EQ(looks, 3);
}

TEST(TrackCache, BetterIsMeasuredAgainstTheLastLook) {
  TrackCache cache;
  const auto looked_at = [&](std::uint64_t frame, float area) {
    return cache.turn(kRule, "door", frame, 7, {area, {}, {}}).looked_at;
  };
  EXPECT_TRUE(looked_at(0, 100));
  EXPECT_FALSE(looked_at(1, 115));
  EXPECT_TRUE(looked_at(2, 125));
  EXPECT_FALSE(looked_at(3, 145));
  EXPECT_TRUE(looked_at(4, 151));
}

TEST(TrackCache, AnAbruptChangeIsANewTrack) {
  TrackCache cache;
  ReinferRule rule = kRule;
  rule.warm_up = 2;
  const auto looked_at = [&](std::uint64_t frame, float area, float sharpness) {
    return cache.turn(rule, "door", frame, 7, {area, sharpness, {}}).looked_at;
  };
  EXPECT_TRUE(looked_at(0, 100, 0.3f));
  EXPECT_TRUE(looked_at(1, 100, 0.3f));
  EXPECT_FALSE(looked_at(2, 90, 0.25f));
  EXPECT_FALSE(looked_at(3, 80, 0.21f));  // away, step by step
  EXPECT_FALSE(looked_at(4, 60, 0.17f));
  EXPECT_TRUE(looked_at(5, 40, 0.17f));
  EXPECT_TRUE(looked_at(6, 40, 0.17f));
  EXPECT_FALSE(looked_at(7, 40, 0.17f));
  EXPECT_TRUE(looked_at(8, 40, 0.1f));
  EXPECT_TRUE(looked_at(9, 40, 0.1f));
  EXPECT_FALSE(looked_at(10, 40, 0.1f));
}

TEST(TrackCache, WhoTakesOverGetsTheLastLookBeforeIt) {
  TrackCache cache;
  // Frames 0 to 2 enter before any leaves: the look of frame 0 is still under way.
  const auto first = cache.turn(kRule, "door", 0, 7, kView);
  const auto second = cache.turn(kRule, "door", 1, 7, kView);
  const auto third = cache.turn(kRule, "door", 2, 7, {200, 0.2f, 6.0f});  // grew
  const auto fourth = cache.turn(kRule, "door", 3, 7, {200, 0.2f, 6.0f});
  ASSERT_TRUE(first.looked_at && !second.looked_at && third.looked_at && !fourth.looked_at);
  cache.keep(*first.track, results(0, 10));
  EXPECT_EQ(value_of(*cache.take_over(*second.track)), 10);
  cache.keep(*third.track, results(2, 12));
  const auto kept = cache.take_over(*fourth.track);
  EXPECT_EQ(value_of(*kept), 12);
  EXPECT_EQ(kept->frame, 2u);
}

TEST(TrackCache, ALookThatGaveNothingIsRepeated) {
  TrackCache cache;
  const auto first = cache.turn(kRule, "door", 0, 7, kView);
  const auto second = cache.turn(kRule, "door", 1, 7, kView);
  cache.keep_failure(*first.track, "the network broke");
  try {
    cache.take_over(*second.track);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the network broke"));
  }
  const auto third = cache.turn(kRule, "door", 2, 7, kView);
  EXPECT_TRUE(third.looked_at);
  cache.keep(*third.track, {2, {}, {}});  // an embedding of length zero is dropped
  const auto fourth = cache.turn(kRule, "door", 3, 7, kView);
  EXPECT_TRUE(fourth.looked_at);
  cache.keep(*fourth.track, results(3, 1));
  const auto fifth = cache.turn(kRule, "door", 4, 7, kView);
  EXPECT_FALSE(fifth.looked_at);
  // A later failure leaves the last good result.
  cache.keep_failure(*fourth.track, "again");
  EXPECT_EQ(value_of(*cache.take_over(*fifth.track)), 1);
}

TEST(TrackCache, ALookWhoseFrameWasDroppedIsRepeated) {
  TrackCache cache;
  ASSERT_TRUE(cache.turn(kRule, "door", 0, 7, kView).looked_at);
  const auto second = cache.turn(kRule, "door", 1, 7, kView);
  EXPECT_EQ(cache.take_over(*second.track), nullptr);
  EXPECT_TRUE(cache.turn(kRule, "door", 2, 7, kView).looked_at);
}

TEST(TrackCache, TracksOfOtherStreamsAreOthers) {
  TrackCache cache;
  EXPECT_TRUE(cache.turn(kRule, "door", 0, 7, kView).looked_at);
  EXPECT_TRUE(cache.turn(kRule, "hall", 0, 7, kView).looked_at);
  EXPECT_FALSE(cache.turn(kRule, "door", 1, 7, kView).looked_at);
}

TEST(TrackCache, IsBoundedAndForgets) {
  TrackCache cache(100);
  for (std::uint64_t track = 0; track < 1000; ++track) cache.turn(kRule, "door", 0, track, kView);
  EXPECT_EQ(cache.size(), 100u);
  EXPECT_TRUE(cache.turn(kRule, "door", 1, 5, kView).looked_at);     // pushed out
  EXPECT_FALSE(cache.turn(kRule, "door", 1, 999, kView).looked_at);  // one of the last
  for (std::uint64_t i = 0; i <= TrackCache::kPatience; ++i) cache.next_frame("door");
  EXPECT_EQ(cache.size(), 0u);
  cache.turn(kRule, "door", 0, 1, kView);
  cache.clear();
  EXPECT_EQ(cache.size(), 0u);
}

TEST(TrackCache, LargeOutputsDoNotHoldTheirBatch) {
  TrackCache cache;
  const auto batch = std::make_shared<std::vector<float>>(4096, 3.0f);
  TrackResults made;
  made.results.tensors.push_back({"mask",
                                  ElementType::kFloat32,
                                  {2048},
                                  MemoryKind::kHost,
                                  reinterpret_cast<const std::byte*>(batch->data()),
                                  batch});
  const auto turn = cache.turn(kRule, "door", 0, 7, kView);
  cache.keep(*turn.track, std::move(made));
  EXPECT_EQ(batch.use_count(), 1);
  const auto kept = cache.take_over(*turn.track);
  EXPECT_EQ(kept->results.tensors[0].floats()[2047], 3);
  // Small ones are shared as they are.
  const auto small = results(0, 1);
  cache.keep(*turn.track, small);
  EXPECT_EQ(cache.take_over(*turn.track)->results.tensors[0].data, small.results.tensors[0].data);
}

// Frames enter by one thread and leave, in order, by another; now and then the cache is cleared.
// Each object must get the result of the last look at its track before it.
TEST(TrackCache, RandomFramesInFlightGetTheLastLookBeforeThem) {
  struct Frame {
    std::uint64_t number;
    std::vector<std::pair<std::uint64_t, TrackCache::Turn>> objects;
  };
  TrackCache cache(30);
  std::mutex mutex;
  std::deque<Frame> window;
  std::atomic<bool> done{false};
  std::thread entering([&] {
    std::mt19937 random(1);
    for (std::uint64_t number = 0; number < 4000; ++number) {
      cache.next_frame("door");
      Frame frame{number, {}};
      std::set<std::uint64_t> tracks;
      for (int i = 0; i < 6; ++i) tracks.insert(random() % 40);
      for (const std::uint64_t track : tracks)
        frame.objects.emplace_back(track,
                                   cache.turn(kRule, "door", number, track,
                                              {static_cast<float>(50 + random() % 80), {}, {}}));
      if (random() % 200 == 0) cache.clear();
      const std::lock_guard lock(mutex);
      window.push_back(std::move(frame));
    }
    done = true;
  });
  std::map<const TrackCache::Track*, float> expected;
  std::vector<TrackCache::TrackPtr> alive;  // so that no address comes twice
  int taken_over = 0;
  while (!done || !window.empty()) {
    Frame frame{};
    {
      const std::lock_guard lock(mutex);
      if (window.empty()) continue;
      frame = std::move(window.front());
      window.pop_front();
    }
    for (const auto& [track, turn] : frame.objects) {
      if (turn.looked_at) {
        const auto value = static_cast<float>(frame.number * 100 + track);
        cache.keep(*turn.track, results(frame.number, value));
        if (expected.emplace(turn.track.get(), value).second) alive.push_back(turn.track);
        expected[turn.track.get()] = value;
      } else {
        ++taken_over;
        EXPECT_EQ(value_of(*cache.take_over(*turn.track)), expected.at(turn.track.get()));
      }
    }
  }
  entering.join();
  EXPECT_GT(taken_over, 1000);
}

}  // namespace
}  // namespace sightline
