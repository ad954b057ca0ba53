// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightinfer through its states, in any order and at any moment.

#include <atomic>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer_fixture.h"

namespace sightline {
namespace {

using testing::Element;
using testing::eventually;
using ::testing::HasSubstr;
using testing::PadWatch;
using testing::Pipeline;
using testing::Ptr;

class SightInferStates : public testing::InferTest, public ::testing::TestWithParam<int> {
 protected:
  std::string stage(const std::string& config) {
    return "sightinfer name=infer config-file=" + config +
           " max-in-flight=" + std::to_string(GetParam());
  }
};

TEST_P(SightInferStates, PlaysToTheEndAHundredTimes) {
  Pipeline pipeline("videotestsrc num-buffers=4 ! " + caps(64, 48) + " ! " + stage(config()) +
                    " ! fakesink async=false");
  const Ptr<GstElement> infer = pipeline.element("infer");
  for (int round = 1; round <= 100; ++round) {
    pipeline.set(GST_STATE_PLAYING);
    ASSERT_TRUE(pipeline.ends()) << round;
    ASSERT_EQ(figure<int>(infer.get(), "frames"), 4 * round);
    ASSERT_EQ(pipeline.set(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  }
}

TEST_P(SightInferStates, ChangeInAnyOrderAtAnyMoment) {
  Pipeline pipeline("videotestsrc ! " + caps(64, 48) + " ! " + stage(heavy_config()) +
                    " ! fakesink sync=false");
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  for (int change = 0; change < 120; ++change) {
    const auto state = static_cast<GstState>(GST_STATE_NULL + random() % 4);
    ASSERT_NE(pipeline.set(state), GST_STATE_CHANGE_FAILURE) << change;
    if (random() % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 9000));
  }
  EXPECT_TRUE(pipeline.reach(GST_STATE_PLAYING));
  EXPECT_EQ(pipeline.set(GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
}

TEST_P(SightInferStates, AfterAPauseEveryFrameComesOnce) {
  Pipeline pipeline("videotestsrc num-buffers=60 ! " + caps(64, 48) + " ! " + stage(config()) +
                    " ! fakesink name=sink sync=false");
  const Ptr<GstElement> sink = pipeline.element("sink");
  GstPad* pad = gst_element_get_static_pad(sink.get(), "sink");
  std::atomic<guint64> next = 0;
  std::atomic<int> out_of_order = 0;
  {
    const PadWatch watch(pad, [&](GstBuffer* buffer, GstEvent*) {
      if (buffer == nullptr) return GST_FLOW_OK;
      if (sight_frame_get_number(sight_buffer_get_frame(buffer)) != next++) ++out_of_order;
      return GST_FLOW_OK;
    });
    for (int round = 0; round < 5; ++round) {
      // GStreamer may lose a pause that comes before it plays, with any element in this place.
      ASSERT_TRUE(pipeline.reach(GST_STATE_PLAYING));
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ASSERT_TRUE(pipeline.reach(GST_STATE_PAUSED));
    }
    pipeline.set(GST_STATE_PLAYING);
    EXPECT_TRUE(pipeline.ends());
  }
  gst_object_unref(pad);
  EXPECT_EQ(next, 60u);
  EXPECT_EQ(out_of_order, 0);
}

TEST_P(SightInferStates, EndsWhileRunsAreUnderWay) {
  const std::string config = heavy_config("process-mode = secondary\n");
  for (int round = 0; round < 10; ++round) {
    const auto stage = element(config, GetParam());
    std::jthread streaming;
    const auto crowd = [] {
      Ptr<GstBuffer> buffer = grey(1);
      SightFrame* edited = sight_buffer_edit_frame(buffer.get(), nullptr);
      sight_frame_set_size(edited, 8, 6, nullptr);
      const SightBox box{1, 1, 4, 4};
      for (int face = 0; face < 30; ++face)
        sight_frame_add_object(edited, "face", 0, 1, &box, 0, nullptr);
      return buffer;
    };
    streaming = std::jthread([&] {
      while (stage->push(crowd()) == GST_FLOW_OK) {
      }
    });
    ASSERT_TRUE(eventually([&] { return figure<int>(stage->element(), "in-flight") > 0; }));
    ASSERT_EQ(gst_element_set_state(stage->element(), GST_STATE_NULL), GST_STATE_CHANGE_SUCCESS);
  }
}

TEST_P(SightInferStates, WhatItWasOpenedWithStaysWhileItIsOpen) {
  const auto stage = element(config(), GetParam());
  GstElement* infer = stage->element();
  g_object_set(infer, "device", "cpu", "unique-id", 5, nullptr);
  gchar* device = nullptr;
  gint unique_id = -1;
  g_object_get(infer, "device", &device, "unique-id", &unique_id, nullptr);
  EXPECT_STREQ(device, "");
  EXPECT_EQ(unique_id, 0);
  g_free(device);
  EXPECT_THAT(stage->warning_text(), HasSubstr("device"));
  EXPECT_THAT(stage->warning_text(), HasSubstr("unique-id"));

  g_object_set(infer, "priority", 3, "interval", 1, "deadline", G_GUINT64_CONSTANT(1000), nullptr);
  EXPECT_EQ(stage->warning_text(), "") << "these may change at any time";
  ASSERT_EQ(gst_element_set_state(infer, GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  g_object_set(infer, "unique-id", 5, nullptr);
  g_object_get(infer, "unique-id", &unique_id, nullptr);
  EXPECT_EQ(unique_id, 5);
}

INSTANTIATE_TEST_SUITE_P(Windows, SightInferStates, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace sightline
