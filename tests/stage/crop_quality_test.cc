// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/crop_quality.h"

#include <cmath>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

// Five points in a crop of 100 × 100, whose landmarks come to the same places of a frame, moved and
// enlarged.
struct Face {
  AlignmentTemplate target =
      AlignmentTemplate::parse("29.5,39.5;69.5,39.5;49.5,59.5;34.5,79.5;64.5,79.5", {100, 100});
  std::vector<Point> landmarks;
  Region region;

  explicit Face(float enlarged) {
    region.to_frame = Affine2{enlarged, 0, 300, 0, enlarged, 200};
    for (const Point p : target.points) landmarks.push_back(region.to_frame(p));
  }
  std::optional<CropQuality> quality(Size tensor) const {
    const double step = 100.0 / tensor.width;
    return alignment_quality(target, landmarks,
                             {region.to_frame * Affine2::scaling(step, step), {}}, tensor);
  }
};

TEST(CropQuality, LandmarksInTheirPlacesHaveNoResidual) {
  const auto quality = Face(3).quality({100, 100});
  ASSERT_TRUE(quality);
  EXPECT_NEAR(quality->residual, 0, 1e-3);  // coordinates of some hundreds, in float
  // One pixel of the frame is a third of a pixel of the crop, half a pixel of one of 150.
  EXPECT_NEAR(quality->magnification, 0.5, 1e-6);
}

TEST(CropQuality, TheResidualIsTheMeanDistanceInACropOf150) {
  Face face(2);
  for (Point& p : face.landmarks) p = {p.x + 6, p.y - 8};  // 10 pixels: 5 of the crop, 7.5 of 150
  for (const Size tensor : {Size{100, 100}, Size{150, 150}, Size{300, 300}})
    EXPECT_NEAR(face.quality(tensor)->residual, 7.5, 1e-3) << tensor.width;
  Face one(2);
  one.landmarks[3].x += 10;  // one in five: the root of the mean of the squares
  EXPECT_NEAR(one.quality({100, 100})->residual, 7.5 / std::sqrt(5.0), 1e-3);
}

TEST(CropQuality, AnotherSetOfLandmarksIsNotJudged) {
  Face face(1);
  face.landmarks.resize(4);
  EXPECT_FALSE(face.quality({100, 100}));
}

TEST(CropQuality, BrightnessIsOfTheInnerTwoThirds) {
  TensorSpec spec;
  spec.size = {12, 6};
  spec.scale = 1 / 64.0f;
  spec.mean = {10, 20, 30};
  spec.deviation = {1, 2, 4};
  for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
    spec.layout = layout;
    std::vector<float> values(3 * 12 * 6);
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < 6; ++y)
        for (int x = 0; x < 12; ++x) {
          const bool inner = x >= 2 && x < 10 && y >= 1 && y < 5;
          const float pixel = inner ? static_cast<float>(60 + 30 * c + (x % 2 == 0 ? 4 : -4)) : 255;
          const auto channel = static_cast<std::size_t>(c);
          const int place = layout == Layout::kNchw ? (c * 6 + y) * 12 + x : (y * 12 + x) * 3 + c;
          values[static_cast<std::size_t>(place)] =
              (pixel - spec.mean[channel]) * spec.scale / spec.deviation[channel];
        }
    const auto found = brightness(spec, std::as_bytes(std::span(values)));
    ASSERT_TRUE(found);
    EXPECT_NEAR(*found, 90, 1e-3);  // the mean of 60, 90 and 120
  }
}

TEST(CropQuality, BrightnessIsNotKnownWherePixelValuesAreNotKept) {
  TensorSpec spec;
  spec.size = {6, 6};
  const std::vector<float> values(3 * 6 * 6, 1);
  const auto known = [&](const TensorSpec& of) {
    return brightness(of, std::as_bytes(std::span(values))).has_value();
  };
  EXPECT_TRUE(known(spec));
  TensorSpec other = spec;
  other.normalization = Normalization::kPerImage;
  EXPECT_FALSE(known(other));
  other = spec;
  other.mean_image.assign(3 * 6 * 6, 0);
  EXPECT_FALSE(known(other));
  other = spec;
  other.type = ElementType::kUint8;
  EXPECT_FALSE(known(other));
}

