// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightoverlay blur=…: whose faces are hidden, and that nothing is left of them.

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness.h"

namespace sightline::testing {
namespace {

using ::testing::HasSubstr;

constexpr int kWidth = 163, kHeight = 121;
constexpr SightBox kFace{40, 30, 50, 60};
// The box and 15 % of its size around it, grown to multiples of four pixels.
constexpr int kLeft = 32, kTop = 20, kRight = 100, kBottom = 100;

// Only what blur does to the pixels.
constexpr const char* kNothingElse =
    " show-boxes=false show-labels=false show-landmarks=false blur=";

// A frame's pixels as four components each, unpacked by GStreamer.
std::vector<std::vector<int>> unpacked(const GstVideoInfo& info, GstBuffer* buffer) {
  const GstVideoFormatInfo* deep = gst_video_format_get_info(info.finfo->unpack_format);
  const bool bytes = GST_VIDEO_FORMAT_INFO_BITS(deep) == 8;
  std::vector<std::vector<int>> pixels;
  std::vector<guint16> line(4 * static_cast<std::size_t>(info.width + 8));
  GstVideoFrame frame;
  EXPECT_TRUE(gst_video_frame_map(&frame, const_cast<GstVideoInfo*>(&info), buffer, GST_MAP_READ));
  for (int y = 0; y < info.height; ++y) {
    info.finfo->unpack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE, line.data(), frame.data,
                            info.stride, 0, y, info.width);
    const auto* narrow = reinterpret_cast<const guint8*>(line.data());
    for (int x = 0; x < info.width; ++x) {
      std::vector<int> pixel;
      for (int c = 0; c < 4; ++c)
        pixel.push_back(bytes ? narrow[4 * x + c] : line[static_cast<std::size_t>(4 * x + c)]);
      pixels.push_back(pixel);
    }
  }
  gst_video_frame_unmap(&frame);
  return pixels;
}

// Noise that the format can hold.
void fill_with_noise(const GstVideoInfo& info, GstBuffer* buffer) {
  std::vector<guint16> line(4 * static_cast<std::size_t>(info.width + 8));
  std::minstd_rand random(1);
  GstVideoFrame frame;
  ASSERT_TRUE(
      gst_video_frame_map(&frame, const_cast<GstVideoInfo*>(&info), buffer, GST_MAP_READWRITE));
  for (int y = 0; y < info.height; ++y) {
    for (guint16& component : line) component = static_cast<guint16>(random() >> 8);
    info.finfo->pack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE, line.data(), 0, frame.data,
                          info.stride, info.chroma_site, y, info.width);
  }
  gst_video_frame_unmap(&frame);
}

using Fill = std::function<void(const Ptr<GstBuffer>&)>;

struct Blurred {
  std::vector<std::vector<int>> before, after;  // row by row
  std::string error;

  bool changed(int x, int y) const {
    const auto at = static_cast<std::size_t>(y * kWidth + x);
    return before[at] != after[at];
  }
  bool changed_anywhere() const { return before != after; }
};

Blurred blur(const std::string& format, const std::string& whom, const Fill& fill,
             const std::string& mode = "blend") {
  Element element("sightoverlay mode=" + mode + kNothingElse + whom);
  element.set_caps(video_caps(format, kWidth, kHeight));
  const GstVideoInfo info = video_info(format, kWidth, kHeight);
  Ptr<GstBuffer> buffer = make_buffer(info);
  fill_with_noise(info, buffer.get());
  Blurred result;
  result.before = unpacked(info, buffer.get());
  fill(buffer);
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  result.error = element.error_text();
  if (out != nullptr) result.after = unpacked(info, out.get());
  return result;
}

void set_identity(SightObject* object, const char* person) {
  const Ptr<SightIdentity> identity(
      sight_identity_new(person, person, 0.99f, "nearest", "nearest"));
  ASSERT_TRUE(sight_object_set_identity(object, identity.get(), nullptr));
}

class BlurFormat : public ::testing::TestWithParam<const char*> {};

