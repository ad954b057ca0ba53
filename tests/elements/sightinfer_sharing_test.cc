// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Several sightinfer at a time: branches of one stream, and streams that share an engine.

#include <atomic>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "infer_fixture.h"

namespace sightline {
namespace {

using testing::Element;
using testing::eventually;
using testing::PadWatch;
using testing::Pipeline;
using testing::Ptr;

class SightInferSharing : public testing::InferTest, public ::testing::Test {
 protected:
  static std::string engine_of(Element& stage) {
    gchar* text = nullptr;
    g_object_get(stage.element(), "engine", &text, nullptr);
    std::string result = text;
    g_free(text);
    return result;
  }
  // How many buffers a stage asks pools for.
  static guint buffers_wanted(Element& stage) {
    const Ptr<GstCaps> video(gst_caps_from_string(caps(8, 6).c_str()));
    const Ptr<GstQuery> query(gst_query_new_allocation(video.get(), TRUE));
    EXPECT_TRUE(gst_pad_peer_query(stage.get()->srcpad, query.get()));
    guint minimum = 0;
    gst_query_parse_nth_allocation_pool(query.get(), 0, nullptr, nullptr, &minimum, nullptr);
    return minimum;
  }
};

TEST_F(SightInferSharing, BranchesOfATeeNameTheirProducersAndDoNotSeeEachOther) {
  const std::string file = config();
  Pipeline pipeline(
      "videotestsrc num-buffers=30 ! " + caps(64, 48) +
      " ! tee name=t  t. ! queue ! sightinfer name=left unique-id=5 config-file=" + file +
      " ! fakesink name=left_sink  t. ! queue ! sightinfer name=right unique-id=6 "
      "config-file=" +
      file + " ! fakesink name=right_sink");
  std::atomic<int> right_ones = 0, wrong_ones = 0;
  std::vector<std::unique_ptr<PadWatch>> watches;
  for (const auto& [name, id] : {std::pair{"left", 5u}, std::pair{"right", 6u}}) {
    const Ptr<GstElement> sink = pipeline.element((std::string(name) + "_sink").c_str());
    GstPad* pad = gst_element_get_static_pad(sink.get(), "sink");
    watches.push_back(
        std::make_unique<PadWatch>(pad, [&, name = name, id = id](GstBuffer* buffer, GstEvent*) {
          if (buffer == nullptr) return GST_FLOW_OK;
          const SightFrame* found = sight_buffer_get_frame(buffer);
          const SightTensor* tensor = sight_frame_find_tensor(found, "mean");
          const bool right = sight_frame_get_n_tensors(found) == 1 && tensor != nullptr &&
                             sight_tensor_get_stage_id(tensor) == id &&
                             std::string(sight_tensor_get_stage(tensor)) == name;
          ++(right ? right_ones : wrong_ones);
          return GST_FLOW_OK;
        }));
    gst_object_unref(pad);
  }
  pipeline.set(GST_STATE_PLAYING);
  EXPECT_TRUE(pipeline.ends());
  pipeline.set(GST_STATE_NULL);
  EXPECT_EQ(right_ones, 60);
  EXPECT_EQ(wrong_ones, 0);
}

TEST_F(SightInferSharing, FramesOfDifferentSizesMeetInOneEngine) {
  const std::string file = config();
  const auto small = element(file, 4), large = element(file, 4);
  EXPECT_EQ(engine_of(*small), engine_of(*large));
  const auto feed = [&](Element& stage, int width, int height, int level) {
    stage.set_caps(caps(width, height));
    for (int i = 0; i < 100; ++i) {
      const auto value = static_cast<guint8>(level + i);
      ASSERT_EQ(stage.push(frame(width, height, value, value, value)), GST_FLOW_OK);
    }
    for (int i = 0; i < 100; ++i) {
      const Ptr<GstBuffer> out = pull(stage);
      ASSERT_NE(out, nullptr);
      EXPECT_EQ(sight_frame_get_width(sight_buffer_get_frame(out.get())),
                static_cast<guint>(width));
      EXPECT_EQ(values(out), mean(static_cast<float>(level + i)));
    }
  };
  std::jthread other([&] { feed(*large, 320, 200, 100); });
  feed(*small, 8, 6, 0);
  other.join();
  EXPECT_EQ(figure<int>(small->element(), "items"), 200) << "of both, in one engine";
}

TEST_F(SightInferSharing, StreamsThatShareAnEngineHoldFewerFramesEach) {
  const std::string file = config("", 4);
  const auto first = element(file, 0);
  EXPECT_EQ(buffers_wanted(*first), 6u) << "four under way, one prepared, one more to be filled";
  std::vector<std::unique_ptr<Element>> others;
  for (int i = 0; i < 3; ++i) others.push_back(element(file, 0));
  first->push(grey(1));
  EXPECT_EQ(buffers_wanted(*first), 3u);
  others.clear();
  first->push(grey(1));
  EXPECT_EQ(buffers_wanted(*first), 6u) << "when the others have gone";
}

TEST_F(SightInferSharing, StreamsComeAndGoAndTheOneThatStaysLosesNothing) {
  const std::string file = config();
  constexpr int kFrames = 600;
  const auto stays = element(file, 0, "stream=stays");
  gst_harness_set_drop_buffers(stays->get(), TRUE);
  std::atomic<bool> stop = false;
  std::vector<std::jthread> visitors;
  for (unsigned visitor = 0; visitor < 3; ++visitor)
    visitors.emplace_back([&, visitor] {
      std::mt19937 random(visitor);
      while (!stop) {
        const auto comes = element(file, static_cast<int>(random() % 4), "priority=1");
        for (auto left = random() % 20; left > 0 && !stop; --left) comes->push(grey(3));
      }
    });
  for (int i = 0; i < kFrames; ++i) ASSERT_EQ(stays->push(grey(i % 200)), GST_FLOW_OK);
  EXPECT_TRUE(eventually([&] { return gst_harness_buffers_received(stays->get()) == kFrames; }));
  stop = true;
}

// Both streams ask one engine of one worker: the one with a single face must get on while the other
// one's fifty are waiting.
TEST_F(SightInferSharing, AStreamWithASingleFaceGetsOnBesideOneWithFifty) {
  const std::string file = heavy_config("process-mode = secondary\n");
  const auto faces = [](int count) {
    Ptr<GstBuffer> buffer = grey(1);
    SightFrame* edited = sight_buffer_edit_frame(buffer.get(), nullptr);
    sight_frame_set_size(edited, 8, 6, nullptr);
    const SightBox box{1, 1, 4, 4};
    for (int i = 0; i < count; ++i) sight_frame_add_object(edited, "face", 0, 1, &box, 0, nullptr);
    return buffer;
  };
  const auto crowd = element(file, 4), single = element(file, 1);
  std::atomic<bool> stop = false;
  std::jthread busy([&] {
    while (!stop) crowd->push(faces(50));
  });
  ASSERT_TRUE(eventually([&] { return figure<int>(crowd->element(), "queue") > 50; }));
  const int before = figure<int>(crowd->element(), "items");
  constexpr int kFrames = 10;
  for (int i = 0; i < kFrames; ++i) ASSERT_EQ(single->push(faces(1)), GST_FLOW_OK);
  const int items = figure<int>(crowd->element(), "items") - before;
  stop = true;
  // A face waits for the batch that runs when it comes and for its own: eight items of batches of
  // four. In order of arrival it were the 150 and more that the crowd has waiting. What the crowd
  // gets done while nobody asks is counted as well, so there is room for that.
  EXPECT_LE(items, kFrames * 100);
}

}  // namespace
}  // namespace sightline
