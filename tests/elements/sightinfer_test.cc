// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightinfer with a network whose answer can be known: the mean of each colour of what it sees.

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer_fixture.h"

namespace sightline {
namespace {

using test::TemporaryFolder;
using ::testing::AllOf;
using testing::Element;
using ::testing::HasSubstr;
using testing::Ptr;

class SightInfer : public testing::InferTest, public ::testing::TestWithParam<int> {
 protected:
  std::unique_ptr<Element> element(const std::string& keys = "",
                                   const std::string& properties = "") {
    return InferTest::element(config(keys), GetParam(), properties);
  }
};

TEST_P(SightInfer, EachFrameCarriesItsOwnResultsInOrder) {
  const auto stage = element("", "stream=door");
  for (int i = 0; i < 60; ++i) {
    const auto level = static_cast<guint8>(4 * i);
    ASSERT_EQ(stage->push(frame(8, 6, level, 7, 9)), GST_FLOW_OK);
  }
  for (int i = 0; i < 60; ++i) {
    const Ptr<GstBuffer> out(gst_harness_pull(stage->get()));
    ASSERT_NE(out, nullptr);
    SightFrame* found = sight_buffer_get_frame(out.get());
    EXPECT_EQ(values(sight_frame_find_tensor(found, "mean")),
              mean(4.0f * static_cast<float>(i), 7, 9));
    EXPECT_STREQ(sight_frame_get_stream(found), "door");
    EXPECT_EQ(sight_frame_get_number(found), static_cast<guint64>(i));
    EXPECT_EQ(sight_frame_get_width(found), 8u);
  }
}

TEST_P(SightInfer, PixelsAreNotCopied) {
  const auto stage = element();
  Ptr<GstBuffer> in = frame(8, 6, 1, 2, 3);
  const GstMemory* memory = gst_buffer_peek_memory(in.get(), 0);
  stage->push(std::move(in));
  const Ptr<GstBuffer> out(gst_harness_pull(stage->get()));
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
}

TEST_P(SightInfer, CapsMayChangeInMidStream) {
  const auto stage = element();
  stage->push(frame(8, 6, 10, 10, 10));
  stage->set_caps(caps(20, 12));
  stage->push(frame(20, 12, 30, 30, 30));
  for (const auto& [width, level] : {std::pair{8u, 10.0f}, std::pair{20u, 30.0f}}) {
    const Ptr<GstBuffer> out(gst_harness_pull(stage->get()));
    SightFrame* found = sight_buffer_get_frame(out.get());
    EXPECT_EQ(sight_frame_get_width(found), width);
    EXPECT_EQ(values(sight_frame_find_tensor(found, "mean")), mean(level));
  }
}

TEST_P(SightInfer, ObjectsAreCroppedByTheirBoxesAndKeptApartById) {
  const auto stage = element("process-mode = secondary\noperate-on-class-ids = 5\n");
  Ptr<GstBuffer> in = frame(8, 6, 50, 60, 70);
  SightFrame* edited = sight_buffer_edit_frame(in.get(), nullptr);
  sight_frame_set_size(edited, 8, 6, nullptr);
  const SightBox box{1, 1, 4, 4};
  for (const int class_id : {5, 4, 5})
    sight_frame_add_object(edited, "thing", class_id, 1, &box, 0, nullptr);
  stage->push(std::move(in));
  const Ptr<GstBuffer> out(gst_harness_pull(stage->get()));
  SightFrame* found = sight_buffer_get_frame(out.get());
  ASSERT_EQ(sight_frame_get_n_objects(found), 3u);
  for (guint i = 0; i < 3; ++i) {
    const SightObject* object = sight_frame_get_object(found, i);
    const std::vector<float> expected =
        sight_object_get_class_id(object) == 5 ? mean(50, 60, 70) : std::vector<float>{};
    EXPECT_EQ(values(sight_object_find_tensor(object, "mean")), expected);
  }
}

TEST_P(SightInfer, AFlushDropsWhatIsUnderWayAndTheStreamGoesOn) {
  const auto stage = element();
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 3; ++i) stage->push(frame(8, 6, 1, 1, 1));
    gst_harness_push_event(stage->get(), gst_event_new_flush_start());
    gst_harness_push_event(stage->get(), gst_event_new_flush_stop(TRUE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(stage->get(), gst_event_new_segment(&segment));
    while (stage->pull() != nullptr) {
    }
    ASSERT_EQ(stage->push(frame(8, 6, 99, 1, 1)), GST_FLOW_OK);
    const Ptr<GstBuffer> out(gst_harness_pull(stage->get()));
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(values(out), mean(99, 1, 1));
  }
}

TEST_P(SightInfer, EndOfStreamComesAfterTheLastFrame) {
  const auto stage = element();
  for (int i = 0; i < 10; ++i) stage->push(frame(8, 6, 1, 1, 1));
  gst_harness_push_event(stage->get(), gst_event_new_eos());
  for (int i = 0; i < 10; ++i) {
    const Ptr<GstBuffer> out(gst_harness_pull(stage->get()));
    ASSERT_NE(out, nullptr);
  }
  EXPECT_TRUE(testing::eventually([&] {
    GstEvent* event = gst_harness_try_pull_event(stage->get());
    if (event == nullptr) return false;
    const bool ended = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
    gst_event_unref(event);
    return ended;
  }));
}

TEST_P(SightInfer, PoolsAreAskedForAsManyBuffersAsTheWindowHolds) {
  const auto stage = element();
  GstCaps* video = gst_caps_from_string(caps(8, 6).c_str());
  GstQuery* query = gst_query_new_allocation(video, TRUE);
  gst_caps_unref(video);
  EXPECT_TRUE(gst_pad_peer_query(stage->get()->srcpad, query));
  EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr));
  ASSERT_GE(gst_query_get_n_allocation_pools(query), 1u);
  guint minimum = 0;
  gst_query_parse_nth_allocation_pool(query, 0, nullptr, nullptr, &minimum, nullptr);
  EXPECT_GE(minimum, static_cast<guint>(GetParam()));
  gst_query_unref(query);
}

