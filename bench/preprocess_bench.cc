// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What pre-processing costs, and what others take for the same job in the same run:
//   - a 1080p NV12 frame becomes a 320×240 float32 NCHW tensor, bilinear;
//   - a turned face becomes a 150×150 float32 NCHW tensor.
//
// 24 frames take turns, so that none is in a cache. Every job runs twice a round and the best round
// counts, in the thread's own time, so that other work on the machine falls on all alike. Use
// --benchmark_filter and the other options of Google Benchmark for one job alone.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <gst/video/video.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "preprocess/preprocess.h"

namespace {

using namespace sightline;

constexpr Size kFrame{1920, 1080};
constexpr Size kTensor{320, 240};
constexpr Size kFace{150, 150};
constexpr double kLarge = 5.3;  // frame pixels for each of a large face's crop
constexpr int kFrames = 24;

struct Frames {
  std::vector<std::vector<std::uint8_t>> memory;
  std::size_t next = 0;

  Frames() {
    std::mt19937 random(1);
    for (int f = 0; f < kFrames; ++f) {
      memory.emplace_back(static_cast<std::size_t>(kFrame.width) * kFrame.height * 3 / 2);
      for (std::uint8_t& byte : memory.back()) byte = static_cast<std::uint8_t>(random());
    }
  }
  std::uint8_t* turn() { return memory[next++ % memory.size()].data(); }
};

std::uint8_t* chroma_of(std::uint8_t* frame) { return frame + kFrame.width * kFrame.height; }

FrameView view_of(std::uint8_t* frame) {
  FrameView view;
  view.size = kFrame;
  view.planes[0] = {frame, kFrame.width};
  view.planes[1] = {chroma_of(frame), kFrame.width};
  return view;
}

Affine2 turned_face(double scale = 1.7) {
  const double angle = 0.3;
  const Affine2 turn{scale * std::cos(angle), -scale * std::sin(angle), 0,
                     scale * std::sin(angle), scale * std::cos(angle),  0};
  return Affine2::translation(960, 540) * turn * Affine2::translation(-75, -75);
}

TensorSpec spec_of(Size size) {
  TensorSpec spec;
  spec.size = size;
  spec.mean = {127, 127, 127};
  spec.deviation = {128, 128, 128};
  return spec;
}

// (x − 127) / 128, one plane a channel: the last step of every OpenCV way.
void to_planes(const cv::Mat& rgb, std::vector<float>& tensor) {
  cv::Mat real;
  rgb.convertTo(real, CV_32FC3, 1 / 128.0, -127 / 128.0);
  const int pixels = rgb.rows * rgb.cols;
  cv::Mat planes[3];
  for (int c = 0; c < 3; ++c)
    planes[c] = cv::Mat(rgb.rows, rgb.cols, CV_32FC1, tensor.data() + c * pixels);
  cv::split(real, planes);
}

class Bench {
 public:
  Bench() : tensor_(3 * kTensor.width * kTensor.height) {
    gst_video_info_set_format(&in_, GST_VIDEO_FORMAT_NV12, kFrame.width, kFrame.height);
    gst_video_info_set_format(&out_, GST_VIDEO_FORMAT_RGB, kTensor.width, kTensor.height);
    GstStructure* config = gst_structure_new(
        "converter", GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD,
        GST_VIDEO_RESAMPLER_METHOD_LINEAR, GST_VIDEO_RESAMPLER_OPT_MAX_TAPS, G_TYPE_INT, 2,
        GST_VIDEO_CONVERTER_OPT_THREADS, G_TYPE_UINT, 1u, nullptr);
    converter_ = gst_video_converter_new(&in_, &out_, config);
    rgb_ = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&out_), nullptr);
    for (auto& memory : frames_.memory)
      buffers_.push_back(gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, memory.data(),
                                                     memory.size(), 0, memory.size(), nullptr,
                                                     nullptr));
  }
  ~Bench() {
    gst_video_converter_free(converter_);
    gst_buffer_unref(rgb_);
    for (GstBuffer* buffer : buffers_) gst_buffer_unref(buffer);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void sightline_frame() {
    static const TensorSpec spec = spec_of(kTensor);
    static const Region region = Region::frame(kFrame, kTensor, Placement::kStretch);
    run(region, spec);
  }

  void sightline_face() {
    static const TensorSpec spec = spec_of(kFace);
    static const Region region{turned_face(), std::nullopt};
    run(region, spec);
  }

  void sightline_large_face() {
    static const TensorSpec spec = [] {
      TensorSpec area = spec_of(kFace);
      area.filter = Filter::kArea;
      return area;
    }();
    static const Region region{turned_face(kLarge), std::nullopt};
    run(region, spec);
  }

  void opencv_converting_first() {
    cv::resize(whole_rgb(), small_, {kTensor.width, kTensor.height}, 0, 0, cv::INTER_LINEAR);
    to_planes(small_, tensor_);
  }

  void opencv_resizing_planes_first() {
    std::uint8_t* frame = frames_.turn();
    const cv::Mat y(kFrame.height, kFrame.width, CV_8UC1, frame);
    const cv::Mat uv(kFrame.height / 2, kFrame.width / 2, CV_8UC2, chroma_of(frame));
    cv::resize(y, small_y_, {kTensor.width, kTensor.height}, 0, 0, cv::INTER_LINEAR);
    cv::resize(uv, small_uv_, {kTensor.width / 2, kTensor.height / 2}, 0, 0, cv::INTER_LINEAR);
    cv::cvtColorTwoPlane(small_y_, small_uv_, small_, cv::COLOR_YUV2RGB_NV12);
    to_planes(small_, tensor_);
  }

  void opencv_face() {
    const Affine2 map = turned_face();
    // OpenCV has pixel centres at whole numbers.
    const double x0 = map.x0 + 0.5 * (map.xx + map.xy) - 0.5;
    const double y0 = map.y0 + 0.5 * (map.yx + map.yy) - 0.5;
    const cv::Matx23d to_frame(map.xx, map.xy, x0, map.yx, map.yy, y0);
    cv::warpAffine(whole_rgb(), small_, to_frame, {kFace.width, kFace.height},
                   cv::INTER_LINEAR | cv::WARP_INVERSE_MAP);
    to_planes(small_, tensor_);
  }

  // A warp has no area filter in OpenCV: the frame is made small first, as far as it does no harm.
  void opencv_large_face() {
    const double smaller = std::floor(kLarge);
    cv::resize(whole_rgb(), converted_small_, {}, 1 / smaller, 1 / smaller, cv::INTER_AREA);
    const Affine2 map = turned_face(kLarge);
    const cv::Matx23d to_small(map.xx / smaller, map.xy / smaller, map.x0 / smaller,
                               map.yx / smaller, map.yy / smaller, map.y0 / smaller);
    cv::warpAffine(converted_small_, small_, to_small, {kFace.width, kFace.height},
                   cv::INTER_LINEAR | cv::WARP_INVERSE_MAP);
    to_planes(small_, tensor_);
  }

  // The warp alone, of a frame that someone else has converted.
  void opencv_face_of_converted_frame() {
    if (converted_.empty()) converted_ = whole_rgb().clone();
    const Affine2 map = turned_face();
    const cv::Matx23d to_frame(map.xx, map.xy, map.x0, map.yx, map.yy, map.y0);
    cv::warpAffine(converted_, small_, to_frame, {kFace.width, kFace.height},
                   cv::INTER_LINEAR | cv::WARP_INVERSE_MAP);
    to_planes(small_, tensor_);
  }

  // One byte of each cache line that holds a sample the bilinear filter needs.
  void touch_cache_lines() {
    const std::uint8_t* frame = frames_.turn();
    unsigned sum = 0;
    const auto rows = [&](const std::uint8_t* plane, int height) {
      for (int y = 0; y < kTensor.height; ++y) {
        const double center = (y + 0.5) * height / kTensor.height - 0.5;
        const std::uint8_t* row = plane + static_cast<int>(center) * kFrame.width;
        for (int x = 0; x < 2 * kFrame.width; x += 64) sum += row[x];
      }
    };
    rows(frame, kFrame.height);
    rows(frame + kFrame.width * kFrame.height, kFrame.height / 2);
    benchmark::DoNotOptimize(sum);
  }

  void gstreamer_to_rgb() {
    GstVideoFrame from, to;
    gst_video_frame_map(&from, &in_, buffers_[frames_.next++ % buffers_.size()], GST_MAP_READ);
    gst_video_frame_map(&to, &out_, rgb_, GST_MAP_WRITE);
    gst_video_converter_frame(converter_, &from, &to);
    gst_video_frame_unmap(&to);
    gst_video_frame_unmap(&from);
  }

 private:
  void run(const Region& region, const TensorSpec& spec) {
    preprocess(view_of(frames_.turn()), std::span(&region, 1), spec,
               std::as_writable_bytes(std::span(tensor_)).first(spec.bytes_per_item()));
  }

  const cv::Mat& whole_rgb() {
    std::uint8_t* frame = frames_.turn();
    const cv::Mat y(kFrame.height, kFrame.width, CV_8UC1, frame);
    const cv::Mat uv(kFrame.height / 2, kFrame.width / 2, CV_8UC2, chroma_of(frame));
    cv::cvtColorTwoPlane(y, uv, whole_, cv::COLOR_YUV2RGB_NV12);
    return whole_;
  }

  Frames frames_;
  std::vector<float> tensor_;
  cv::Mat whole_, converted_small_, small_, small_y_, small_uv_, converted_;
  GstVideoInfo in_, out_;
  GstVideoConverter* converter_ = nullptr;
  GstBuffer* rgb_ = nullptr;
  std::vector<GstBuffer*> buffers_;
};

