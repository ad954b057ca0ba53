// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What pre-processing of a batch costs on a GPU, beside the time in which the GPU's own copy moves
// as many bytes: those of the sectors of 32 bytes that the samples lie in, and the tensor's.
//
// Frames and tensors take turns, so that none is in the cache. Times are medians of a batch: of the
// host, to say what is to be done, and of the GPU, between events in the stream and behind other
// work, so that it does not wait for the host.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/cuda.h"
#include "core/error.h"
#include "preprocess/cuda/batch_preprocessor.h"

namespace {

using namespace sightline;
using cuda::Address;
using cuda::DeviceMemory;
using cuda::Event;
using cuda::FrameRegion;

constexpr Size kFrame{1920, 1080};
constexpr std::size_t kStride = 2048;  // as decoders have it; of P010 twice
constexpr int kFrames = 32;
constexpr int kTensors = 6;
constexpr int kRepeats = 100;
constexpr int kWarmUp = 5;
constexpr int kInARow = 4;  // as many as can wait without the host's waiting for them

struct Job {
  std::string name;
  PixelFormat format;
  TensorSpec spec;
  int regions;
  bool turned;  // faces, turned; otherwise whole frames
};

// `frames` frames of noise.
class Frames {
 public:
  Frames(const cuda::Stream& stream, PixelFormat format, int frames)
      : format_(format), bytes_a_sample_(format == PixelFormat::kP010 ? 2 : 1) {
    const std::size_t bytes = stride() * static_cast<std::size_t>(kFrame.height) * 3 / 2;
    std::vector<std::uint8_t> noise(bytes);
    std::mt19937 random(7);
    for (std::uint8_t& byte : noise) byte = static_cast<std::uint8_t>(random());
    for (int i = 0; i < frames; ++i) {
      memory_.emplace_back(stream.device(), bytes);
      stream.upload(memory_.back().address(), noise.data(), bytes);
    }
    stream.wait_on_host();
  }

  FrameView view(std::size_t i) const {
    const auto* const luma =
        reinterpret_cast<const std::uint8_t*>(memory_[i % memory_.size()].address());
    FrameView view;
    view.memory = MemoryKind::kCuda;
    view.format = format_;
    view.size = kFrame;
    const auto line = static_cast<std::ptrdiff_t>(stride());
    view.planes = {Plane{luma, line}, Plane{luma + line * kFrame.height, line}, Plane{}};
    return view;
  }
  std::size_t stride() const { return kStride * bytes_a_sample_; }
  std::size_t bytes_a_sample() const { return bytes_a_sample_; }