// Upstream has as many buffers as it was asked for and not one more.
TEST_P(SightInfer, AFixedPoolOfThatManyBuffersRunsThroughAThousandFrames) {
  const auto stage = element();
  gst_harness_set_drop_buffers(stage->get(), TRUE);
  const Ptr<GstCaps> video(gst_caps_from_string(caps(8, 6).c_str()));
  const Ptr<GstQuery> query(gst_query_new_allocation(video.get(), TRUE));
  ASSERT_TRUE(gst_pad_peer_query(stage->get()->srcpad, query.get()));
  guint size = 0, minimum = 0;
  gst_query_parse_nth_allocation_pool(query.get(), 0, nullptr, &size, &minimum, nullptr);

  const Ptr<GstBufferPool> pool(gst_video_buffer_pool_new());
  GstStructure* pool_config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_set_params(pool_config, video.get(), size, minimum, minimum);
  ASSERT_TRUE(gst_buffer_pool_set_config(pool.get(), pool_config));
  ASSERT_TRUE(gst_buffer_pool_set_active(pool.get(), TRUE));
  for (int i = 0; i < 1000; ++i) {
    GstBuffer* buffer = nullptr;
    ASSERT_EQ(gst_buffer_pool_acquire_buffer(pool.get(), &buffer, nullptr), GST_FLOW_OK);
    ASSERT_EQ(stage->push(Ptr<GstBuffer>(buffer)), GST_FLOW_OK);
  }
  EXPECT_TRUE(
      testing::eventually([&] { return gst_harness_buffers_received(stage->get()) == 1000; }));
  gst_buffer_pool_set_active(pool.get(), FALSE);
}