struct Job {
  std::string name;
  std::function<void()> run;
  double best_ms = 1e9;
};

double thread_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

void compare(std::vector<Job>& jobs, int rounds) {
  for (int round = 0; round < rounds; ++round)
    for (Job& job : jobs) {
      job.run();  // wakes the code up, on another frame
      const double begin = thread_ms();
      job.run();
      job.best_ms = std::min(job.best_ms, thread_ms() - begin);
    }
}

std::vector<Job> with_targets(const std::string& what, const std::function<void()>& run) {
  std::vector<Job> jobs;
  for (const std::string& target : simd_targets())
    jobs.push_back({what + ", " + target, [=] {
                      force_simd_target(target);
                      run();
                    }});
  return jobs;
}

// How many times the time of sightline's targets each other way takes.
void print(const std::vector<Job>& ours, const std::vector<Job>& others) {
  std::printf("%-44s %8s", "", "ms");
  for (const Job& job : ours) std::printf(" %8s", job.name.substr(job.name.rfind(' ') + 1).c_str());
  std::printf("\n");
  const auto row = [&](const Job& job) {
    std::printf("%-44s %8.3f", job.name.c_str(), job.best_ms);
    for (const Job& our : ours) std::printf(" %7.2fx", job.best_ms / our.best_ms);
    std::printf("\n");
  };
  for (const Job& job : ours) row(job);
  for (const Job& job : others) row(job);
}

