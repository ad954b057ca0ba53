// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Results as other people's elements see them.

#include <gmock/gmock.h>

#include "../engine/networks.h"
#include "harness.h"
#include "meta/relation_mirror.h"
#include "meta/tensor_meta.h"

namespace {

using namespace sightline::testing;

constexpr int kWidth = 320, kHeight = 240;

// A stage that attaches a tensor and leaves the objects as they are.
std::string stage(const sightline::test::TemporaryFolder& folder, const std::string& properties) {
  const auto config =
      folder.write("frame.ini", "[property]\ninfer-dims = 3;8;8\nprocess-mode = primary\n");
  return "sightinfer config-file=" + config.string() + " " + properties;
}

TEST(Neighbours, ABuildThatKnowsNoRelationsSaysSo) {
  if (sightline::has_relations()) GTEST_SKIP() << "this build knows them";
  const sightline::test::TemporaryFolder folder;
  for (const char* mirror : {"mirror=analytics", "mirror=both"})
    EXPECT_THAT(start_error(stage(folder, mirror)), ::testing::HasSubstr("GStreamer 1.24"));
}

bool has_element(const char* name) {
  GstElementFactory* factory = gst_element_factory_find(name);
  if (factory == nullptr) return false;
  gst_object_unref(factory);
  return true;
}

TEST(Neighbours, ObjectDetectionOverlayDrawsOurBoxes) {
  if (!sightline::has_relations()) GTEST_SKIP() << "built with a GStreamer before 1.24";
  if (!has_element("objectdetectionoverlay")) GTEST_SKIP() << "it is not installed";

  const sightline::test::TemporaryFolder folder;
  const auto drawn = [&](const std::string& properties) {
    Element elements(stage(folder, properties) + " ! objectdetectionoverlay draw-labels=false");
    elements.set_caps(video_caps("BGRA", kWidth, kHeight));
    Ptr<GstBuffer> buffer = make_buffer(video_info("BGRA", kWidth, kHeight));
    add_object(buffer, {100, 80, 60, 50}, "face");
    const auto result = elements.through(std::move(buffer));
    return result != nullptr ? bytes_of(result.get()) : std::vector<guint8>{};
  };
  // Whether one of the pixels around (x, y) is not black: the outline has a width.
  const auto is_lit = [](const std::vector<guint8>& pixels, int x, int y) {
    for (int row = y - 2; row <= y + 2; ++row)
      for (int column = x - 2; column <= x + 2; ++column)
        if (pixels.at(static_cast<std::size_t>(4 * (row * kWidth + column))) > 100) return true;
    return false;
  };
  const std::vector<guint8> with = drawn("mirror=analytics"), without = drawn("mirror=none");
  ASSERT_FALSE(with.empty() || without.empty());
  for (const auto& [x, y] : {std::pair{100, 105}, {160, 105}, {130, 80}, {130, 130}}) {
    EXPECT_TRUE(is_lit(with, x, y)) << x << "," << y;
    EXPECT_FALSE(is_lit(without, x, y)) << x << "," << y;
  }
  EXPECT_FALSE(is_lit(with, 130, 105)) << "inside";
  EXPECT_FALSE(is_lit(with, 220, 105)) << "outside";
}

// Our network, GStreamer's decoder, and our next stage, which finds its objects.
TEST(Neighbours, SsdObjectDetectorDecodesOurTensors) {
  if (!sightline::has_tensor_meta()) GTEST_SKIP() << "built with a GStreamer before 1.26";
  if (!has_element("ssdobjectdetector")) GTEST_SKIP() << "it is not installed";

  const sightline::test::TemporaryFolder folder;
  sightline::onnx::Builder network("ssd");
  network.input("image", sightline::ElementType::kFloat32, {-1, 3, 8, 8});
  const auto output = [&](const std::string& name, sightline::Shape shape,
                          const std::vector<float>& values) {
    sightline::test::add_constant_output(network, "image", "Gst.Model.ObjectDetector." + name,
                                         std::move(shape), values);
  };
  // Top, left, bottom, right; the second is too weak.
  output("Boxes", {3, 4}, {0.25f, 0.125f, 0.75f, 0.5f, 0, 0, 1, 1, 0.5f, 0.5f, 1, 0.75f});
  output("Scores", {3}, {0.9f, 0.1f, 0.6f});
  output("Classes", {3}, {1, 2, 3});
  output("NumDetections", {1}, {3});
  folder.write("ssd.onnx", network.file());
  const auto config = folder.write(
      "ssd.ini", "[property]\nonnx-file = ssd.onnx\nnetwork-type = 100\noutput-tensor-meta = 1\n");

  Element elements("sightinfer mirror=analytics config-file=" + config.string() +
                   " ! ssdobjectdetector score-threshold=0.3 ! " + stage(folder, ""));
  elements.set_caps(video_caps("BGRA", kWidth, kHeight));
  const Ptr<GstBuffer> result = elements.through(make_buffer(video_info("BGRA", kWidth, kHeight)));
  ASSERT_NE(result, nullptr) << elements.error_text();

  const SightFrame* frame = sight_buffer_get_frame(result.get());
  ASSERT_EQ(sight_frame_get_n_objects(frame), 2U);
  const SightBox expected[] = {{40, 60, 120, 120}, {160, 120, 80, 120}};
  for (guint i = 0; i < 2; ++i) {
    SightBox box;
    const SightObject* object = sight_frame_get_object(frame, i);
    sight_object_get_box(object, &box);
    // Relations have whole pixels.
    EXPECT_NEAR(box.x, expected[i].x, 1);
    EXPECT_NEAR(box.y, expected[i].y, 1);
    EXPECT_NEAR(box.width, expected[i].width, 1);
    EXPECT_NEAR(box.height, expected[i].height, 1);
    EXPECT_NEAR(sight_object_get_confidence(object), i == 0 ? 0.9f : 0.6f, 1e-6f);
  }
}

}  // namespace
