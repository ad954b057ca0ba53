// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pre-processing on a GPU, beside the reference and the CPU path. Without a GPU these tests are
// skipped, and say what is missing.

#include "core/cuda.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "noisy_frame.h"
#include "preprocess/cuda/batch_preprocessor.h"
#include "preprocess/cuda/sums.h"
#include "preprocess/reference.h"
#include "tensor_elements.h"

namespace sightline {
namespace {

using cuda::BatchPreprocessor;
using cuda::DeviceMemory;
using cuda::FrameRegion;

// How far a pixel value of 0…255 may be from the reference: sums of single-precision products of
// bytes, and positions within a pixel that are known to 2⁻²³.
constexpr double kTolerance = 1.0 / 256;
// The CPU path's, as its own test has it.
constexpr double kCpuTolerance = 1.0 / 8;

// A frame of noise in host and device memory.
class TwofoldFrame {
 public:
  TwofoldFrame(PixelFormat format, Size size, std::mt19937& random, NoisyFrame::Strides strides,
               const cuda::Stream& stream)
      : host_(format, size, random, strides), device_view_(host_.view) {
    device_view_.memory = MemoryKind::kCuda;
    for (std::size_t p = 0; p < host_.memory.size(); ++p) {
      const GuardedMemory& memory = *host_.memory[p];
      planes_.emplace_back(stream.device(), memory.bytes());
      stream.upload(planes_.back().address(), memory.data(), memory.bytes());
      device_view_.planes[p].data = reinterpret_cast<const std::uint8_t*>(
          planes_.back().address() +
          static_cast<std::uintptr_t>(host_.view.planes[p].data - memory.data()));
    }
    stream.wait_on_host();
  }

  void set_color(ColorMatrix matrix, ColorRange range, ChromaSite site) {
    for (FrameView* view : {&host_.view, &device_view_}) {
      view->matrix = matrix;
      view->range = range;
      view->site = site;
    }
  }

  const FrameView& host() const { return host_.view; }
  const FrameView& device() const { return device_view_; }

 private:
  NoisyFrame host_;
  std::vector<DeviceMemory> planes_;
  FrameView device_view_;
};

struct Case {
  std::shared_ptr<const TwofoldFrame> frame;
  Region region;
  bool on_host = false;  // the frame's pixels, before the run
};

class CudaPreprocess : public testing::Test {
 protected:
  void SetUp() override {
    try {
      device_ = cuda::Device::open(0);
    } catch (const Error& error) {
      GTEST_SKIP() << "no GPU to test on: " << error.what();
    }
    stream_.emplace(device_);
  }

  float uniform(double low, double high) {
    return static_cast<float>(std::uniform_real_distribution<double>(low, high)(random_));
  }
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
  template <typename T>
  T one_of(std::initializer_list<T> choices) {
    return *(choices.begin() + integer(0, static_cast<int>(choices.size()) - 1));
  }

  TensorSpec random_spec(Size size) {
    TensorSpec spec;
    spec.size = size;
    spec.channels = one_of({Channels::kRgb, Channels::kBgr, Channels::kGray});
    spec.layout = one_of({Layout::kNchw, Layout::kNhwc});
    spec.type = one_of(
        {ElementType::kFloat32, ElementType::kFloat16, ElementType::kUint8, ElementType::kInt8});
    spec.filter = one_of({Filter::kNearest, Filter::kBilinear, Filter::kArea});
    spec.scale = uniform(0.2, 1.5);
    for (std::size_t c = 0; c < 3; ++c) {
      spec.mean[c] = uniform(0, 130);
      spec.deviation[c] = uniform(0.5, 2);
      spec.pad_value[c] = uniform(0, 255);
    }
    return spec;
  }

  std::shared_ptr<TwofoldFrame> random_frame(PixelFormat format, Size size) {
    auto frame = std::make_shared<TwofoldFrame>(
        format, size, random_,
        one_of({NoisyFrame::Strides::kTight, NoisyFrame::Strides::kPadded,
                NoisyFrame::Strides::kNegative}),
        *stream_);
    frame->set_color(one_of({ColorMatrix::kBt601, ColorMatrix::kBt709, ColorMatrix::kBt2020}),
                     one_of({ColorRange::kLimited, ColorRange::kFull}),
                     {integer(0, 1) == 1, integer(0, 1) == 1});
    return frame;
  }

