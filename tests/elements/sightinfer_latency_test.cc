// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What sightinfer says about its time: the LATENCY query and message, and its figures.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "elements/stage_figures.h"
#include "infer_fixture.h"

namespace sightline {
namespace {

using namespace std::chrono_literals;
using testing::Element;
using testing::eventually;
using testing::Ptr;

struct Latency {
  gboolean live = FALSE;
  GstClockTime minimum = 0, maximum = 0;
};

class SightInferLatency : public testing::InferTest, public ::testing::Test {
 protected:
  // Upstream is no live source, and has no latency of its own.
  static Latency latency(Element& stage) {
    const Ptr<GstQuery> query(gst_query_new_latency());
    EXPECT_TRUE(gst_pad_peer_query(stage.get()->sinkpad, query.get()));
    Latency found;
    gst_query_parse_latency(query.get(), &found.live, &found.minimum, &found.maximum);
    return found;
  }
};

TEST_F(SightInferLatency, TheMinimumGrowsByTheDeadlineAndTheNetworksTime) {
  const auto stage = element(config(), 3);
  const GstClockTime without_runs = latency(*stage).minimum;
  EXPECT_EQ(without_runs, 0u);
  g_object_set(stage->element(), "deadline", G_GUINT64_CONSTANT(7000000), nullptr);
  EXPECT_EQ(latency(*stage).minimum, 7000000u);
  stage->push(grey(1));
  ASSERT_NE(pull(*stage), nullptr);
  const double run = figure<double>(stage->element(), "run-p95");
  EXPECT_GT(run, 0);
  EXPECT_EQ(latency(*stage).minimum, 7000000u + static_cast<GstClockTime>(run * GST_SECOND));
}

TEST_F(SightInferLatency, TheMinimumGrowsByTheTimeThatABatchWaits) {
  const auto stage = element(config(), 3);
  EXPECT_EQ(latency(*stage).minimum, 0u) << "the source is not live, and this is no GPU";
  g_object_set(stage->element(), "batch-wait", G_GINT64_CONSTANT(4000000), nullptr);
  EXPECT_EQ(latency(*stage).minimum, 4000000u);
  g_object_set(stage->element(), "deadline", G_GUINT64_CONSTANT(1000000), nullptr);
  EXPECT_EQ(latency(*stage).minimum, 2000000u) << "nobody waits longer than the deadline";
}

TEST_F(SightInferLatency, FramesWaitForTheNextBatch) {
  constexpr auto kWait = 60ms;
  const auto stage = element(config(), 3);
  g_object_set(stage->element(), "batch-wait",
               static_cast<gint64>(std::chrono::nanoseconds(kWait).count()), nullptr);
  const auto begin = Clock::now();
  for (int i = 0; i < 2; ++i) {
    stage->push(grey(i));
    ASSERT_NE(pull(*stage), nullptr);
  }
  EXPECT_GE(Clock::now() - begin, kWait);
}

TEST_F(SightInferLatency, TheMaximumGrowsByTheFramesThatItHolds) {
  const auto stage = element(config(), 3);
  gst_pad_set_query_function(
      stage->get()->srcpad, [](GstPad*, GstObject*, GstQuery* query) -> gboolean {
        gst_query_set_latency(query, TRUE, 5 * GST_MSECOND, 10 * GST_MSECOND);
        return TRUE;
      });
  const Latency found = latency(*stage);
  EXPECT_TRUE(found.live);
  EXPECT_EQ(found.minimum, 5 * GST_MSECOND);
  EXPECT_EQ(found.maximum, 10 * GST_MSECOND + 3 * (GST_SECOND / 25));
}

TEST_F(SightInferLatency, AGrownEstimateIsAnnounced) {
  const auto stage = element(config(), 3);
  stage->push(grey(1));
  ASSERT_NE(pull(*stage), nullptr);
  EXPECT_EQ(stage->message(GST_MESSAGE_LATENCY), nullptr) << "nobody has asked";

  const auto asked = element(config("", 1), 3);
  latency(*asked);  // nothing has run yet
  const auto begin = Clock::now();
  asked->push(grey(1));
  EXPECT_TRUE(eventually([&] { return asked->message(GST_MESSAGE_LATENCY) != nullptr; }));
  asked->push(grey(1));
  ASSERT_NE(pull(*asked), nullptr);
  ASSERT_NE(pull(*asked), nullptr);
  const bool again = asked->message(GST_MESSAGE_LATENCY) != nullptr;
  EXPECT_FALSE(again && Clock::now() - begin < 1s) << "once a second at most";
}

TEST_F(SightInferLatency, TheFiguresSayWhatWasDone) {
  const auto stage = element(config("", 1), 3, "on-error=continue");
  for (int i = 0; i < 20; ++i) {
    stage->push(grey(i));
    ASSERT_NE(pull(*stage), nullptr);
  }
  stage->push(Ptr<GstBuffer>(gst_buffer_new_allocate(nullptr, 5, nullptr)));  // cannot be read
  ASSERT_NE(pull(*stage), nullptr);
  GstElement* infer = stage->element();
  EXPECT_EQ(figure<int>(infer, "frames"), 21);
  EXPECT_EQ(figure<int>(infer, "failures"), 1);
  EXPECT_EQ(figure<int>(infer, "skipped"), 0);
  EXPECT_EQ(figure<int>(infer, "late"), 0);
  EXPECT_EQ(figure<int>(infer, "in-flight"), 0);
  EXPECT_EQ(figure<int>(infer, "queue"), 0);
  EXPECT_EQ(figure<int>(infer, "items"), 20);
  EXPECT_EQ(figure<int>(infer, "runs"), 20) << "one after the other";
  EXPECT_DOUBLE_EQ(figure<double>(infer, "batch-fill"), 0.25) << "of batches of four";
  EXPECT_GT(figure<double>(infer, "fps"), 0);
  EXPECT_GT(figure<double>(infer, "latency-p50"), 0);
  EXPECT_GE(figure<double>(infer, "latency-p95"), figure<double>(infer, "latency-p50"));
  EXPECT_GE(figure<double>(infer, "latency-p99"), figure<double>(infer, "latency-p95"));
  EXPECT_GT(figure<double>(infer, "run-p50"), 0);
}

using Fate = StageFigures::Fate;

TEST(StageFigures, LatenciesAreOfFramesThatWereLookedAt) {
  StageFigures figures;
  const Clock::time_point start{};
  for (int i = 1; i <= 100; ++i) figures.frame_left(Fate::kLookedAt, start, start + i * 1ms);
  for (int i = 0; i < 100; ++i) figures.frame_left(Fate::kSkipped, start, start + 5s);
  figures.frame_left(Fate::kLate, start, start + 5s);
  figures.frame_left(Fate::kFailed, start, start + 5s);
  const StageFigures::Snapshot found = figures.snapshot(start + 5s);
  EXPECT_EQ(found.counts.frames, 202u);
  EXPECT_EQ(found.counts.skipped, 100u);
  EXPECT_EQ(found.counts.late, 1u);
  EXPECT_EQ(found.counts.failures, 1u);
  // Of the values 1, 2, … 100 the one at rank ⌊99 p⌋, counted from 0.
  EXPECT_NEAR(found.latency_seconds_p50, 0.050, 1e-6);
  EXPECT_NEAR(found.latency_seconds_p95, 0.095, 1e-6);
  EXPECT_NEAR(found.latency_seconds_p99, 0.099, 1e-6);
}

TEST(StageFigures, FramesASecondAreOfTheLastSeconds) {
  StageFigures figures;
  const Clock::time_point start{};
  EXPECT_EQ(figures.snapshot(start).frames_per_second, 0);
  const auto at = [&](int frame) { return start + frame * 40ms; };
  for (int i = 0; i <= 25; ++i) figures.frame_left(Fate::kLookedAt, at(i), at(i));
  EXPECT_NEAR(figures.snapshot(at(25)).frames_per_second, 25, 1e-6) << "from the beginning";
  for (int i = 26; i <= 1000; ++i) figures.frame_left(Fate::kLookedAt, at(i), at(i));
  EXPECT_NEAR(figures.snapshot(at(1000)).frames_per_second, 25, 0.3) << "a frame more or less";
  EXPECT_NEAR(figures.snapshot(at(1000) + 4s).frames_per_second, 5, 0.3) << "it stands still";
  EXPECT_EQ(figures.snapshot(at(1000) + 6s).frames_per_second, 0);

  StageFigures fast;  // more than are kept leave in that time
  for (int i = 0; i <= 10000; ++i) fast.frame_left(Fate::kLookedAt, start, start + i * 1ms);
  EXPECT_NEAR(fast.snapshot(start + 10000ms).frames_per_second, 1000, 1e-6);
}

}  // namespace
}  // namespace sightline