TEST_P(BlurFormat, AFaceBecomesFewPatchesAndNothingElseChanges) {
  const Blurred blurred =
      blur(GetParam(), "all", [](const auto& buffer) { add_object(buffer, kFace, "face"); });
  ASSERT_FALSE(blurred.after.empty()) << blurred.error;
  std::set<std::vector<int>> colours;
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      if (x >= kLeft && x < kRight && y >= kTop && y < kBottom)
        colours.insert(blurred.after[static_cast<std::size_t>(y * kWidth + x)]);
      else
        ASSERT_FALSE(blurred.changed(x, y)) << x << ", " << y;
    }
  // 6 patches down, 5 across. Where patches meet within one sample of chroma, a pixel has the luma
  // of one and the chroma of the other: at most each of them with each of its neighbours.
  EXPECT_LE(colours.size(), 5u * 6u * 4u);
  EXPECT_GT(colours.size(), 10u);
}

INSTANTIATE_TEST_SUITE_P(Main, BlurFormat,
                         ::testing::Values("NV12", "NV21", "I420", "YV12", "Y42B", "Y444", "YUY2",
                                           "UYVY", "RGB", "BGR", "BGRA", "RGBA", "BGRx", "ARGB",
                                           "GRAY8", "I420_10LE", "P010_10LE"),
                         [](const auto& test) { return std::string(test.param); });

// By hand, for one format, where a patch ends and what its colour is.
TEST(Blur, APatchHasTheMeanOfItsPixels) {
  const Blurred blurred =
      blur("RGB", "all", [](const auto& buffer) { add_object(buffer, kFace, "face"); });
  ASSERT_FALSE(blurred.after.empty()) << blurred.error;
  const int columns = 5, rows = 6;  // of 68 × 80 pixels; the longer side has 6
  std::vector<std::vector<long>> sums(columns * rows, std::vector<long>(5));
  const auto patch = [&](int x, int y) -> std::vector<long>& {
    return sums[static_cast<std::size_t>((y - kTop) * rows / (kBottom - kTop) * columns +
                                         (x - kLeft) * columns / (kRight - kLeft))];
  };
  for (int y = kTop; y < kBottom; ++y)
    for (int x = kLeft; x < kRight; ++x)
      for (std::size_t c = 0; c < 4; ++c) {
        patch(x, y)[c] += blurred.before[static_cast<std::size_t>(y * kWidth + x)][c];
        patch(x, y)[4] += c == 0;
      }
  for (int y = kTop; y < kBottom; ++y)
    for (int x = kLeft; x < kRight; ++x)
      for (std::size_t c = 0; c < 4; ++c)
        ASSERT_EQ(blurred.after[static_cast<std::size_t>(y * kWidth + x)][c],
                  patch(x, y)[c] / patch(x, y)[4]);
}

TEST(Blur, UnknownIsWhoHasNoIdentityOrOneThatNamesNobody) {
  const auto changes = [](const std::string& whom, const char* person, bool asked) {
    return blur("NV12", whom,
                [&](const auto& buffer) {
                  SightObject* object = add_object(buffer, kFace, "face");
                  if (asked) set_identity(object, person);
                })
        .changed_anywhere();
  };
  EXPECT_TRUE(changes("unknown", nullptr, false));
  EXPECT_TRUE(changes("unknown", nullptr, true));
  EXPECT_FALSE(changes("unknown", "Ada", true));
  EXPECT_TRUE(changes("all", "Ada", true));
  EXPECT_FALSE(changes("none", nullptr, true));
  EXPECT_FALSE(changes("none", nullptr, false));
}

TEST(Blur, AFaceIsWhatIsCalledSoOrHasAnIdentityOrLandmarks) {
  const auto changes = [](const char* label, const std::vector<SightPoint>& points, bool asked) {
    return blur("NV12", "unknown",
                [&](const auto& buffer) {
                  SightObject* object = add_object(buffer, kFace, label);
                  if (asked) set_identity(object, nullptr);
                  sight_object_set_landmarks(object, points.data(),
                                             static_cast<guint>(points.size()), nullptr);
                })
        .changed_anywhere();
  };
  EXPECT_TRUE(changes("face", {}, false));
  EXPECT_TRUE(changes("thing", std::vector<SightPoint>(5, {60, 60}), false));
  EXPECT_TRUE(changes("thing", {}, true));
  EXPECT_FALSE(changes("thing", {}, false));
  EXPECT_FALSE(changes("person", std::vector<SightPoint>(17, {60, 60}), false));
}

