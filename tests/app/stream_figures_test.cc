// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/stream_figures.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace std::chrono_literals;

class StreamFiguresTest : public testing::Test {
 protected:
  StreamFigures figures_{"door", true};
  StreamFigures::Clock::time_point now_ = StreamFigures::Clock::now();
};

TEST_F(StreamFiguresTest, AFrameThatOthersOvertookIsDroppedAndHasNoLatency) {
  for (std::uint64_t frame = 0; frame < 10; ++frame) figures_.enter(frame, now_ + frame * 10ms);
  for (const std::uint64_t frame : {0u, 4u, 9u}) figures_.leave(frame, {}, now_ + 100ms);
  const StreamSnapshot snapshot = figures_.snapshot(now_ + 1s);
  EXPECT_EQ(snapshot.frames, 3);
  EXPECT_EQ(snapshot.dropped, 3 + 4);  // 1…3 and 5…8
  EXPECT_EQ(snapshot.latency.count(), 3u);
  EXPECT_NEAR(snapshot.latency.sum(), 0.1 + 0.06 + 0.01, 1e-9);
}

TEST_F(StreamFiguresTest, AFrameThatNeverEnteredIsCountedWithoutLatency) {
  figures_.leave(7, {}, now_);
  const StreamSnapshot snapshot = figures_.snapshot(now_);
  EXPECT_EQ(snapshot.frames, 1);
  EXPECT_EQ(snapshot.latency.count(), 0u);
}

TEST_F(StreamFiguresTest, FramesThatAPipelineLeftBehindAreNoLatencyOfTheNext) {
  figures_.enter(0, now_ - 1h);
  figures_.open();
  figures_.enter(0, now_);
  figures_.leave(0, {}, now_ + 20ms);
  EXPECT_NEAR(figures_.snapshot().latency.maximum(), 0.02, 1e-9);
}

TEST_F(StreamFiguresTest, FacesAreSummedByName) {
  figures_.leave(0, {2, 1, {{"Ada", 1}}}, now_);
  figures_.leave(1, {3, 0, {{"Ada", 1}, {"Bob", 2}}}, now_);
  const FaceCounts counts = figures_.snapshot(now_).counts;
  EXPECT_EQ(counts.faces, 5);
  EXPECT_EQ(counts.unknown, 1);
  EXPECT_EQ(counts.named, (std::map<std::string, long>{{"Ada", 2}, {"Bob", 2}}));
}

TEST_F(StreamFiguresTest, RecentFiguresForgetAndTotalsDoNot) {
  for (int frame = 0; frame < 200; ++frame) {  // 8 s at 25 fps
    const auto at = now_ + frame * 40ms;
    figures_.enter(static_cast<std::uint64_t>(frame), at);
    figures_.leave(static_cast<std::uint64_t>(frame), {}, at + 10ms);
  }
  const StreamSnapshot busy = figures_.snapshot(now_ + 8s);
  EXPECT_NEAR(busy.frames_per_second, 25, 1);
  EXPECT_GT(busy.recent.count(), 0u);
  const StreamSnapshot idle = figures_.snapshot(now_ + 60s);
  EXPECT_EQ(idle.frames_per_second, 0);
  EXPECT_EQ(idle.recent.count(), 0u);
  EXPECT_EQ(idle.latency.count(), 200u);
}

TEST_F(StreamFiguresTest, AStreamThatNothingLeavesTakesNoMemoryWithoutEnd) {
  for (std::uint64_t frame = 0; frame < 100'000; ++frame) figures_.enter(frame, now_);
  figures_.leave(99'999, {}, now_ + 5ms);
  EXPECT_LE(figures_.snapshot().dropped, 1024);
}

}  // namespace
}  // namespace sightline