 private:
  PixelFormat format_;
  std::size_t bytes_a_sample_;
  std::vector<DeviceMemory> memory_;
};

Region turned_face(std::mt19937& random, Size tensor) {
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  const double side = uniform(100, 300), scale = side / tensor.width, angle = uniform(-0.4, 0.4);
  const Affine2 turn{scale * std::cos(angle), -scale * std::sin(angle), 0,
                     scale * std::sin(angle), scale * std::cos(angle),  0};
  return {
      Affine2::translation(uniform(220, kFrame.width - 220), uniform(220, kFrame.height - 220)) *
          turn * Affine2::translation(-tensor.width / 2.0, -tensor.height / 2.0),
      std::nullopt};
}

// The sectors of 32 bytes that bilinear samples of one region lie in.
std::size_t sampled_bytes(const Region& region, const TensorSpec& spec, const Frames& frames) {
  const std::size_t sectors_a_row = frames.stride() / 32;
  std::vector<bool> touched(sectors_a_row * static_cast<std::size_t>(kFrame.height) * 3 / 2);
  const auto touch = [&](double x, double y, std::size_t bytes, std::size_t first_row, int width,
                         int height) {
    for (const double dx : {-0.5, 0.5})
      for (const double dy : {-0.5, 0.5}) {
        const auto column = static_cast<std::size_t>(std::clamp(x + dx, 0.0, width - 1.0));
        const auto row = static_cast<std::size_t>(std::clamp(y + dy, 0.0, height - 1.0));
        touched[(first_row + row) * sectors_a_row + column * bytes / 32] = true;
      }
  };
  const Affine2& map = region.to_frame;
  for (int ty = 0; ty < spec.size.height; ++ty)
    for (int tx = 0; tx < spec.size.width; ++tx) {
      const double x = map.xx * (tx + 0.5) + map.xy * (ty + 0.5) + map.x0;
      const double y = map.yx * (tx + 0.5) + map.yy * (ty + 0.5) + map.y0;
      if (x < 0 || y < 0 || x >= kFrame.width || y >= kFrame.height) continue;
      touch(x, y, frames.bytes_a_sample(), 0, kFrame.width, kFrame.height);
      touch(x / 2 + 0.25, y / 2, 2 * frames.bytes_a_sample(),
            static_cast<std::size_t>(kFrame.height), kFrame.width / 2, kFrame.height / 2);
    }
  return static_cast<std::size_t>(std::count(touched.begin(), touched.end(), true)) * 32;
}

std::size_t read_bytes(const Region& region, const TensorSpec& spec, const Frames& frames) {
  if (spec.filter == Filter::kArea)  // all that lies in the frame
    return static_cast<std::size_t>(kFrame.width * kFrame.height) * 3 / 2 * frames.bytes_a_sample();
  return sampled_bytes(region, spec, frames);
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Something that keeps the stream busy for about a millisecond, so that what is measured behind it
// has been queued before it begins.
class Delay {
 public:
  explicit Delay(const cuda::Stream& stream)
      : stream_(stream), from_(stream.device(), kBytes), to_(stream.device(), kBytes) {
    stream.fill(from_.address(), 0x5a, kBytes);
  }
  static constexpr std::size_t kBytes = std::size_t{3} << 29;

  void run() const { stream_.copy(to_.address(), from_.address(), kBytes); }

 private:
  const cuda::Stream& stream_;
  DeviceMemory from_, to_;
};

template <typename F>
double time_of(const cuda::Stream& stream, F&& work) {
  Event begin(stream.device(), Event::Timing::kOn), end(stream.device(), Event::Timing::kOn);
  begin.record(stream);
  work();
  end.record(stream);
  end.wait_on_host();
  return 1e3 * static_cast<double>(Event::milliseconds(begin, end));
}

// Bytes a microsecond, read and written, of a copy that no cache holds.
double copy_rate(const cuda::Stream& stream, const Delay& delay) {
  std::vector<double> times;
  for (int i = 0; i < 20; ++i) times.push_back(time_of(stream, [&] { delay.run(); }));
  return 2.0 * static_cast<double>(Delay::kBytes) / median(std::move(times));
}

struct Times {
  double host, device;  // µs a batch
};

template <typename F>
Times median_times(const cuda::Stream& stream, const Delay& delay, F&& run) {
  std::vector<double> host, device;
  for (int i = 0; i < kRepeats + kWarmUp; ++i) {
    delay.run();
    Times times{};
    times.device =
        time_of(stream,
                [&] {
                  const auto begin = std::chrono::steady_clock::now();
                  for (int j = 0; j < kInARow; ++j) run();
                  const auto end = std::chrono::steady_clock::now();
                  times.host =
                      std::chrono::duration<double, std::micro>(end - begin).count() / kInARow;
                }) /
        kInARow;
    if (i < kWarmUp) continue;
    host.push_back(times.host);
    device.push_back(times.device);
  }
  return {median(std::move(host)), median(std::move(device))};
}

void measure(const cuda::Stream& stream, const Delay& delay, const Job& job, double rate) {
  const Frames frames(stream, job.format, kFrames);
  cuda::BatchPreprocessor preprocessor(stream.device(), job.spec);
  std::mt19937 random(11);
  std::size_t bytes = 0;
  std::array<std::vector<FrameRegion>, kTensors> batches;
  std::size_t frame = 0;
  for (std::vector<FrameRegion>& batch : batches)
    for (int i = 0; i < job.regions; ++i) {
      const Region region = job.turned
                                ? turned_face(random, job.spec.size)
                                : Region::frame(kFrame, job.spec.size, Placement::kLetterbox);
      batch.push_back({frames.view(frame++), region});
      if (&batch == &batches[0])
        bytes += read_bytes(region, job.spec, frames) + job.spec.bytes_per_item();
    }
  std::vector<DeviceMemory> tensors;
  const std::size_t tensor_bytes =
      job.spec.bytes_per_item() * static_cast<std::size_t>(job.regions);
  for (int i = 0; i < kTensors; ++i) tensors.emplace_back(stream.device(), tensor_bytes);
  std::size_t turn = 0;
  const auto run = [&] {
    preprocessor.run(batches[turn % kTensors], tensors[turn % kTensors].address(), tensor_bytes,
                     stream);
    ++turn;
  };
  const Times times = median_times(stream, delay, run);
  const double floor = static_cast<double>(bytes) / rate;
  std::printf("%-46s %8.1f %8.1f %8.1f %8.1f %7.0f%%\n", job.name.c_str(), times.host, times.device,
              static_cast<double>(bytes) / 1e6, floor, 100 * floor / times.device);
}

TensorSpec spec(Size size, Filter filter, ElementType type) {
  TensorSpec wanted;
  wanted.size = size;
  wanted.filter = filter;
  wanted.type = type;
  wanted.mean = {122.782f, 117.001f, 104.298f};
  wanted.scale = 1.0f / 256;
  return wanted;
}

}  // namespace

// Of the jobs, those whose name contains the first argument.
int main(int argc, char** argv) {
  try {
    const cuda::DevicePtr device = cuda::Device::open(0);
    const cuda::Stream stream(device);
    const Delay delay(stream);
    const double rate = copy_rate(stream, delay);
    const std::string wanted = argc > 1 ? argv[1] : "";
    std::printf("%s, driver with CUDA %s; its copy moves %.2f TB/s, read and written\n\n",
                device->info().name.c_str(), cuda::driver_version().c_str(), rate / 1e6);
    std::printf("%-46s %8s %8s %8s %8s %8s\n", "", "host, µs", "GPU, µs", "MB", "copy, µs",
                "of it");
    constexpr auto kFloat = ElementType::kFloat32;
    constexpr auto kHalf = ElementType::kFloat16;
    constexpr auto kBilinear = Filter::kBilinear;
    const PixelFormat nv12 = PixelFormat::kNv12, p010 = PixelFormat::kP010;
    const Size face{150, 150};
    for (const Job& job :
         {Job{"1 turned face, NV12 → 150×150 FP32", nv12, spec(face, kBilinear, kFloat), 1, true},
          Job{"8 turned faces", nv12, spec(face, kBilinear, kFloat), 8, true},
          Job{"64 turned faces", nv12, spec(face, kBilinear, kFloat), 64, true},
          Job{"64 turned faces, FP16", nv12, spec(face, kBilinear, kHalf), 64, true},
          Job{"64 turned faces, P010", p010, spec(face, kBilinear, kFloat), 64, true},
          Job{"64 turned faces, nearest", nv12, spec(face, Filter::kNearest, kFloat), 64, true},
          Job{"32 frames, NV12 → 320×240 FP32", nv12, spec({320, 240}, kBilinear, kFloat), 32,
              false},
          Job{"16 frames, NV12 → 640×640 FP32, letterbox", nv12,
              spec({640, 640}, kBilinear, kFloat), 16, false},
          Job{"16 frames, NV12 → 640×640 FP32, area", nv12, spec({640, 640}, Filter::kArea, kFloat),
              16, false}})
      if (job.name.find(wanted) != std::string::npos) measure(stream, delay, job, rate);
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "cuda_preprocess_bench: %s\n", error.what());
    return 1;
  }
}