  Region random_box(Size frame, Size tensor) {
    const float w = static_cast<float>(frame.width), h = static_cast<float>(frame.height);
    const Rect box{uniform(-0.5 * w, 0.9 * w), uniform(-0.5 * h, 0.9 * h), uniform(0.1, 1.5 * w),
                   uniform(0.1, 1.5 * h)};
    return Region::box(
        box, tensor,
        one_of({Placement::kStretch, Placement::kLetterbox, Placement::kLetterboxCentered}));
  }

  // Turned, scaled, sometimes mirrored or sheared, around a point near the frame.
  Region random_warp(Size frame, Size tensor) {
    const double angle = uniform(0, 6.3), scale = std::exp(uniform(-2, 2)),
                 shear = uniform(-0.3, 0.3);
    const double mirror = one_of({1.0, -1.0});
    const Affine2 turn{scale * std::cos(angle),         -scale * std::sin(angle) * mirror, 0,
                       scale * std::sin(angle) + shear, scale * std::cos(angle) * mirror,  0};
    return {Affine2::translation(uniform(-0.2, 1.2) * static_cast<float>(frame.width),
                                 uniform(-0.2, 1.2) * static_cast<float>(frame.height)) *
                turn * Affine2::translation(-tensor.width / 2.0, -tensor.height / 2.0),
            std::nullopt};
  }

  Region random_region(Size frame, Size tensor) {
    return integer(0, 1) == 0 ? random_box(frame, tensor) : random_warp(frame, tensor);
  }

  // The batch's tensor, whose memory held other values before.
  std::vector<std::byte> run(BatchPreprocessor& preprocessor, const std::vector<Case>& cases) {
    std::vector<FrameRegion> regions;
    for (const Case& one : cases)
      regions.push_back({one.on_host ? one.frame->host() : one.frame->device(), one.region});
    const std::size_t bytes = preprocessor.spec().bytes_per_item() * cases.size();
    const DeviceMemory output(device_, bytes);
    stream_->fill(output.address(), 0xff, bytes);
    preprocessor.run(regions, output.address(), bytes, *stream_);
    std::vector<std::byte> tensor(bytes);
    stream_->download(tensor.data(), output.address(), bytes);
    stream_->wait_on_host();
    return tensor;
  }

  static double slack(const TensorSpec& spec, double pixel) {
    if (spec.normalization == Normalization::kPerImage) return 2 * pixel / 20;
    double largest = 0;
    for (const float deviation : spec.deviation)
      largest = std::max(largest, std::abs(static_cast<double>(spec.scale) / deviation));
    return pixel * largest;
  }

  // What rounding may have added to an expected value.
  static double rounding(double value, ElementType type) {
    switch (type) {
      case ElementType::kFloat32:
        return 0;
      case ElementType::kFloat16:
        return std::max(std::abs(value) / 2048, 1e-7);
      default:
        return 0.5;
    }
  }

  static testing::AssertionResult equal(const std::vector<std::byte>& found, std::size_t first,
                                        const std::vector<double>& expected, const TensorSpec& spec,
                                        double tolerance, const Case& one, bool rounded = false) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double value = element(found, spec.type, first + i);
      const double also = rounded ? rounding(expected[i], spec.type) : 0;
      const auto [low, high] = bounds(expected[i], slack(spec, tolerance) + also, spec.type);
      if (value >= low && value <= high) continue;
      const FrameView& frame = one.frame->host();
      const Affine2& map = one.region.to_frame;
      return testing::AssertionFailure()
             << name_of(frame.format) << " " << frame.size.width << "×" << frame.size.height
             << " to " << spec.size.width << "×" << spec.size.height << " filter "
             << static_cast<int>(spec.filter) << " layout " << static_cast<int>(spec.layout)
             << " type " << name_of(spec.type) << " channels " << static_cast<int>(spec.channels)
             << ": element " << i << " of " << expected.size() << " is " << value << ", expected "
             << expected[i] << "; map " << map.xx << " " << map.xy << " " << map.x0 << " " << map.yx
             << " " << map.yy << " " << map.y0;
    }
    return testing::AssertionSuccess();
  }

