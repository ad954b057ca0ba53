// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/object_tracking.h"

#include <string>

#include <gtest/gtest.h>

#include "meta/handles.h"

namespace sightline::testing {
namespace {

FrameHandle frame_with(float x) {
  FrameHandle frame = FrameHandle::adopt(sight_frame_new(640, 480));
  const SightBox box{x, 100, 40, 50};
  sight_frame_add_object(frame.get(), "face", 0, 0.9f, &box, 0, nullptr);
  return frame;
}

TrackingOptions confirming() {
  TrackingOptions options;
  options.tracker.min_hits = 1;
  return options;
}

TEST(ObjectTracking, AStreamThatIsNotSeenWhileOthersAreIsForgotten) {
  ObjectTracking tracking(confirming());
  const FrameHandle frame = frame_with(100);
  tracking.track(frame.get(), "gone", {.seconds = 0, .clock = 0});
  for (int i = 0; i < 59; ++i)
    tracking.track(frame.get(), "stays", {.seconds = i, .clock = static_cast<double>(i)});
  EXPECT_EQ(tracking.counts().streams, 2u);
  EXPECT_EQ(tracking.counts().tracks, 2u);
  for (int i = 59; i < 65; ++i)
    tracking.track(frame.get(), "stays", {.seconds = i, .clock = static_cast<double>(i)});
  EXPECT_EQ(tracking.counts().streams, 1u);
  EXPECT_EQ(tracking.counts().tracks, 1u);
}

TEST(ObjectTracking, APauseOfEverythingForgetsNobody) {
  ObjectTracking tracking(confirming());
  const FrameHandle frame = frame_with(100);
  const auto track = [&](const char* stream, double seconds, double clock) {
    return tracking.track(frame.get(), stream, {.seconds = seconds, .clock = clock})
        .found.at(0)
        .track;
  };
  const guint64 first = track("first", 0, 0), second = track("second", 0, 0);
  EXPECT_EQ(track("first", 0.04, 3600), first);
  EXPECT_EQ(track("second", 0.04, 3600), second);
}

TEST(ObjectTracking, CountsFollowWhatIsKnown) {
  ObjectTracking tracking(confirming());
  const FrameHandle frame = frame_with(100);
  tracking.track(frame.get(), "a", {.seconds = 10});
  tracking.track(frame.get(), "b", {.seconds = 10});
  EXPECT_EQ(tracking.counts().tracks, 2u);
  tracking.track(frame.get(), "a", {.seconds = 5});  // back in time: another one
  EXPECT_EQ(tracking.counts().tracks, 2u);
  tracking.track(nullptr, "a", {.seconds = 10});  // five seconds without him
  EXPECT_EQ(tracking.counts().tracks, 1u);
  tracking.forget_all();
  EXPECT_EQ(tracking.counts().streams, 0u);
  EXPECT_EQ(tracking.counts().tracks, 0u);
}

}  // namespace
}  // namespace sightline::testing
