// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which frames sightinfer looks at: interval and Quality of Service.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer_fixture.h"

namespace sightline {
namespace {

using testing::Element;
using ::testing::ElementsAre;
using testing::Ptr;

class SightInferInterval : public testing::InferTest, public ::testing::TestWithParam<int> {
 protected:
  std::unique_ptr<Element> stage(const std::string& properties, const std::string& keys = "") {
    return element(config(keys), GetParam(), "unique-id=7 " + properties);
  }

  // What became of frames that are pushed one after the other: "looked", or why not.
  std::vector<std::string> fates(Element& stage, int frames) {
    std::vector<std::string> result;
    for (int i = 0; i < frames; ++i) {
      EXPECT_EQ(stage.push(timed(grey(i), static_cast<GstClockTime>(i) * GST_SECOND / 25)),
                GST_FLOW_OK);
      const Ptr<GstBuffer> out = pull(stage);
      if (out == nullptr) return result;
      const std::string reason = skipped(out.get(), 7);
      EXPECT_EQ(values(out), reason.empty() ? mean(static_cast<float>(i)) : std::vector<float>{});
      result.push_back(reason.empty() ? "looked" : reason);
    }
    return result;
  }

  static void say_late(Element& stage, GstClockTime timestamp, GstClockTimeDiff by) {
    gst_harness_push_upstream_event(stage.get(),
                                    gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, by, timestamp));
  }
};

TEST_P(SightInferInterval, OneOfAFewFramesIsLookedAt) {
  const auto all = stage(""), third = stage("interval=2");
  EXPECT_THAT(fates(*all, 3), ElementsAre("looked", "looked", "looked"));
  EXPECT_THAT(fates(*third, 7), ElementsAre("looked", "interval", "interval", "looked", "interval",
                                            "interval", "looked"));
  EXPECT_EQ(figure<int>(third->element(), "frames"), 7);
  EXPECT_EQ(figure<int>(third->element(), "skipped"), 4);
}

TEST_P(SightInferInterval, ThePropertyComesBeforeTheConfigurationAndMayChange) {
  const auto configured = stage("", "interval = 1\n");
  EXPECT_THAT(fates(*configured, 3), ElementsAre("looked", "interval", "looked"));
  const auto set = stage("interval=0", "interval = 1\n");
  EXPECT_THAT(fates(*set, 2), ElementsAre("looked", "looked"));
  g_object_set(set->element(), "interval", 100, nullptr);
  EXPECT_THAT(fates(*set, 3), ElementsAre("looked", "interval", "interval"));
  g_object_set(set->element(), "interval", 1, nullptr);
  EXPECT_THAT(fates(*set, 3), ElementsAre("interval", "looked", "interval"));
}

// As behind a funnel.
TEST_P(SightInferInterval, EachStreamIsCountedForItself) {
  const auto both = stage("interval=2");
  std::map<std::string, std::vector<std::string>> fates;
  for (const char* stream : {"a", "b", "b", "a", "b", "a", "a", "b", "b"}) {
    Ptr<GstBuffer> in = grey(1);
    SightFrame* edited = sight_buffer_edit_frame(in.get(), nullptr);
    sight_frame_set_size(edited, 8, 6, nullptr);
    sight_frame_set_stream(edited, stream, 0, nullptr);
    both->push(std::move(in));
    const Ptr<GstBuffer> out = pull(*both);
    const std::string reason = skipped(out.get(), 7);
    fates[stream].push_back(reason.empty() ? "looked" : reason);
  }
  EXPECT_THAT(fates["a"], ElementsAre("looked", "interval", "interval", "looked"));
  EXPECT_THAT(fates["b"], ElementsAre("looked", "interval", "interval", "looked", "interval"));
}

TEST_P(SightInferInterval, AfterAFlushTheFirstFrameIsLookedAt) {
  const auto sought = stage("interval=5");
  EXPECT_THAT(fates(*sought, 2), ElementsAre("looked", "interval"));
  gst_harness_push_event(sought->get(), gst_event_new_flush_start());
  gst_harness_push_event(sought->get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(sought->get(), gst_event_new_segment(&segment));
  EXPECT_THAT(fates(*sought, 2), ElementsAre("looked", "interval"));
}

TEST_P(SightInferInterval, LateFramesPassUnlookedAndAreCounted) {
  const auto late = stage("qos=true");
  say_late(*late, 0, GST_SECOND / 10);  // frames until 100 ms are late: 0, 40 and 80 ms
  EXPECT_THAT(fates(*late, 5), ElementsAre("late", "late", "late", "looked", "looked"));
  EXPECT_EQ(figure<int>(late->element(), "late"), 3);
  EXPECT_EQ(figure<int>(late->element(), "skipped"), 0);

  const Ptr<GstMessage> first = late->message(GST_MESSAGE_QOS);
  ASSERT_NE(first, nullptr);
  gint64 jitter = 0;
  gdouble proportion = 0;
  guint64 running_time = 1, processed = 1, dropped = 0;
  gst_message_parse_qos(first.get(), nullptr, &running_time, nullptr, nullptr, nullptr);
  gst_message_parse_qos_values(first.get(), &jitter, &proportion, nullptr);
  gst_message_parse_qos_stats(first.get(), nullptr, &processed, &dropped);
  EXPECT_EQ(running_time, 0u);
  EXPECT_EQ(jitter, static_cast<gint64>(GST_SECOND / 10));
  EXPECT_EQ(proportion, 1.5);
  EXPECT_EQ(processed, 0u);
  EXPECT_EQ(dropped, 1u);
}

TEST_P(SightInferInterval, QosEventsTravelOnAndDoNothingUnlessAskedFor) {
  const auto stage = this->stage("");
  say_late(*stage, 0, GST_SECOND);
  EXPECT_THAT(fates(*stage, 2), ElementsAre("looked", "looked"));
  EXPECT_EQ(stage->message(GST_MESSAGE_QOS), nullptr);
  bool travelled = false;
  while (GstEvent* event = gst_harness_try_pull_upstream_event(stage->get())) {
    travelled = travelled || GST_EVENT_TYPE(event) == GST_EVENT_QOS;
    gst_event_unref(event);
  }
  EXPECT_TRUE(travelled);
}

TEST_P(SightInferInterval, ALateFrameLeavesItsTurnToTheNext) {
  const auto stage = this->stage("qos=true interval=2");
  say_late(*stage, 0, GST_SECOND / 50);  // only frame 0
  EXPECT_THAT(fates(*stage, 5), ElementsAre("late", "looked", "interval", "interval", "looked"));
}

TEST_P(SightInferInterval, WhatWasLateBeforeAFlushIsNotAfterIt) {
  const auto stage = this->stage("qos=true");
  say_late(*stage, GST_SECOND, GST_SECOND);
  gst_harness_push_event(stage->get(), gst_event_new_flush_start());
  gst_harness_push_event(stage->get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(stage->get(), gst_event_new_segment(&segment));
  EXPECT_THAT(fates(*stage, 2), ElementsAre("looked", "looked"));
}

INSTANTIATE_TEST_SUITE_P(Windows, SightInferInterval, ::testing::Values(1, 3));

TEST(SightInferIntervalKey, MustBeANumberFromZero) {
  const test::TemporaryFolder folder;
  onnx::Builder network("mean");
  network.input("image", ElementType::kFloat32, {-1, 3, 4, 4});
  network.output("mean", ElementType::kFloat32, {-1, 3, 1, 1});
  network.node("GlobalAveragePool", {"image"}, {"mean"});
  folder.write("mean.onnx", network.file());
  const std::string config = folder
                                 .write("mean.ini",
                                        "[property]\nonnx-file = mean.onnx\nmodel-family = raw\n"
                                        "engine-workers = 1\nengine-threads = 1\ninterval = -2\n")
                                 .string();
  EXPECT_THAT(testing::start_error("sightinfer config-file=" + config),
              ::testing::AllOf(::testing::HasSubstr("mean.ini:6"), ::testing::HasSubstr("-2")));
}

}  // namespace
}  // namespace sightline
