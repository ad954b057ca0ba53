// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What sightoverlay costs a 1080p NV12 frame with five faces that move: boxes, names with changing
// similarity, and five landmarks each. Compared with the same rectangles blended by GStreamer as
// one composition on the whole frame, and with attaching them.

#include <cstdio>
#include <utility>

#include <sightline/frame.h>

#include <benchmark/benchmark.h>
#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <gst/video/video.h>

namespace {

constexpr int kWidth = 1920, kHeight = 1080, kFaces = 5;

GstVideoInfo nv12() {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, kWidth, kHeight);
  return info;
}

void add_faces(GstBuffer* buffer, int number) {
  static const char* const kNames[kFaces] = {"Ada", "Grace", "Лев", "李雷", "Mary Somerville"};
  SightFrame* frame = sight_buffer_edit_frame(buffer, nullptr);
  for (int i = 0; i < kFaces; ++i) {
    const float x = static_cast<float>(100 + 340 * i + number % 50);
    const float y = static_cast<float>(200 + 60 * i + number % 30);
    const SightBox box{x, y, 200, 240};
    SightObject* face = sight_frame_add_object(frame, "face", 0, 0.9f, &box, 0, nullptr);
    SightPoint points[5];
    for (int p = 0; p < 5; ++p) points[p] = {x + 30 * static_cast<float>(p + 1), y + 100};
    sight_object_set_landmarks(face, points, 5, nullptr);
    SightIdentity* identity =
        sight_identity_new(kNames[i], kNames[i],
                           0.6f + 0.01f * static_cast<float>((number + i) % 30), nullptr, nullptr);
    sight_object_set_identity(face, identity, nullptr);
    sight_identity_unref(identity);
  }
}

// Pixels that are written again and again, with new results for each frame.
GstBuffer* next_frame(GstMemory* pixels, int number) {
  GstBuffer* buffer = gst_buffer_new();
  gst_buffer_append_memory(buffer, gst_memory_ref(pixels));
  add_faces(buffer, number);
  return buffer;
}

GstHarness* make_overlay(const char* description) {
  GstHarness* harness = gst_harness_new_parse(description);
  gst_harness_set_src_caps_str(harness,
                               "video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1");
  return harness;
}

void run(benchmark::State& state, const char* description) {
  GstHarness* harness = make_overlay(description);
  GstMemory* pixels = gst_allocator_alloc(nullptr, nv12().size, nullptr);
  int number = 0;
  for (auto _ : state) {
    gst_harness_push(harness, next_frame(pixels, number++));
    gst_buffer_unref(gst_harness_pull(harness));
  }
  gst_memory_unref(pixels);
  gst_harness_teardown(harness);
}

void whole_frame_composition(benchmark::State& state) {
  GstHarness* harness = make_overlay("sightoverlay mode=attach");
  GstMemory* pixels = gst_allocator_alloc(nullptr, nv12().size, nullptr);
  GstVideoInfo info = nv12();
  int number = 0;
  for (auto _ : state) {
    gst_harness_push(harness, next_frame(pixels, number++));
    GstBuffer* buffer = gst_harness_pull(harness);
    GstVideoFrame frame;
    gst_video_frame_map(&frame, &info, buffer, GST_MAP_READWRITE);
    gst_video_overlay_composition_blend(
        gst_buffer_get_video_overlay_composition_meta(buffer)->overlay, &frame);
    gst_video_frame_unmap(&frame);
    gst_buffer_unref(buffer);
  }
  gst_memory_unref(pixels);
  gst_harness_teardown(harness);
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  GError* error = nullptr;
  if (gst_plugin_load_file(PLUGIN, &error) == nullptr) {
    std::fprintf(stderr, "%s\n", error->message);
    return 1;
  }
  for (const auto& [name, description] :
       {std::pair("drawn by sightoverlay", "sightoverlay mode=blend"),
        std::pair("attached by sightoverlay", "sightoverlay mode=attach"),
        std::pair("passed by identity", "identity")})
    benchmark::RegisterBenchmark(name, run, description)->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("drawn by GStreamer on the whole frame", whole_frame_composition)
      ->Unit(benchmark::kMicrosecond);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