  // Each item is the reference's and, where it reads the format, the CPU path's.
  testing::AssertionResult agrees(const TensorSpec& spec, const std::vector<Case>& cases) {
    BatchPreprocessor preprocessor(device_, spec);
    const std::vector<std::byte> found = run(preprocessor, cases);
    const std::size_t elements = spec.bytes_per_item() / size_of(spec.type);
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const FrameView& frame = cases[i].frame->host();
      const auto exact = reference::preprocess(frame, cases[i].region, spec);
      if (auto result = equal(found, i * elements, exact, spec, kTolerance, cases[i]); !result)
        return result << " (the reference)";
      if (frame.format == PixelFormat::kP010) continue;
      std::vector<std::byte> on_cpu(spec.bytes_per_item());
      preprocess(frame, std::span(&cases[i].region, 1), spec, on_cpu);
      std::vector<double> values(elements);
      for (std::size_t e = 0; e < elements; ++e) values[e] = element(on_cpu, spec.type, e);
      if (auto result =
              equal(found, i * elements, values, spec, kTolerance + kCpuTolerance, cases[i], true);
          !result)
        return result << " (the CPU path)";
    }
    return testing::AssertionSuccess();
  }

  cuda::DevicePtr device_;
  std::optional<cuda::Stream> stream_;
  std::mt19937 random_{20240117};
};

TEST_F(CudaPreprocess, EveryFormatFilterLayoutAndTypeEqualsTheReference) {
  for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kArea})
    for (const Channels channels : {Channels::kRgb, Channels::kBgr, Channels::kGray})
      for (const Layout layout : {Layout::kNchw, Layout::kNhwc})
        for (const ElementType type : {ElementType::kFloat32, ElementType::kFloat16,
                                       ElementType::kUint8, ElementType::kInt8}) {
          TensorSpec spec = random_spec({integer(15, 40), integer(8, 20)});
          spec.filter = filter;
          spec.channels = channels;
          spec.layout = layout;
          spec.type = type;
          std::vector<Case> batch;  // all formats in one launch
          for (const PixelFormat format : cuda::pixel_formats()) {
            const auto frame = random_frame(format, {integer(20, 70), integer(20, 50)});
            batch.push_back({frame, random_box(frame->host().size, spec.size)});
            batch.push_back({frame, random_warp(frame->host().size, spec.size)});
          }
          ASSERT_TRUE(agrees(spec, batch));
        }
}

TEST_F(CudaPreprocess, TinyFramesEqualTheReference) {
  for (int width = 1; width <= 5; ++width)
    for (int height = 1; height <= 4; ++height) {
      const TensorSpec spec = random_spec({integer(1, 40), integer(1, 20)});
      std::vector<Case> batch;
      for (const PixelFormat format : cuda::pixel_formats()) {
        const auto frame = random_frame(format, {width, height});
        batch.push_back({frame, random_box(frame->host().size, spec.size)});
        batch.push_back({frame, random_warp(frame->host().size, spec.size)});
      }
      ASSERT_TRUE(agrees(spec, batch));
    }
}

TEST_F(CudaPreprocess, LargeFramesEqualTheReference) {
  for (const PixelFormat format :
       {PixelFormat::kNv12, PixelFormat::kP010, PixelFormat::kI420, PixelFormat::kRgba})
    for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kArea}) {
      const auto frame = random_frame(format, {3840, 2160});
      TensorSpec spec = random_spec({150, 150});
      spec.filter = filter;
      std::vector<Case> batch;
      for (int i = 0; i < 3; ++i) {
        const Point corner{uniform(0, 3500), uniform(0, 1900)};
        const float side = uniform(40, 400);
        batch.push_back(
            {frame, Region::box({corner.x, corner.y, side, side}, spec.size, Placement::kStretch)});
      }
      batch.push_back({frame, random_warp(frame->host().size, spec.size)});
      batch.push_back({frame, Region::frame(frame->host().size, spec.size, Placement::kLetterbox)});
      ASSERT_TRUE(agrees(spec, batch));
    }
}