// As a decoder hands frames over that have more to the right and below than is to be seen.
TEST_P(SightInfer, PaddedRowsAreReadWhereTheyAreAndPackedOnlyForWhomTheyWouldPuzzle) {
  for (const bool downstream_reads_video_meta : {true, false}) {
    const auto stage = element();
    if (downstream_reads_video_meta)
      gst_harness_add_propose_allocation_meta(stage->get(), GST_VIDEO_META_API_TYPE, nullptr);
    const Ptr<GstCaps> video(gst_caps_from_string(caps(8, 6).c_str()));
    const Ptr<GstQuery> query(gst_query_new_allocation(video.get(), TRUE));
    ASSERT_TRUE(gst_pad_peer_query(stage->get()->srcpad, query.get()));

    Ptr<GstBuffer> in = frame(16, 8, 40, 50, 60);
    gsize offset[GST_VIDEO_MAX_PLANES] = {2 * 48};  // two rows above
    gint stride[GST_VIDEO_MAX_PLANES] = {48};
    gst_buffer_add_video_meta_full(in.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_RGB, 8, 6,
                                   1, offset, stride);
    const GstMemory* memory = gst_buffer_peek_memory(in.get(), 0);
    stage->push(std::move(in));
    const Ptr<GstBuffer> out(gst_harness_pull(stage->get()));
    ASSERT_NE(out, nullptr);
    EXPECT_EQ(values(out), mean(40, 50, 60));
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0) == memory, downstream_reads_video_meta);
    EXPECT_EQ(gst_buffer_get_size(out.get()), downstream_reads_video_meta ? 16u * 3 * 8 : 24u * 6);
  }
}

TEST_P(SightInfer, MayBeStartedAgainAndAgain) {
  for (int round = 0; round < 20; ++round) {
    const auto stage = element();
    stage->push(frame(8, 6, 1, 1, 1));
  }
}

TEST_P(SightInfer, AFrameThatCannotBeReadIsAnErrorThatSaysSo) {
  const auto stage = element();
  Ptr<GstBuffer> tiny(gst_buffer_new_allocate(nullptr, 5, nullptr));
  stage->push(std::move(tiny));
  gst_harness_push_event(stage->get(), gst_event_new_eos());
  std::string text;
  EXPECT_TRUE(testing::eventually([&] { return !(text = stage->error_text()).empty(); }));
  EXPECT_THAT(text, AllOf(HasSubstr("mean.ini"), HasSubstr("5 bytes"), HasSubstr("8x6")));
}

INSTANTIATE_TEST_SUITE_P(Windows, SightInfer, ::testing::Values(1, 4, 8));

std::string refusal(const std::string& config) {
  return testing::start_error("sightinfer config-file=" + config);
}

TEST(SightInferConfiguration, WhatIsWrongIsNamedWithFileAndLine) {
  const TemporaryFolder folder;
  onnx::Builder network("flat");
  network.input("numbers", ElementType::kFloat32, {-1, 7});
  network.output("same", ElementType::kFloat32, {-1, 7});
  network.node("Relu", {"numbers"}, {"same"});
  folder.write("flat.onnx", network.file());
  folder.write("text.onnx", "this is no network");
  const auto with = [&](const std::string& lines) {
    return refusal(folder.write("a.ini", "[property]\n" + lines).string());
  };

  EXPECT_THAT(testing::start_error("sightinfer"), HasSubstr("config-file"));
  EXPECT_THAT(refusal("/nowhere.ini"), HasSubstr("/nowhere.ini"));
  EXPECT_THAT(with(""), HasSubstr("onnx-file"));
  EXPECT_THAT(with("onnx-file = none.onnx\n"),
              AllOf(HasSubstr("none.onnx"), HasSubstr("models fetch")));
  EXPECT_THAT(with("onnx-file = text.onnx\n"), HasSubstr("text.onnx"));
  EXPECT_THAT(with("onnx-file = flat.onnx\nmodel-family = raw\n"),
              AllOf(HasSubstr("numbers"), HasSubstr("[7]")));
  EXPECT_THAT(with("onnx-file = flat.onnx\ndevice = cuda:0\n"), HasSubstr("cuda:0"));
}

}  // namespace
}  // namespace sightline
