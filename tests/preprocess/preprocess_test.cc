// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/preprocess.h"

#include <cmath>
#include <cstring>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "core/error.h"
#include "noisy_frame.h"
#include "preprocess/mirror.h"
#include "preprocess/reference.h"
#include "tensor_elements.h"

namespace sightline {
namespace {

// How far a pixel value of 0…255 may be from the reference. Samples are blended with weights of 15
// and 14 bits and kept with 7 fractional bits, which is 0.03 at worst; the colour matrix multiplies
// that by 2.2 at most.
constexpr double kTolerance = 0.125;

std::vector<std::byte> run(const FrameView& frame, const Region& region, const TensorSpec& spec) {
  std::vector<std::byte> output(spec.bytes_per_item());
  preprocess(frame, std::span(&region, 1), spec, output);
  return output;
}

// Slack of an element in terms of pixel values.
double slack_of(const TensorSpec& spec, double deviation_of_image) {
  if (spec.normalization == Normalization::kPerImage) return 2 * kTolerance / deviation_of_image;
  double largest = 0;
  for (const float deviation : spec.deviation)
    largest = std::max(largest, std::abs(static_cast<double>(spec.scale) / deviation));
  return kTolerance * largest;
}

testing::AssertionResult agrees(const FrameView& frame, const Region& region,
                                const TensorSpec& spec) {
  const std::vector<double> expected = reference::preprocess(frame, region, spec);
  const std::vector<std::byte> found = run(frame, region, spec);
  const double slack = slack_of(spec, 20);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double value = element(found, spec.type, i);
    const auto [low, high] = bounds(expected[i], slack, spec.type);
    if (!(value >= low && value <= high))
      return testing::AssertionFailure()
             << name_of(frame.format) << " " << frame.size.width << "×" << frame.size.height
             << " filter " << static_cast<int>(spec.filter) << " layout "
             << static_cast<int>(spec.layout) << " type " << name_of(spec.type) << " channels "
             << static_cast<int>(spec.channels) << ": element " << i << " of " << expected.size()
             << " is " << value << ", the reference has " << expected[i] << "; map "
             << region.to_frame.xx << " " << region.to_frame.xy << " " << region.to_frame.x0 << " "
             << region.to_frame.yx << " " << region.to_frame.yy << " " << region.to_frame.y0;
  }
  return testing::AssertionSuccess();
}

class EachTarget : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { force_simd_target(GetParam()); }
  void TearDown() override { force_simd_target(""); }

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

  void randomize(FrameView& view) {
    view.matrix = one_of({ColorMatrix::kBt601, ColorMatrix::kBt709, ColorMatrix::kBt2020});
    view.range = one_of({ColorRange::kLimited, ColorRange::kFull});
    view.site = {integer(0, 1) == 1, integer(0, 1) == 1};
  }

  NoisyFrame::Strides random_strides() {
    return one_of({NoisyFrame::Strides::kTight, NoisyFrame::Strides::kPadded,
                   NoisyFrame::Strides::kNegative});
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

  std::mt19937 random_{20240117};
};

TEST_P(EachTarget, EveryFormatFilterLayoutAndTypeEqualsTheReference) {
  for (const PixelFormat format : kPixelFormats)
    for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kArea})
      for (const Channels channels : {Channels::kRgb, Channels::kBgr, Channels::kGray})
        for (const Layout layout : {Layout::kNchw, Layout::kNhwc})
          for (const ElementType type : {ElementType::kFloat32, ElementType::kFloat16,
                                         ElementType::kUint8, ElementType::kInt8}) {
            NoisyFrame frame(format, {integer(20, 70), integer(20, 50)}, random_, random_strides());
            randomize(frame.view);
            TensorSpec spec = random_spec({integer(15, 40), integer(8, 20)});
            spec.filter = filter;
            spec.channels = channels;
            spec.layout = layout;
            spec.type = type;
            ASSERT_TRUE(agrees(frame.view, random_box(frame.view.size, spec.size), spec));
            ASSERT_TRUE(agrees(frame.view, random_warp(frame.view.size, spec.size), spec));
          }
}

// Of a frame that is much larger than the tensor, a warp reads the samples where they are. Pixels
// that are long and narrow take many samples for the area filter.
TEST_P(EachTarget, AWarpThatLeavesMostSamplesOutEqualsTheReference) {
  for (const PixelFormat format : kPixelFormats)
    for (const Filter filter : {Filter::kBilinear, Filter::kArea})
      for (const double scale : {1.5, 6.0, 25.0}) {
        NoisyFrame frame(format, {301, 203}, random_, random_strides());
        randomize(frame.view);
        TensorSpec spec = random_spec({integer(9, 20), integer(8, 15)});
        spec.filter = filter;
        const double angle = uniform(0, 6.3), x = scale * std::cos(angle),
                     y = scale * std::sin(angle);
        const Region region{Affine2::translation(uniform(50, 250), uniform(50, 150)) *
                                Affine2{x, -y, 0, y, x, 0} * Affine2::scaling(1, one_of({1, 7})) *
                                Affine2::translation(-8, -6),
                            std::nullopt};
        ASSERT_TRUE(agrees(frame.view, region, spec));
      }
}

