// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Results as other people's elements see them.

#include <gmock/gmock.h>

#include "../engine/networks.h"
#include "harness.h"
#include "meta/relation_mirror.h"

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

TEST(Neighbours, ObjectDetectionOverlayDrawsOurBoxes) {
  if (!sightline::has_relations()) GTEST_SKIP() << "built with a GStreamer before 1.24";
  GstElementFactory* factory = gst_element_factory_find("objectdetectionoverlay");
  if (factory == nullptr) GTEST_SKIP() << "objectdetectionoverlay is not installed";
  gst_object_unref(factory);

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

}  // namespace