TEST_F(CudaPreprocess, WarpsThatShrinkALotEqualTheReference) {
  for (const double scale : {1.9, 2.0, 3.7, 4.5, 9.0, 17.0, 40.0}) {
    TensorSpec spec = random_spec({integer(3, 12), integer(2, 6)});
    spec.filter = Filter::kArea;
    std::vector<Case> batch;
    for (const PixelFormat format : cuda::pixel_formats()) {
      const Size size{integer(20, 260), integer(20, 200)};
      const Affine2 turn{0.8 * scale, -0.6 * scale, 0, 0.6 * scale, 0.8 * scale, 0};
      const Affine2 map = Affine2::translation(size.width / 2.0, size.height / 2.0) * turn *
                          Affine2::translation(-spec.size.width / 2.0, -spec.size.height / 2.0);
      batch.push_back({random_frame(format, size), {map, std::nullopt}});
    }
    ASSERT_TRUE(agrees(spec, batch)) << scale;
  }
}

// Edges of tensor pixels fall onto edges of frame pixels; either side is right, but both ways must
// take the same.
TEST_F(CudaPreprocess, NearestTakesTheSamePixelAsTheCpu) {
  for (const double scale : {0.25, 1.0 / 3, 0.5, 1.0, 2.0, 3.0, 6.4}) {
    TensorSpec spec;
    spec.size = {97, 33};
    spec.filter = Filter::kNearest;
    const Size size{static_cast<int>(97 * scale) + 1, static_cast<int>(33 * scale) + 1};
    const auto frame = random_frame(PixelFormat::kGray8, size);
    const Region region{Affine2::scaling(scale, scale), std::nullopt};
    BatchPreprocessor preprocessor(device_, spec);
    const std::vector<std::byte> found = run(preprocessor, {{frame, region}});
    std::vector<std::byte> on_cpu(spec.bytes_per_item());
    preprocess(frame->host(), std::span(&region, 1), spec, on_cpu);
    for (std::size_t i = 0; i < on_cpu.size() / sizeof(float); ++i)
      ASSERT_NEAR(element(found, spec.type, i), element(on_cpu, spec.type, i), 0.01)
          << scale << " " << i;
  }
}

TEST_F(CudaPreprocess, NormalizationByImageAndMeanImagesEqualTheReference) {
  for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kArea})
    for (const Layout layout : {Layout::kNchw, Layout::kNhwc})
      for (const bool by_image : {true, false}) {
        TensorSpec spec = random_spec({integer(40, 70), integer(20, 50)});
        spec.filter = filter;
        spec.layout = layout;
        spec.type = one_of({ElementType::kFloat32, ElementType::kFloat16});
        if (by_image) {
          spec.normalization = Normalization::kPerImage;
        } else {
          spec.mean_image.resize(
              static_cast<std::size_t>(spec.size.width * spec.size.height * spec.channel_count()));
          for (float& mean : spec.mean_image) mean = uniform(0, 255);
        }
        std::vector<Case> batch;
        for (const PixelFormat format : cuda::pixel_formats()) {
          const auto frame = random_frame(format, {integer(60, 90), integer(60, 90)});
          batch.push_back({frame, Region::box({5, 4, 50, 52}, spec.size, Placement::kLetterbox)});
        }
        ASSERT_TRUE(agrees(spec, batch));
      }
}

TEST_F(CudaPreprocess, BatchesOfChangingSizeTakeTurnsWithoutWaiting) {
  TensorSpec spec = random_spec({33, 17});
  spec.type = ElementType::kFloat32;
  BatchPreprocessor preprocessor(device_, spec);
  const auto frame = random_frame(PixelFormat::kNv12, {200, 120});
  std::vector<std::vector<Case>> batches;
  std::vector<DeviceMemory> outputs;
  for (const int size : {1, 7, 64, 3, 200, 2, 64, 1, 9}) {
    std::vector<FrameRegion> regions;
    for (int i = 0; i < size; ++i) {
      if (i == 0) batches.emplace_back();
      batches.back().push_back({frame, random_region(frame->host().size, spec.size)});
      regions.push_back({frame->device(), batches.back().back().region});
    }
    const std::size_t bytes = spec.bytes_per_item() * regions.size();
    outputs.emplace_back(device_, bytes);
    preprocessor.run(regions, outputs.back().address(), bytes, *stream_);
  }
  stream_->wait_on_host();
  const std::size_t elements = spec.bytes_per_item() / sizeof(float);
  for (std::size_t b = 0; b < batches.size(); ++b) {
    std::vector<std::byte> found(outputs[b].bytes());
    stream_->download(found.data(), outputs[b].address(), found.size());
    stream_->wait_on_host();
    for (std::size_t i = 0; i < batches[b].size(); ++i)
      ASSERT_TRUE(equal(found, i * elements,
                        reference::preprocess(frame->host(), batches[b][i].region, spec), spec,
                        kTolerance, batches[b][i]))
          << "batch " << b;
  }
}