TEST_P(EachTarget, TinyFramesEqualTheReference) {
  for (const PixelFormat format : kPixelFormats)
    for (int width = 1; width <= 5; ++width)
      for (int height = 1; height <= 4; ++height) {
        NoisyFrame frame(format, {width, height}, random_, random_strides());
        randomize(frame.view);
        const TensorSpec spec = random_spec({integer(1, 20), integer(1, 9)});
        ASSERT_TRUE(agrees(frame.view, random_box(frame.view.size, spec.size), spec));
        ASSERT_TRUE(agrees(frame.view, random_warp(frame.view.size, spec.size), spec));
      }
}

TEST_P(EachTarget, WideAndStronglyScaledFramesEqualTheReference) {
  for (const PixelFormat format : kPixelFormats)
    for (const double scale : {0.3, 1.0, 3.1, 7.9, 13.0, 40.0}) {
      const Size tensor{integer(60, 90), 3};
      const Size size{static_cast<int>(tensor.width * scale), 9};
      NoisyFrame frame(format, size, random_, random_strides());
      randomize(frame.view);
      TensorSpec spec = random_spec(tensor);
      spec.filter = Filter::kBilinear;
      ASSERT_TRUE(agrees(frame.view, Region::frame(size, tensor, Placement::kStretch), spec));
      ASSERT_TRUE(agrees(frame.view, random_box(size, tensor), spec));
    }
}

TEST_P(EachTarget, WarpsThatShrinkALotEqualTheReference) {
  for (const PixelFormat format : kPixelFormats)
    for (const double scale : {1.9, 2.0, 3.7, 4.5, 9.0, 17.0, 40.0}) {
      const Size tensor{integer(3, 12), integer(2, 6)};
      const Size size{integer(20, 260), integer(20, 200)};
      NoisyFrame frame(format, size, random_, random_strides());
      randomize(frame.view);
      TensorSpec spec = random_spec(tensor);
      spec.filter = Filter::kArea;
      const Affine2 turn{0.8 * scale, -0.6 * scale, 0, 0.6 * scale, 0.8 * scale, 0};
      const Affine2 map = Affine2::translation(size.width / 2.0, size.height / 2.0) * turn *
                          Affine2::translation(-tensor.width / 2.0, -tensor.height / 2.0);
      ASSERT_TRUE(agrees(frame.view, {map, std::nullopt}, spec)) << scale;
    }
}

// A thread's working memory grows and never shrinks, so that only its first region shows what is
// read beyond. (The address sanitizer looks.)
TEST_P(EachTarget, AThreadsFirstRegionReadsNothingBeyondItsWorkingMemory) {
  for (const PixelFormat format : kPixelFormats)
    for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kArea})
      for (const double scale : {0.4, 1.0, 1.7, 3.2, 6.3, 12.0, 20.0, 31.0}) {
        const Size tensor{integer(17, 40), 3};
        const Size size{static_cast<int>(tensor.width * scale), 9};
        NoisyFrame frame(format, size, random_, random_strides());
        TensorSpec spec = random_spec(tensor);
        spec.filter = filter;
        std::thread([&] {
          EXPECT_TRUE(agrees(frame.view, Region::frame(size, tensor, Placement::kStretch), spec));
          EXPECT_TRUE(agrees(frame.view, random_warp(size, tensor), spec));
        }).join();
      }
}

TEST_P(EachTarget, AMirroredBoxEqualsTheReference) {
  NoisyFrame frame(PixelFormat::kNv12, {61, 43}, random_);
  for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kArea}) {
    TensorSpec spec = random_spec({37, 20});
    spec.filter = filter;
    ASSERT_TRUE(agrees(frame.view, {{-1.9, 0, 63.3, 0, -2.3, 44.1}, std::nullopt}, spec));
  }
}

