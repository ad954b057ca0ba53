// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/stream_clock.h"

#include <limits>
#include <optional>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kFrame{40};

TEST(StreamClock, CountsFromTheFirstFrame) {
  StreamClock clock;
  EXPECT_EQ(clock.advance(milliseconds(5000), 0, kFrame), milliseconds(0));
  EXPECT_EQ(clock.advance(milliseconds(5100), 1, kFrame), milliseconds(100));
}

TEST(StreamClock, WithoutTimesCountsByNumber) {
  StreamClock clock;
  EXPECT_EQ(clock.advance({}, 10, kFrame), milliseconds(0));
  EXPECT_EQ(clock.advance({}, 11, kFrame), milliseconds(40));
  EXPECT_EQ(clock.advance({}, 15, kFrame), milliseconds(200));
}

TEST(StreamClock, AFrameWithoutATimeIsBetweenItsNeighbours) {
  StreamClock clock;
  clock.advance(milliseconds(1000), 0, kFrame);
  EXPECT_EQ(clock.advance({}, 1, kFrame), milliseconds(40));
  EXPECT_EQ(clock.advance(milliseconds(1080), 2, kFrame), milliseconds(80));
}

TEST(StreamClock, NeverGoesBack) {
  StreamClock clock;
  clock.advance(milliseconds(1000), 100, kFrame);
  clock.advance(milliseconds(3000), 101, kFrame);
  EXPECT_EQ(clock.advance(milliseconds(0), 0, kFrame), milliseconds(2000));
  EXPECT_EQ(clock.advance(milliseconds(500), 1, kFrame), milliseconds(2500));
}

TEST(StreamClock, WildTimesDoNotOverflow) {
  StreamClock clock;
  nanoseconds last{0};
  for (int i = 0; i < 400; ++i) {
    const bool low = i % 2 == 0;
    const auto time = low ? nanoseconds::min() : nanoseconds::max();
    const nanoseconds now =
        clock.advance(i % 3 == 0 ? std::nullopt : std::optional(time),
                      low ? 0 : std::numeric_limits<std::uint64_t>::max(), nanoseconds::max());
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace sightline