// Of frames on the host the part that is needed is copied, which must not change anything: not a
// bit, and in whatever company.
TEST_F(CudaPreprocess, FramesOnTheHostGiveWhatTheyGiveOnTheDevice) {
  for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kArea})
    for (int round = 0; round < 12; ++round) {
      TensorSpec spec = random_spec({integer(5, 40), integer(4, 30)});
      spec.filter = filter;
      if (round % 4 == 3) spec.normalization = Normalization::kPerImage;
      std::vector<Case> batch;
      for (const PixelFormat format : cuda::pixel_formats()) {
        const auto frame = random_frame(format, {integer(1, 300), integer(1, 200)});
        for (int i = integer(1, 4); i > 0; --i)
          batch.push_back({frame, random_region(frame->host().size, spec.size)});
      }
      std::shuffle(batch.begin(), batch.end(), random_);
      BatchPreprocessor preprocessor(device_, spec);
      const std::vector<std::byte> on_device = run(preprocessor, batch);
      for (Case& one : batch) one.on_host = integer(0, 3) > 0;
      const std::vector<std::byte> mixed = run(preprocessor, batch);
      if (spec.normalization == Normalization::kFixed) {
        ASSERT_TRUE(mixed == on_device) << "filter " << static_cast<int>(filter);
        continue;
      }
      // Sums of an image are added up in any order.
      const std::size_t elements = spec.bytes_per_item() / size_of(spec.type);
      for (std::size_t i = 0; i < batch.size() * elements; ++i)
        ASSERT_NEAR(element(mixed, spec.type, i), element(on_device, spec.type, i),
                    spec.type == ElementType::kFloat32   ? 1e-4
                    : spec.type == ElementType::kFloat16 ? 4e-3
                                                         : 1);
    }
}

// Frames on the host are done with when run() returns, whatever the GPU does.
TEST_F(CudaPreprocess, FramesOnTheHostMayBeOverwrittenAtOnce) {
  TensorSpec spec;
  spec.size = {64, 48};
  spec.channels = Channels::kGray;
  BatchPreprocessor preprocessor(device_, spec);
  constexpr int kRuns = 20;
  const std::size_t bytes = spec.bytes_per_item();
  const DeviceMemory outputs(device_, bytes * kRuns);
  std::vector<std::uint8_t> pixels(640 * 480);
  FrameView view;
  view.format = PixelFormat::kGray8;
  view.range = ColorRange::kFull;
  view.size = {640, 480};
  view.planes[0] = {pixels.data(), 640};
  const FrameRegion whole{view, Region::frame(view.size, spec.size, Placement::kStretch)};
  for (int run = 0; run < kRuns; ++run) {
    std::fill(pixels.begin(), pixels.end(), static_cast<std::uint8_t>(run));
    preprocessor.run(std::span(&whole, 1),
                     outputs.address() + static_cast<std::size_t>(run) * bytes, bytes, *stream_);
  }
  std::vector<float> found(static_cast<std::size_t>(64 * 48) * kRuns);
  stream_->download(found.data(), outputs.address(), bytes * kRuns);
  stream_->wait_on_host();
  for (std::size_t i = 0; i < found.size(); ++i)
    ASSERT_NEAR(found[i], static_cast<float>(i / (64 * 48)), 0.01);
}