TEST_P(EachTarget, ATensorWithItsColumnsReversedIsThatOfTheMirroredRegion) {
  NoisyFrame frame(PixelFormat::kNv12, {161, 143}, random_);
  for (int round = 0; round < 40; ++round) {
    const TensorSpec spec = random_spec({integer(1, 90), integer(1, 9)});
    const Region region = random_warp(frame.view.size, spec.size);
    Region mirrored = region;
    mirrored.to_frame =
        region.to_frame * Affine2{-1, 0, static_cast<double>(spec.size.width), 0, 1, 0};
    const std::vector<std::byte> tensor = run(frame.view, region, spec);
    std::vector<std::byte> found(tensor.size());
    mirror_columns(spec, tensor, found);
    const std::vector<double> expected = reference::preprocess(frame.view, mirrored, spec);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto [low, high] = bounds(expected[i], slack_of(spec, 20), spec.type);
      const double value = element(found, spec.type, i);
      ASSERT_TRUE(value >= low && value <= high) << value << " " << low << " " << high;
    }
  }
}

TEST_P(EachTarget, AMeanImageEqualsTheReference) {
  NoisyFrame frame(PixelFormat::kI420, {50, 40}, random_);
  for (const Layout layout : {Layout::kNchw, Layout::kNhwc})
    for (const Channels channels : {Channels::kRgb, Channels::kGray}) {
      TensorSpec spec = random_spec({33, 21});
      spec.layout = layout;
      spec.channels = channels;
      for (int i = 0; i < 33 * 21 * spec.channel_count(); ++i)
        spec.mean_image.push_back(uniform(0, 255));
      ASSERT_TRUE(agrees(frame.view, random_box(frame.view.size, spec.size), spec));
    }
}

TEST_P(EachTarget, PerImageStandardisationEqualsTheReference) {
  NoisyFrame frame(PixelFormat::kRgb, {50, 40}, random_);
  for (const ElementType type : {ElementType::kFloat32, ElementType::kFloat16})
    for (const Channels channels : {Channels::kBgr, Channels::kGray}) {
      TensorSpec spec = random_spec({33, 21});
      spec.filter = Filter::kBilinear;
      spec.type = type;
      spec.channels = channels;
      spec.normalization = Normalization::kPerImage;
      ASSERT_TRUE(
          agrees(frame.view, Region::frame({50, 40}, {33, 21}, Placement::kLetterbox), spec));
    }
}

TEST_P(EachTarget, AnImageOfOneColourIsStandardisedToNought) {
  NoisyFrame frame(PixelFormat::kGray8, {16, 16}, random_);
  frame.view.range = ColorRange::kFull;
  std::memset(frame.memory[0]->data(), 77, 16 * 16);
  TensorSpec spec;
  spec.size = {8, 8};
  spec.normalization = Normalization::kPerImage;
  const auto tensor = run(frame.view, Region::frame({16, 16}, {8, 8}, Placement::kStretch), spec);
  for (std::size_t i = 0; i < 3 * 8 * 8; ++i)
    ASSERT_NEAR(element(tensor, spec.type, i), 0, 1e-3);  // divided by 1/√192, not by 0
}

TEST_P(EachTarget, ManyRegionsFillTheirSlots) {
  NoisyFrame frame(PixelFormat::kNv12, {64, 48}, random_);
  TensorSpec spec = random_spec({19, 13});
  spec.filter = Filter::kBilinear;
  std::vector<Region> regions;
  for (int i = 0; i < 5; ++i) regions.push_back(random_box(frame.view.size, spec.size));
  std::vector<std::byte> batch(regions.size() * spec.bytes_per_item());
  preprocess(frame.view, regions, spec, batch);
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const std::vector<std::byte> single = run(frame.view, regions[i], spec);
    ASSERT_EQ(0, std::memcmp(single.data(), batch.data() + i * single.size(), single.size()));
  }
}

// Neither may anything be written outside a slot, nor need the slot be aligned.
TEST_P(EachTarget, NothingIsWrittenOutsideTheOutput) {
  NoisyFrame frame(PixelFormat::kNv12, {64, 48}, random_);
  for (int width = 1; width < 40; ++width)
    for (const int misalignment : {0, 1}) {
      const TensorSpec spec = random_spec({width, 3});
      const Region region = random_box(frame.view.size, spec.size);
      const std::size_t bytes = spec.bytes_per_item(),
                        offset = static_cast<std::size_t>(misalignment);
      std::vector<std::byte> guarded(bytes + 256, std::byte{0x5a});
      preprocess(frame.view, std::span(&region, 1), spec,
                 std::span(guarded).subspan(128 + offset, bytes));
      for (std::size_t i = 0; i < guarded.size(); ++i)
        if (i < 128 + offset || i >= 128 + offset + bytes) {
          ASSERT_EQ(guarded[i], std::byte{0x5a}) << "width " << width << " byte " << i;
        }
      const auto aligned = run(frame.view, region, spec);
      ASSERT_EQ(0, std::memcmp(aligned.data(), guarded.data() + 128 + offset, bytes));
    }
}