// A grey frame of 400 × 400 with waves of `period` pixels across.
struct Waves {
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(400 * 400);
  FrameView view;

  Waves(double period, double amplitude) {
    for (std::size_t y = 0; y < 400; ++y)
      for (std::size_t x = 0; x < 400; ++x)
        pixels[y * 400 + x] = static_cast<std::uint8_t>(
            std::lround(128 + amplitude * std::sin(2 * M_PI * static_cast<double>(x) / period)));
    view.format = PixelFormat::kGray8;
    view.range = ColorRange::kFull;
    view.size = {400, 400};
    view.planes[0] = {pixels.data(), 400};
  }
};

TEST(CropQuality, SharpnessIsTheFrequencyOfAWaveWhateverItsContrast) {
  Region region;
  region.to_frame = Affine2{1, 0, 100, 0, 1, 100};
  for (const double period : {10.0, 20.0, 50.0})
    for (const double amplitude : {20.0, 100.0}) {
      const auto found = sharpness(Waves(period, amplitude).view, region, {150, 150});
      ASSERT_TRUE(found);
      // A difference of neighbours is 2 sin(π/n) of the amplitude, not 2π/n; the rest is rounding
      // to whole grey levels.
      EXPECT_NEAR(*found, 2 * std::sin(M_PI / period), 0.02) << period << " " << amplitude;
    }
}

TEST(CropQuality, SharpnessIsOfA150PixelCropWhateverTheTensor) {
  const Waves waves(30, 100);
  for (const int size : {75, 112, 150, 300, 600}) {
    Region region;
    const double step = 150.0 / size;
    region.to_frame = Affine2{step, 0, 100, 0, step, 100};
    const auto found = sharpness(waves.view, region, {size, size});
    ASSERT_TRUE(found);
    EXPECT_NEAR(*found, 2 * M_PI / 30, 0.02) << size;
  }
}

// The tensor's pixels are those of the crop, but for their colours, which are rounded nowhere.
TEST(CropQuality, SharpnessOfATensorIsThatOfItsRegion) {
  const Waves waves(13, 90);
  Region region;
  region.to_frame = Affine2{1.9, 0.4, 60, -0.4, 1.9, 100};
  for (const Channels channels : {Channels::kRgb, Channels::kBgr, Channels::kGray})
    for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
      TensorSpec spec;
      spec.size = {150, 150};
      spec.channels = channels;
      spec.layout = layout;
      spec.filter = Filter::kArea;
      spec.scale = 1 / 256.0f;
      spec.mean = {122, 117, 104};
      spec.deviation = {0.5f, 0.25f, 2};
      std::vector<float> tensor(spec.bytes_per_item() / sizeof(float));
      const auto bytes = std::as_writable_bytes(std::span(tensor));
      preprocess(waves.view, {&region, 1}, spec, bytes);
      const auto found = sharpness(spec, bytes);
      ASSERT_TRUE(found);
      EXPECT_NEAR(*found, *sharpness(waves.view, region, spec.size), 2e-3);
    }
}

TEST(CropQuality, SharpnessOfATensorThatDoesNotKeepPixelsIsNotKnown) {
  TensorSpec spec;
  spec.size = {150, 150};
  spec.filter = Filter::kArea;
  std::vector<float> tensor(spec.bytes_per_item() / sizeof(float));
  const auto bytes = std::as_bytes(std::span(tensor));
  EXPECT_FALSE(sharpness(spec, bytes));  // one colour
  for (std::size_t i = 0; i < tensor.size(); ++i) tensor[i] = static_cast<float>(i % 7) * 30;
  EXPECT_TRUE(sharpness(spec, bytes));
  TensorSpec coarse = spec, per_image = spec, large = spec;
  coarse.filter = Filter::kBilinear;
  per_image.normalization = Normalization::kPerImage;
  large.size = {750, 30};
  for (const TensorSpec& other : {coarse, per_image, large}) EXPECT_FALSE(sharpness(other, bytes));
}