TEST_F(CudaPreprocess, SumsAreThoseOfThePixels) {
  const cuda::Sums sums(device_);
  for (const Size size : {Size{2, 2}, Size{7, 3}, Size{100, 100}, Size{112, 63}}) {
    constexpr std::size_t kPictures = 3;
    const auto width = static_cast<std::size_t>(size.width),
               height = static_cast<std::size_t>(size.height);
    std::vector<float> pixels(kPictures * width * height);
    for (float& pixel : pixels) pixel = uniform(0, 255);
    const DeviceMemory pictures(device_, pixels.size() * sizeof(float));
    std::array<cuda::Sums::Detail, kPictures> found;
    const DeviceMemory to(device_, sizeof found);
    stream_->upload(pictures.address(), pixels.data(), pictures.bytes());
    sums.detail(pictures.address(), size, kPictures, to.address(), *stream_);
    stream_->download(found.data(), to.address(), sizeof found);
    stream_->wait_on_host();
    for (std::size_t i = 0; i < kPictures; ++i) {
      const float* const at = pixels.data() + i * width * height;
      double sum = 0, squares = 0, gradient = 0;
      for (std::size_t y = 0; y + 1 < height; ++y)
        for (std::size_t x = 0; x + 1 < width; ++x) {
          const double pixel = at[y * width + x], dx = at[y * width + x + 1] - pixel,
                       dy = at[(y + 1) * width + x] - pixel;
          sum += pixel, squares += pixel * pixel, gradient += dx * dx + dy * dy;
        }
      EXPECT_NEAR(found[i].sum, sum, 1e-6 * std::abs(sum));
      EXPECT_NEAR(found[i].squares, squares, 1e-6 * squares);
      EXPECT_NEAR(found[i].gradient, gradient, 1e-6 * gradient);
    }
  }
}

TEST_F(CudaPreprocess, SumsOfChannelsAreThoseOfTheInnerPart) {
  const cuda::Sums sums(device_);
  for (const Layout layout : {Layout::kNchw, Layout::kNhwc})
    for (const Channels channels : {Channels::kRgb, Channels::kGray}) {
      TensorSpec spec;
      spec.size = {61, 40};
      spec.layout = layout;
      spec.channels = channels;
      constexpr std::size_t kTensors = 2;
      const auto count = static_cast<std::size_t>(spec.channel_count());
      std::vector<float> values(kTensors * count * 61 * 40);
      for (float& value : values) value = uniform(-2, 2);
      const DeviceMemory tensors(device_, values.size() * sizeof(float));
      cuda::Sums::Channels found[kTensors];
      const DeviceMemory to(device_, sizeof found);
      stream_->upload(tensors.address(), values.data(), tensors.bytes());
      const sampling::Span columns{10, 50}, rows{6, 33};
      sums.channels(tensors.address(), spec, columns, rows, kTensors, to.address(), *stream_);
      stream_->download(found, to.address(), sizeof found);
      stream_->wait_on_host();
      for (std::size_t i = 0; i < kTensors; ++i)
        for (std::size_t c = 0; c < count; ++c) {
          double sum = 0;
          for (std::size_t y = 6; y < 33; ++y)
            for (std::size_t x = 10; x < 50; ++x)
              sum += values[i * count * 61 * 40 + (layout == Layout::kNchw
                                                       ? (c * 40 + y) * 61 + x
                                                       : (y * 61 + x) * count + c)];
          EXPECT_NEAR(found[i][c], sum, 1e-5);
        }
    }
}

TEST_F(CudaPreprocess, WhatIsWrongIsSaid) {
  TensorSpec spec;
  spec.size = {16, 16};
  BatchPreprocessor preprocessor(device_, spec);
  const DeviceMemory output(device_, spec.bytes_per_item());
  const auto expect = [&](const FrameView& view, const Region& region, std::size_t bytes,
                          const std::string& words) {
    const FrameRegion one{view, region};
    try {
      preprocessor.run(std::span(&one, 1), output.address(), bytes, *stream_);
      ADD_FAILURE() << "no error that says: " << words;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  };
  const auto frame = random_frame(PixelFormat::kP010, {32, 32});
  const Region region{};
  expect(frame->device(), region, output.bytes() - 1, "bytes, expected");
  expect(frame->device(), {Affine2::scaling(std::nan(""), 1), std::nullopt}, output.bytes(),
         "not finite");
  FrameView odd = frame->device();
  odd.planes[1].stride += 2;
  expect(odd, region, output.bytes(), "not aligned");
  FrameView missing = frame->device();
  missing.planes[1].data = nullptr;
  expect(missing, region, output.bytes(), "is missing");

  spec.type = ElementType::kInt64;
  EXPECT_THROW(BatchPreprocessor(device_, spec), Error);
}

TEST(CudaDevice, OneThatIsNotThereIsAnErrorThatSaysWhatIs) {
  try {
    cuda::Device::open(1000);
    ADD_FAILURE() << "GPU 1000 is there";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDevice);
    const std::string text = error.what();
    EXPECT_TRUE(text.find("driver") != std::string::npos ||
                text.find("There are:") != std::string::npos)
        << text;
  }
}

}  // namespace
}  // namespace sightline
