// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What flows through sightinfer besides frames, and what happens when the flow ends: events in
// order, seeks, errors below, pads that are unlinked.

#include <atomic>
#include <mutex>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer_fixture.h"

namespace sightline {
namespace {

using testing::Element;
using ::testing::ElementsAre;
using testing::eventually;
using testing::PadWatch;
using testing::Pipeline;
using testing::Ptr;

class SightInferFlow : public testing::InferTest, public ::testing::TestWithParam<int> {
 protected:
  std::unique_ptr<Element> stage(const std::string& properties = "") {
    return element(config(), GetParam(), properties);
  }
  static void send_segment(Element& stage, GstClockTime start = 0) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    segment.start = segment.position = segment.time = start;
    gst_harness_push_event(stage.get(), gst_event_new_segment(&segment));
  }
  // Pushes until the stage says something else than OK, or has had many frames.
  static GstFlowReturn push_until_refused(Element& stage) {
    GstFlowReturn flow = GST_FLOW_OK;
    for (int i = 0; i < 200 && flow == GST_FLOW_OK; ++i) flow = stage.push(grey(1));
    return flow;
  }
};

TEST_P(SightInferFlow, EventsKeepTheirPlacesBetweenFrames) {
  const auto stage = this->stage();
  std::mutex mutex;
  std::vector<std::string> order;
  const PadWatch watch(stage->get()->sinkpad, [&](GstBuffer* buffer, GstEvent* event) {
    const std::lock_guard lock(mutex);
    order.emplace_back(buffer != nullptr ? std::to_string(GST_BUFFER_PTS(buffer))
                                         : GST_EVENT_TYPE_NAME(event));
    return GST_FLOW_OK;
  });
  stage->push(timed(grey(1), 0));
  gst_harness_push_event(stage->get(), gst_event_new_gap(1, 1));
  stage->push(timed(grey(1), 2));
  gst_harness_push_event(stage->get(), gst_event_new_tag(gst_tag_list_new_empty()));
  send_segment(*stage, 3);
  stage->push(timed(grey(1), 3));
  stage->set_caps(caps(16, 12));
  stage->push(timed(frame(16, 12, 1, 1, 1), 4));
  gst_harness_push_event(stage->get(), gst_event_new_eos());
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return !order.empty() && order.back() == "eos";
  }));
  const std::lock_guard lock(mutex);
  // For new caps the harness says stream-start, caps and segment.
  std::vector<std::string> what;
  const auto first = std::find(order.begin(), order.end(), "0");
  std::copy_if(first, order.end(), std::back_inserter(what),
               [&](const std::string& name) { return name != "stream-start"; });
  EXPECT_THAT(what,
              ElementsAre("0", "gap", "2", "tag", "segment", "3", "caps", "segment", "4", "eos"));
}

// Decoders hold a buffer until it was taken, and pools take none back whose memory a copy has.
TEST_P(SightInferFlow, ABufferThatUpstreamHoldsUntilItWasTakenIsNotCopied) {
  const auto stage = this->stage("batch-wait=500000000");
  stage->push(grey(1));
  ASSERT_NE(pull(*stage), nullptr);
  Ptr<GstBuffer> held = grey(2);
  GstBuffer* const buffer = held.get();
  stage->push(Ptr<GstBuffer>(gst_buffer_ref(buffer)));  // waits for the next batch
  held = nullptr;
  const Ptr<GstBuffer> found = pull(*stage);
  const bool leaves_later = GetParam() > 1;
  EXPECT_EQ(found.get() == buffer, leaves_later);
  EXPECT_EQ(values(found), mean(2));
  const SightFrame* frame = sight_buffer_get_frame(found.get());
  EXPECT_EQ(sight_frame_get_number(frame), 1u);
  EXPECT_NE(sight_frame_get_stream(frame), nullptr);
}

TEST_P(SightInferFlow, ABufferThatUpstreamKeepsStaysAsItIs) {
  const auto stage = this->stage();
  const Ptr<GstBuffer> kept = grey(3);
  stage->push(Ptr<GstBuffer>(gst_buffer_ref(kept.get())));
  const Ptr<GstBuffer> found = pull(*stage);
  EXPECT_NE(found.get(), kept.get());
  EXPECT_EQ(sight_buffer_get_frame(kept.get()), nullptr);
  EXPECT_EQ(values(found), mean(3));
  EXPECT_EQ(sight_frame_get_number(sight_buffer_get_frame(found.get())), 0u);
}

