// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Elements that only look at metadata pass frames in CUDA memory through as they are: caps, buffers
// and their memory. No GPU is needed to see that: nobody maps the memory.

#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>

#include "gallery/gallery.h"
#include "harness.h"

namespace sightline::testing {
namespace {

constexpr const char* kCudaCaps =
    "video/x-raw(memory:CUDAMemory),format=NV12,width=640,height=480,framerate=25/1";

// A folder with what the elements need.
class CudaCaps : public ::testing::Test {
 protected:
  CudaCaps()
      : folder_(std::filesystem::temp_directory_path() /
                ("cuda-caps-" + std::to_string(std::random_device()()))) {
    std::filesystem::create_directory(folder_);
    Gallery::open(folder_ / "people.db", Gallery::Mode::kCreate);
    std::ofstream(folder_ / "analytics.ini")
        << "[property]\nconfig-width=640\nconfig-height=480\n"
           "[roi-filtering]\nroi-door=10;10;200;10;200;200;10;200\n";
  }
  ~CudaCaps() override { std::filesystem::remove_all(folder_); }

  std::vector<std::string> elements() const {
    const std::string folder = folder_.string() + "/";
    return {"sighttrack", "sightmatch gallery=" + folder + "people.db",
            "sightanalytics config-file=" + folder + "analytics.ini",
            "sightjson location=" + folder + "lines.jsonl"};
  }

  // Memory that cannot be mapped, as CUDA memory without its GPU; with an object.
  static Ptr<GstBuffer> frame(GstMemory* memory) {
    Ptr<GstBuffer> buffer(gst_buffer_new());
    gst_buffer_append_memory(buffer.get(), gst_memory_ref(memory));
    GST_BUFFER_PTS(buffer.get()) = 0;
    SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
    sight_frame_set_size(frame, 640, 480, nullptr);
    sight_frame_set_stream(frame, "door", 0, nullptr);
    add_object(buffer, {100, 100, 40, 50}, "face", 0, 0.9f);
    return buffer;
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(CudaCaps, PassWithTheFramesThroughElementsThatLookAtMetadata) {
  GstMemory* const memory = gst_memory_new_wrapped(GST_MEMORY_FLAG_NOT_MAPPABLE, g_malloc0(16), 16,
                                                   0, 16, nullptr, nullptr);
  for (const std::string& description : elements()) {
    Element element(description);
    element.set_caps(kCudaCaps);
    const Ptr<GstBuffer> out = element.through(frame(memory));
    ASSERT_NE(out, nullptr) << description << ": " << element.error_text();
    const Ptr<GstCaps> sent(gst_caps_from_string(kCudaCaps));
    GstPad* const pad = gst_element_get_static_pad(element.element(), "src");
    const Ptr<GstCaps> leaving(gst_pad_get_current_caps(pad));
    gst_object_unref(pad);
    ASSERT_NE(leaving, nullptr) << description;
    EXPECT_TRUE(gst_caps_is_equal(leaving.get(), sent.get())) << description;
    EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory) << description;
    EXPECT_EQ(sight_frame_get_n_objects(sight_buffer_get_frame(out.get())), 1u) << description;
    EXPECT_EQ(element.warning_text(), "") << description;
  }
  gst_memory_unref(memory);
}

TEST_F(CudaCaps, AreAskedOfNeighboursAsTheyAre) {
  for (const std::string& description : elements()) {
    Element element(description);
    const Ptr<GstCaps> wish(gst_caps_from_string(kCudaCaps));
    gst_harness_set_sink_caps(element.get(), gst_caps_ref(wish.get()));
    GstPad* const pad = gst_element_get_static_pad(element.element(), "sink");
    const Ptr<GstCaps> taken(gst_pad_query_caps(pad, nullptr));
    gst_object_unref(pad);
    EXPECT_TRUE(gst_caps_is_equal(taken.get(), wish.get())) << description;
  }
}

#ifdef SIGHTLINE_CUDA
TEST_F(CudaCaps, SightoverlayDrawsWhereItCanAndAttachesElsewhere) {
  const auto leaving = [](const std::string& caps, const std::string& mode) {
    Element element("sightoverlay mode=" + mode);
    element.set_caps(caps);
    GstPad* const pad = gst_element_get_static_pad(element.element(), "src");
    const Ptr<GstCaps> found(gst_pad_get_current_caps(pad));
    gst_object_unref(pad);
    if (found == nullptr) return std::string("none");
    gchar* const text = gst_caps_features_to_string(gst_caps_get_features(found.get(), 0));
    const std::string features = text;
    g_free(text);
    return features;
  };
  for (const char* format : {"NV12", "RGBA", "BGRA"}) {
    const std::string caps = std::string("video/x-raw(memory:CUDAMemory),format=") + format +
                             ",width=640,height=480,framerate=25/1";
    EXPECT_EQ(leaving(caps, "blend"), "memory:CUDAMemory") << format;
    EXPECT_EQ(leaving(caps, "auto"), "memory:CUDAMemory") << format;  // the harness shows none
    EXPECT_EQ(leaving(caps, "attach"), "memory:CUDAMemory, meta:GstVideoOverlayComposition")
        << format;
  }
  EXPECT_EQ(leaving("video/x-raw(memory:CUDAMemory),format=P010_10LE,width=640,height=480,"
                    "framerate=25/1",
                    "blend"),
            "none");
}

TEST_F(CudaCaps, SightoverlaySaysWhenABufferIsNotWhereItsCapsSay) {
  Element element("sightoverlay mode=blend");
  element.set_caps(kCudaCaps);
  Ptr<GstBuffer> buffer = make_buffer(video_info("NV12", 640, 480));
  add_object(buffer, {100, 100, 40, 50});
  EXPECT_EQ(element.push(std::move(buffer)), GST_FLOW_ERROR);
  EXPECT_NE(element.error_text().find("system memory although its caps say memory:CUDAMemory"),
            std::string::npos);
}
#endif

}  // namespace
}  // namespace sightline::testing
