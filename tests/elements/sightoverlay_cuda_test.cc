// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightoverlay on frames in CUDA memory, beside the same frames on the host. Without a GPU these
// tests are skipped, and say what is missing.

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/cuda.h"
#include "core/error.h"
#include "cuda_frames.h"
#include "harness.h"

namespace sightline::testing {
namespace {

// tests/elements/overlay_drawing_test.cc says why.
constexpr int kTranslucentTolerance = 3;

class SightOverlayCuda : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    try {
      cuda::Device::open(0);
    } catch (const Error& error) {
      GTEST_SKIP() << "no GPU to test on: " << error.what();
    }
  }

  static std::string text_of(const GstCaps* caps) {
    gchar* text = gst_caps_to_string(caps);
    std::string result = text;
    g_free(text);
    return result;
  }

  static Ptr<GstBuffer> noise(const GstVideoInfo& info, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<guint8> bytes(info.size);
    for (guint8& byte : bytes) byte = static_cast<guint8>(random());
    if (GST_VIDEO_INFO_HAS_ALPHA(&info))
      for (std::size_t i = 3; i < bytes.size(); i += 4) bytes[i] = 255;
    Ptr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, info.size, nullptr));
    gst_buffer_fill(buffer.get(), 0, bytes.data(), bytes.size());
    return buffer;
  }

  static void add_results(const Ptr<GstBuffer>& buffer, const GstVideoInfo& info, int objects,
                          unsigned seed) {
    GST_BUFFER_PTS(buffer.get()) = 0;
    SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
    sight_frame_set_size(frame, static_cast<guint>(info.width), static_cast<guint>(info.height),
                         nullptr);
    std::mt19937 random(seed);
    const auto uniform = [&](float low, float high) {
      return std::uniform_real_distribution<float>(low, high)(random);
    };
    for (int i = 0; i < objects; ++i) {
      const SightBox box{uniform(-20, 300), uniform(-20, 220), uniform(5, 150), uniform(5, 150)};
      SightObject* object = add_object(buffer, box, "someone", i, 0.87f);
      const SightPoint points[] = {{box.x + 7, box.y + 9}, {box.x + box.width, box.y}};
      sight_object_set_landmarks(object, points, 2, nullptr);
    }
    GstStructure* line = gst_structure_from_string(
        "polygon, points=<3,5,140,30,60,110>, color=(string)\"#4080c080\"", nullptr);
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&value, line);
    sight_frame_set_user_data(frame, "overlay", &value, nullptr);
    g_value_unset(&value);
  }

  // The bytes of its pixels, plane by plane, row by row.
  static std::vector<guint8> pixels(const GstVideoInfo& info, GstBuffer* buffer) {
    GstVideoFrame frame;
    EXPECT_TRUE(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
    std::vector<guint8> all;
    for (guint p = 0; p < GST_VIDEO_FRAME_N_PLANES(&frame); ++p) {
      const bool is_chroma = p == 1;
      const int rows = is_chroma ? (info.height + 1) / 2 : info.height;
      const int bytes = GST_VIDEO_FRAME_N_PLANES(&frame) == 1 ? 4 * info.width
                        : is_chroma                           ? (info.width + 1) / 2 * 2
                                                              : info.width;
      for (int y = 0; y < rows; ++y) {
        const auto* const row = static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, p)) +
                                y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, p);
        all.insert(all.end(), row, row + bytes);
      }
    }
    gst_video_frame_unmap(&frame);
    return all;
  }
};

TEST_P(SightOverlayCuda, FramesLookAsTheyDoOnTheHost) {
  const CudaPool pool(GetParam(), 322, 242);
  ASSERT_TRUE(pool.is_there());
  const std::string overlay = "sightoverlay mode=blend";
  Element there(overlay), here(overlay);
  there.set_caps(text_of(pool.caps()));
  here.set_caps(video_caps(GetParam(), 322, 242));
  for (unsigned i = 0; i < 12; ++i) {
    Ptr<GstBuffer> on_host = noise(pool.info(), i);
    const std::vector<guint8> before = pixels(pool.info(), on_host.get());
    Ptr<GstBuffer> on_gpu(pool.copy_of(on_host.get()));
    const int objects = static_cast<int>(i * 3);
    add_results(on_host, pool.info(), objects, i);
    add_results(on_gpu, pool.info(), objects, i);
    const Ptr<GstBuffer> expected = here.through(std::move(on_host));
    const Ptr<GstBuffer> found = there.through(std::move(on_gpu));
    ASSERT_NE(found, nullptr) << there.error_text();
    EXPECT_TRUE(is_in_cuda_memory(found.get()));
    const std::vector<guint8> a = pixels(pool.info(), found.get()),
                              b = pixels(pool.info(), expected.get());
    ASSERT_EQ(a.size(), b.size());
    int worst = 0;
    std::size_t where = 0, differing = 0;
    for (std::size_t k = 0; k < a.size(); ++k) {
      const int difference = std::abs(a[k] - b[k]);
      if (difference > 0) ++differing;
      if (difference > worst) worst = difference, where = k;
    }
    EXPECT_LE(worst, kTranslucentTolerance)
        << "frame " << i << ", byte " << where << " is " << int{a[where]} << ", expected "
        << int{b[where]} << ", before " << int{before[where]} << "; " << differing << " differ";
    EXPECT_NE(a, before) << "frame " << i << ": nothing was drawn";
  }
}

TEST_P(SightOverlayCuda, AnotherOwnersPixelsStayAsTheyAre) {
  const CudaPool pool(GetParam(), 322, 242);
  Element element("sightoverlay mode=blend");
  element.set_caps(text_of(pool.caps()));
  const Ptr<GstBuffer> host = noise(pool.info(), 1);
  Ptr<GstBuffer> buffer(pool.copy_of(host.get()));
  add_results(buffer, pool.info(), 5, 1);
  const Ptr<GstBuffer> kept(gst_buffer_ref(buffer.get()));
  const std::vector<guint8> before = pixels(pool.info(), host.get());
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr) << element.error_text();
  EXPECT_EQ(pixels(pool.info(), kept.get()), before);
  EXPECT_NE(pixels(pool.info(), out.get()), before);
}

TEST_P(SightOverlayCuda, FramesWithoutResultsPassAndBuffersGoBackToTheirPool) {
  constexpr unsigned kBuffers = 3;
  const CudaPool pool(GetParam(), 322, 242, kBuffers);
  Element element("sightoverlay mode=blend");
  element.set_caps(text_of(pool.caps()));
  const Ptr<GstBuffer> host = noise(pool.info(), 1);
  for (int i = 0; i < 30; ++i) {
    Ptr<GstBuffer> buffer(pool.copy_of(host.get()));
    ASSERT_NE(buffer, nullptr) << "frame " << i << ": the pool has run dry";
    if (i % 2 == 0) add_results(buffer, pool.info(), i % 7, static_cast<unsigned>(i));
    const Ptr<GstBuffer> out = element.through(std::move(buffer));
    ASSERT_NE(out, nullptr) << element.error_text();
    EXPECT_TRUE(pool.is_unmapped(out.get())) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, SightOverlayCuda, ::testing::Values("NV12", "RGBA", "BGRA"));

}  // namespace
}  // namespace sightline::testing