TEST(Blur, LandmarksOutsideTheBoxAreHiddenToo) {
  const Blurred blurred = blur("GRAY8", "all", [](const auto& buffer) {
    const SightPoint points[] = {{130, 60}, {60, 118}};
    sight_object_set_landmarks(add_object(buffer, kFace, "face"), points, 2, nullptr);
  });
  ASSERT_FALSE(blurred.after.empty()) << blurred.error;
  EXPECT_TRUE(blurred.changed(129, 60));
  EXPECT_TRUE(blurred.changed(60, 117));
  EXPECT_FALSE(blurred.changed(140, 60));
}

TEST(Blur, BoxesThatLeaveTheFrameOrAreNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              huge = std::numeric_limits<float>::max();
  for (const SightBox& box :
       {SightBox{-20, -20, 30, 30}, SightBox{150, 110, 50, 50}, SightBox{-huge, -huge, huge, huge},
        SightBox{0, 0, huge, huge}, SightBox{-1000, -1000, 5000, 5000}, SightBox{500, 500, 9, 9},
        SightBox{20, 20, 0, 0}, SightBox{20, 20, 1, 1}, SightBox{162, 120, 1, 1}}) {
    const Blurred blurred =
        blur("I420", "all", [&](const auto& buffer) { add_object(buffer, box, "face"); });
    EXPECT_FALSE(blurred.after.empty()) << blurred.error;
  }
  const Blurred blurred = blur("I420", "all", [&](const auto& buffer) {
    const SightPoint points[] = {{nan, 5}, {30, nan}};
    sight_object_set_landmarks(add_object(buffer, {20, 20, 0, 0}, "face"), points, 2, nullptr);
  });
  EXPECT_FALSE(blurred.changed_anywhere()) << blurred.error;
}

TEST(Blur, PixelsAreHiddenWhereTheRestIsAttached) {
  const Blurred blurred = blur(
      "NV12", "all", [](const auto& buffer) { add_object(buffer, kFace, "face"); }, "attach");
  ASSERT_FALSE(blurred.after.empty()) << blurred.error;
  EXPECT_TRUE(blurred.changed(60, 60));
}

TEST(Blur, AnotherOwnersPixelsStayAsTheyAre) {
  Element element(std::string("sightoverlay mode=blend") + kNothingElse + "all");
  element.set_caps(video_caps("RGB", kWidth, kHeight));
  const GstVideoInfo info = video_info("RGB", kWidth, kHeight);
  Ptr<GstBuffer> buffer = make_buffer(info);
  fill_with_noise(info, buffer.get());
  add_object(buffer, kFace, "face");
  const Ptr<GstBuffer> other(gst_buffer_ref(buffer.get()));
  const auto before = bytes_of(other.get());
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr) << element.error_text();
  EXPECT_EQ(bytes_of(other.get()), before);
  EXPECT_NE(bytes_of(out.get()), before);
}

// A face that should be hidden must not pass because the element cannot do it there.
TEST(Blur, FramesInCudaMemoryAreAnErrorEvenWithoutFaces) {
  Element element("sightoverlay mode=attach blur=unknown");
  gst_harness_add_propose_allocation_meta(element.get(),
                                          GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, nullptr);
  element.set_caps("video/x-raw(memory:CUDAMemory),format=NV12,width=64,height=48,framerate=30/1");
  EXPECT_EQ(element.through(make_buffer(video_info("NV12", 64, 48))), nullptr);
  EXPECT_THAT(element.error_text(), HasSubstr("Put cudadownload before sightoverlay"));
}

}  // namespace
}  // namespace sightline::testing