TEST(CropQuality, AnEnlargedCropIsLessSharpAndOneOfOneColourHasNoSharpness) {
  const Waves waves(10, 100);
  Region small, large;
  small.to_frame = Affine2{0.25, 0, 100, 0, 0.25, 100};
  large.to_frame = Affine2{1, 0, 100, 0, 1, 100};
  EXPECT_LT(*sharpness(waves.view, small, {150, 150}),
            0.5f * *sharpness(waves.view, large, {150, 150}));
  EXPECT_FALSE(sharpness(Waves(10, 0).view, large, {150, 150}));
  EXPECT_FALSE(sharpness(waves.view, large, {2, 2}));
}

TEST(CropQuality, ABetterViewWeighsMore) {
  const QualityRule rule{8, 2, 60, 0.1f};
  const CropQuality best{0, 0.5f, 200, 0.5f};
  EXPECT_EQ(rule.weight(best), 1);
  const CropQuality worse[] = {
      {4, 0.5f, 200, 0.5f}, {0, 1.5f, 200, 0.5f}, {0, 0.5f, 80, 0.5f}, {0, 0.5f, 200, 0.2f}};
  const CropQuality refused[] = {
      {9, 0.5f, 200, 0.5f}, {0, 2.5f, 200, 0.5f}, {0, 0.5f, 50, 0.5f}, {0, 0.5f, 200, 0.05f}};
  for (const CropQuality& quality : worse) {
    EXPECT_GT(rule.weight(quality), 0.1f);
    EXPECT_LT(rule.weight(quality), 0.9f);
  }
  for (const CropQuality& quality : refused) EXPECT_EQ(rule.weight(quality), 0);
  EXPECT_FLOAT_EQ(rule.weight({8, 2, 60, 0.1f}), 0.1f);     // all at their limits: still a vote
  EXPECT_EQ(rule.weight({0, 0.5f, 200, std::nullopt}), 1);  // not measured
  const QualityRule none{0, 0, 0, 0};
  EXPECT_GT(none.weight({100, 100, 1, 0.01f}), 0);
}

TEST(CropQuality, TheRuleAcceptsUpToItsLimits) {
  const QualityRule rule{8, 2, 60};
  EXPECT_TRUE(rule.accepts({8, 2, 60}));
  EXPECT_FALSE(rule.accepts({8.1f, 2, 60}));
  EXPECT_FALSE(rule.accepts({8, 2.1f, 60}));
  EXPECT_FALSE(rule.accepts({8, 2, 59.9f}));
  EXPECT_TRUE((QualityRule{0, 0, 0}.accepts({100, 100, 0})));
}

TEST(CropQuality, RidesOnAnObject) {
  const std::unique_ptr<SightFrame, decltype(&sight_frame_unref)> frame(sight_frame_new(10, 10),
                                                                        &sight_frame_unref);
  const SightBox box{1, 1, 2, 2};
  SightObject* object = sight_frame_add_object(frame.get(), "face", 0, 1, &box, 0, nullptr);
  EXPECT_FALSE(find_quality(object));
  set_quality(object, {1.5f, 0.25f, 99});
  const auto found = find_quality(object);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->residual, 1.5f);
  EXPECT_EQ(found->magnification, 0.25f);
  EXPECT_EQ(found->brightness, 99);
  EXPECT_EQ(found->sharpness, std::nullopt);
  set_quality(object, {1.5f, 0.25f, 99, 0.5f});
  EXPECT_EQ(find_quality(object)->sharpness, 0.5f);

  // Another program may have put anything there.
  GValue number = G_VALUE_INIT;
  g_value_init(&number, G_TYPE_INT);
  sight_object_set_user_data(object, "sightline-quality", &number, nullptr);
  EXPECT_FALSE(find_quality(object));
}

}  // namespace
}  // namespace sightline