void compare_and_print(const char* title, std::vector<Job> ours, std::vector<Job> others,
                       int rounds) {
  std::printf("\n%s\n", title);
  std::vector<Job> all = ours;
  all.insert(all.end(), others.begin(), others.end());
  compare(all, rounds);
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(ours.size());
  print({all.begin(), middle}, {middle, all.end()});
}

}  // namespace

int main(int argc, char** argv) {
  gst_init(&argc, &argv);
  cv::setNumThreads(1);
  Bench bench;
  if (argc > 1) {  // Google Benchmark's way: one job for long
    benchmark::Initialize(&argc, argv);
    const auto add = [&](const char* name, void (Bench::*job)()) {
      benchmark::RegisterBenchmark(name, [&bench, job](benchmark::State& state) {
        for ([[maybe_unused]] auto iteration : state) (bench.*job)();
      });
    };
    add("frame/sightline", &Bench::sightline_frame);
    add("frame/opencv-converting-first", &Bench::opencv_converting_first);
    add("frame/opencv-resizing-planes-first", &Bench::opencv_resizing_planes_first);
    add("frame/touch", &Bench::touch_cache_lines);
    add("frame/gstreamer-rgb", &Bench::gstreamer_to_rgb);
    add("face/sightline", &Bench::sightline_face);
    add("face/opencv", &Bench::opencv_face);
    add("large-face/sightline", &Bench::sightline_large_face);
    add("large-face/opencv", &Bench::opencv_large_face);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
  }

  compare_and_print(
      "1080p NV12 → 320×240 float32 NCHW, bilinear, one thread, 24 frames in turn",
      with_targets("sightline", [&] { bench.sightline_frame(); }),
      {{"OpenCV, converting first", [&] { bench.opencv_converting_first(); }},
       {"OpenCV, resizing the planes first", [&] { bench.opencv_resizing_planes_first(); }},
       {"GStreamer's converter, to RGB alone", [&] { bench.gstreamer_to_rgb(); }},
       {"touching the cache lines", [&] { bench.touch_cache_lines(); }}},
      200);
  compare_and_print(
      "a turned face of 1080p NV12 → 150×150 float32 NCHW, bilinear",
      with_targets("sightline", [&] { bench.sightline_face(); }),
      {{"OpenCV, converting the frame first", [&] { bench.opencv_face(); }},
       {"OpenCV, the frame converted already", [&] { bench.opencv_face_of_converted_frame(); }}},
      200);
  compare_and_print("a large turned face of 1080p NV12 (800 pixels) → 150×150 float32 NCHW, area",
                    with_targets("sightline", [&] { bench.sightline_large_face(); }),
                    {{"OpenCV: converted, made small, warped", [&] { bench.opencv_large_face(); }}},
                    200);
  return 0;
}