TEST_P(SightInferFlow, AnErrorBelowIsWhatUpstreamGetsAndAFlushStartsAfresh) {
  const auto stage = this->stage();
  std::atomic<int> allowed = 3;
  const PadWatch watch(stage->get()->sinkpad, [&](GstBuffer* buffer, GstEvent*) {
    return buffer == nullptr || allowed-- > 0 ? GST_FLOW_OK : GST_FLOW_ERROR;
  });
  EXPECT_EQ(push_until_refused(*stage), GST_FLOW_ERROR);
  EXPECT_EQ(stage->push(grey(1)), GST_FLOW_ERROR) << "and stays so";
  EXPECT_EQ(figure<int>(stage->element(), "in-flight"), 0);
  EXPECT_EQ(gst_harness_buffers_received(stage->get()), 3u);

  gst_harness_push_event(stage->get(), gst_event_new_flush_start());
  gst_harness_push_event(stage->get(), gst_event_new_flush_stop(TRUE));
  send_segment(*stage);
  allowed = 1000;
  while (stage->pull() != nullptr) {
  }
  ASSERT_EQ(stage->push(grey(9)), GST_FLOW_OK);
  EXPECT_EQ(values(pull(*stage)), mean(9));
}

TEST_P(SightInferFlow, AnUnlinkedPadRefusesAndALinkedOneTakesUp) {
  const auto stage = this->stage();
  stage->push(grey(5));
  EXPECT_EQ(values(pull(*stage)), mean(5));
  GstPad* source = gst_pad_get_peer(stage->get()->sinkpad);
  ASSERT_TRUE(gst_pad_unlink(source, stage->get()->sinkpad));
  EXPECT_EQ(push_until_refused(*stage), GST_FLOW_NOT_LINKED);
  ASSERT_EQ(gst_pad_link(source, stage->get()->sinkpad), GST_PAD_LINK_OK);
  gst_object_unref(source);
  ASSERT_EQ(stage->push(grey(6)), GST_FLOW_OK);
  EXPECT_EQ(values(pull(*stage)), mean(6));
}

// As a player does that puts one file behind the other.
TEST_P(SightInferFlow, AfterTheEndBelowAnotherSegmentGoesOn) {
  const auto stage = this->stage();
  std::atomic<bool> ended = true;
  const PadWatch watch(stage->get()->sinkpad, [&](GstBuffer* buffer, GstEvent*) {
    return buffer != nullptr && ended ? GST_FLOW_EOS : GST_FLOW_OK;
  });
  EXPECT_EQ(push_until_refused(*stage), GST_FLOW_EOS);
  ended = false;
  send_segment(*stage, GST_SECOND);
  ASSERT_EQ(stage->push(grey(6)), GST_FLOW_OK);
  EXPECT_EQ(values(pull(*stage)), mean(6));
}

TEST_P(SightInferFlow, AnErrorInMidStreamStopsAPipelineWithItsReason) {
  Pipeline pipeline("videotestsrc ! " + caps(64, 48) + " ! sightinfer config-file=" + config() +
                    " max-in-flight=" + std::to_string(GetParam()) +
                    " ! identity error-after=20 ! fakesink");
  pipeline.set(GST_STATE_PLAYING);
  EXPECT_NE(pipeline.wait_for(GST_MESSAGE_ERROR), nullptr);
}

// After each seek the first frames that come out are those sought, with results of their own.
TEST_P(SightInferFlow, SeeksAtRandomMomentsUnderLoad) {
  Pipeline pipeline("videotestsrc pattern=gamut ! " + caps(64, 48) +
                    " ! queue max-size-buffers=4 ! sightinfer config-file=" + heavy_config() +
                    " unique-id=7 max-in-flight=" + std::to_string(GetParam()) +
                    " ! fakesink name=sink sync=false");
  const Ptr<GstElement> sink = pipeline.element("sink");
  GstPad* pad = gst_element_get_static_pad(sink.get(), "sink");
  std::atomic<GstClockTime> segment_start = 0;
  std::atomic<int> frames = 0, stale = 0, without_results = 0;
  {
    const PadWatch watch(pad, [&](GstBuffer* buffer, GstEvent* event) {
      if (event != nullptr && GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
        const GstSegment* segment = nullptr;
        gst_event_parse_segment(event, &segment);
        segment_start = segment->start;
        frames = 0;
      }
      if (buffer == nullptr) return GST_FLOW_OK;
      ++frames;
      if (GST_BUFFER_PTS(buffer) < segment_start) ++stale;
      if (sight_frame_find_tensor(sight_buffer_get_frame(buffer), "mean") == nullptr)
        ++without_results;
      return GST_FLOW_OK;
    });
    ASSERT_TRUE(pipeline.reach(GST_STATE_PLAYING));
    std::mt19937 random(static_cast<unsigned>(GetParam()));
    for (int seek = 1; seek <= 40; ++seek) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 15000));
      const GstClockTime target = static_cast<GstClockTime>(seek) * 100 * GST_SECOND;
      ASSERT_TRUE(gst_element_seek_simple(pipeline.get(), GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH,
                                          static_cast<gint64>(target)));
      ASSERT_TRUE(eventually([&] { return segment_start == target && frames > 0; })) << seek;
    }
    pipeline.set(GST_STATE_NULL);
  }
  gst_object_unref(pad);
  EXPECT_EQ(stale, 0);
  EXPECT_EQ(without_results, 0);
}

INSTANTIATE_TEST_SUITE_P(Windows, SightInferFlow, ::testing::Values(1, 2, 5));

}  // namespace
}  // namespace sightline
