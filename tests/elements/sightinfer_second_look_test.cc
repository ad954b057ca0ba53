// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightinfer with a detector that looks at a frame twice.

#ifndef STUB_RUNTIME

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "infer_fixture.h"

namespace sightline {
namespace {

using testing::Element;
using testing::eventually;
using testing::Ptr;

// Its only detection is a square about the centre, whose half side in parts of the picture grows
// with the brightness that it sees: 0.3 where all is white, 0.2 where a quarter of it is, as at the
// second look at a white picture, which is 0.4 of that picture.
class SightInferSecondLook : public testing::InferTest, public ::testing::TestWithParam<int> {
 protected:
  // More `maps` take longer: the network does nothing with them.
  std::string detector(std::int64_t maps, std::int64_t side) const {
    constexpr std::int64_t kKernel = 7;
    constexpr float kGrowth = (0.3f - 0.2f) / (255 - 255.0f / 4), kLeast = 0.3f - kGrowth * 255;
    const std::vector<float> grows = {-kGrowth, -kGrowth, kGrowth, kGrowth};
    std::vector<float> mean_to_box;  // of three colours
    for (int color = 0; color < 3; ++color)
      for (const float part : grows) mean_to_box.push_back(part / 3);

    onnx::Builder network("detector");
    network.input("image", ElementType::kFloat32, {-1, 3, side, side});
    network.output("scores", ElementType::kFloat32, {-1, 1, 2});
    network.output("boxes", ElementType::kFloat32, {-1, 1, 4});
    network.constant("row", {3}, std::vector<std::int64_t>{0, 1, -1});
    network.constant(
        "weights", {maps, 3, kKernel, kKernel},
        test::random_floats(static_cast<std::size_t>(maps * 3 * kKernel * kKernel), 1));
    network.constant("no_box", {maps, 4}, std::vector<float>(static_cast<std::size_t>(maps) * 4));
    network.constant("no_score", {maps, 2}, std::vector<float>(static_cast<std::size_t>(maps) * 2));
    network.constant("mean_to_box", {3, 4}, mean_to_box);
    network.constant(
        "least", {4},
        std::vector<float>{0.5f - kLeast, 0.5f - kLeast, 0.5f + kLeast, 0.5f + kLeast});
    network.constant("sure", {2}, std::vector<float>{0.1f, 0.9f});
    network.node("Conv", {"image", "weights"}, {"maps"});
    network.node("GlobalAveragePool", {"maps"}, {"pooled_maps"});
    network.node("Reshape", {"pooled_maps", "row"}, {"map_row"});
    network.node("MatMul", {"map_row", "no_score"}, {"zero_score"});
    network.node("Add", {"zero_score", "sure"}, {"scores"});
    network.node("MatMul", {"map_row", "no_box"}, {"zero_box"});
    network.node("GlobalAveragePool", {"image"}, {"mean"});
    network.node("Reshape", {"mean", "row"}, {"mean_row"});
    network.node("MatMul", {"mean_row", "mean_to_box"}, {"growth"});
    network.node("Add", {"growth", "least"}, {"grown"});
    network.node("Add", {"grown", "zero_box"}, {"boxes"});
    folder_.write("detector.onnx", network.file());
    return folder_
        .write("detector.ini",
               "[property]\nonnx-file = detector.onnx\nmodel-family = decoded-boxes\n"
               "batch-size = 1\nengine-workers = 1\nengine-threads = 1\nsecond-look = 0.5\n")
        .string();
  }
  // Of the only object.
  static SightBox box_in(const Ptr<GstBuffer>& buffer) {
    const SightFrame* frame = sight_buffer_get_frame(buffer.get());
    SightBox box{};
    EXPECT_EQ(sight_frame_get_n_objects(frame), 1u);
    sight_object_get_box(sight_frame_get_object(frame, 0), &box);
    return box;
  }
};

TEST_P(SightInferSecondLook, EachFrameLeavesInOrderWithTheBetterBox) {
  const auto stage = element(detector(1, 16), GetParam());
  constexpr int kFrames = 12;
  std::jthread streaming([&] {
    for (int i = 0; i < kFrames; ++i)  // black ones are not looked at again
      stage->push(timed(grey(i % 3 == 2 ? 0 : 255), static_cast<GstClockTime>(i)));
  });
  for (int i = 0; i < kFrames; ++i) {
    const Ptr<GstBuffer> out = pull(*stage);
    ASSERT_NE(out, nullptr) << i;
    EXPECT_EQ(GST_BUFFER_PTS(out.get()), static_cast<GstClockTime>(i));
    const SightBox box = box_in(out);
    if (i % 3 == 2) {
      EXPECT_NEAR(box.height, 2 * 6 * (0.3 - 0.1 / 0.75), 0.01) << "of a picture 6 pixels high";
    } else {
      EXPECT_NEAR(box.height, 2 * 6 * 0.4, 0.01);
      EXPECT_NEAR(box.x + box.width / 2, 4, 0.01);
    }
  }
  streaming.join();
  EXPECT_EQ(figure<int>(stage->element(), "runs"), kFrames + 2 * kFrames / 3);
  EXPECT_EQ(figure<int>(stage->element(), "in-flight"), 0);
}

// The network takes so long that whoever waited for it would see its run end.
TEST_P(SightInferSecondLook, AFlushDoesNotWaitForIt) {
  const auto stage = element(detector(96, 640), GetParam());
  const auto runs = [&] { return figure<int>(stage->element(), "runs"); };
  std::jthread streaming([&] { stage->push(grey(255)); });
  ASSERT_TRUE(eventually([&] { return runs() == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the second run is under way
  gst_harness_push_event(stage->get(), gst_event_new_flush_start());
  streaming.join();
  gst_harness_push_event(stage->get(), gst_event_new_flush_stop(TRUE));
  EXPECT_EQ(runs(), 1);
  EXPECT_EQ(stage->pull(), nullptr);
  EXPECT_EQ(figure<int>(stage->element(), "in-flight"), 0);
}

INSTANTIATE_TEST_SUITE_P(Windows, SightInferSecondLook, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace sightline

#endif