// A read outside a plane would end the test: a plane ends where its memory ends.
TEST_P(EachTarget, AnyFiniteMapIsSafeAndAnyOtherIsRefused) {
  const double odd[] = {0,    1e-300, 1e-9,  0.5,  -1,    3.7, 1e4,
                        -1e6, 1e11,   -1e11, 1e13, 1e300, NAN, INFINITY};
  for (int i = 0; i < 1000; ++i) {
    const PixelFormat format = kPixelFormats[static_cast<std::size_t>(integer(0, 13))];
    NoisyFrame frame(format, {integer(1, 20), integer(1, 20)}, random_, random_strides());
    const TensorSpec spec = random_spec({integer(1, 40), integer(1, 5)});
    Region region;
    bool acceptable = true;
    for (double* number : {&region.to_frame.xx, &region.to_frame.xy, &region.to_frame.x0,
                           &region.to_frame.yx, &region.to_frame.yy, &region.to_frame.y0}) {
      *number = integer(0, 2) == 0 ? odd[integer(0, 13)] : uniform(-5, 5);
      acceptable = acceptable && std::abs(*number) <= 1e12;
    }
    if (acceptable) {
      ASSERT_NO_THROW(run(frame.view, region, spec));
    } else {
      ASSERT_THROW(run(frame.view, region, spec), Error);
    }
  }
}

TEST(Preprocess, SamplesOutsideTheFrameOrTheContentArePadding) {
  std::mt19937 random(1);
  NoisyFrame frame(PixelFormat::kRgb, {40, 20}, random);
  TensorSpec spec;
  spec.size = {20, 20};
  spec.pad_value = {10, 20, 30};
  const auto tensor =
      run(frame.view, Region::frame({40, 20}, {20, 20}, Placement::kLetterboxCentered), spec);
  const auto row_is_padding = [&](int y) {
    for (std::size_t c = 0; c < 3; ++c)
      for (int x = 0; x < 20; ++x)
        if (element(tensor, spec.type,
                    (c * 20 + static_cast<std::size_t>(y)) * 20 + static_cast<std::size_t>(x)) !=
            spec.pad_value[c])
          return false;
    return true;
  };
  for (int y = 0; y < 20; ++y) EXPECT_EQ(row_is_padding(y), y < 5 || y >= 15) << y;

  // A letterboxed box inside the frame is padded too, although the frame goes on there.
  const auto inner =
      run(frame.view, Region::box({10, 5, 20, 5}, {20, 20}, Placement::kLetterbox), spec);
  EXPECT_EQ(element(inner, spec.type, 19 * 20), 10);
}

TEST(Preprocess, WrongInputIsRefused) {
  std::mt19937 random(1);
  NoisyFrame frame(PixelFormat::kI420, {16, 16}, random);
  TensorSpec spec;
  spec.size = {8, 8};
  const Region region = Region::frame({16, 16}, {8, 8}, Placement::kStretch);
  std::vector<std::byte> output(spec.bytes_per_item());
  const auto attempt = [&](const FrameView& view, const TensorSpec& with, std::size_t bytes) {
    preprocess(view, std::span(&region, 1), with, std::span(output).first(bytes));
  };
  EXPECT_NO_THROW(attempt(frame.view, spec, output.size()));
  EXPECT_THROW(attempt(frame.view, spec, output.size() - 1), Error);

  for (const Size size : {Size{0, 16}, Size{16, 0}, Size{-3, 16}, Size{1 << 30, 1 << 30}}) {
    FrameView view = frame.view;
    view.size = size;
    EXPECT_THROW(attempt(view, spec, output.size()), Error);
    TensorSpec other = spec;
    other.size = size;
    EXPECT_THROW(attempt(frame.view, other, output.size()), Error);
  }
  FrameView without_v = frame.view;
  without_v.planes[2].data = nullptr;
  EXPECT_THROW(attempt(without_v, spec, output.size()), Error);
  TensorSpec integers = spec;
  integers.type = ElementType::kInt32;
  EXPECT_THROW(attempt(frame.view, integers, output.size()), Error);
  TensorSpec small_mean = spec;
  small_mean.mean_image.resize(7);
  EXPECT_THROW(attempt(frame.view, small_mean, output.size()), Error);
}

TEST(Preprocess, EveryTargetIsNamedAndOthersAreRefused) {
  const std::vector<std::string> targets = simd_targets();
  ASSERT_FALSE(targets.empty());
  force_simd_target(targets.back());
  EXPECT_EQ(simd_targets(), targets);
  force_simd_target("");
  EXPECT_THROW(force_simd_target("MMX"), Error);
}

INSTANTIATE_TEST_SUITE_P(Simd, EachTarget, testing::ValuesIn(simd_targets()),
                         [](const auto& target) { return target.param; });

}  // namespace
}  // namespace sightline
