// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a region's footprint leaves out is never read: it may hold anything.

#include "preprocess/footprint.h"

#include <cmath>

#include <gtest/gtest.h>

#include "noisy_frame.h"

namespace sightline::sampling {
namespace {

class FootprintTest : public testing::Test {
 protected:
  double uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  int integer(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  Region random_region(Size frame, Size tensor) {
    const double scale = std::exp(uniform(-2, 3.5)),
                 angle = integer(0, 2) == 0 ? 0 : uniform(0, 6.3);
    const Affine2 turn{scale * std::cos(angle), -scale * std::sin(angle), 0,
                       scale * std::sin(angle), scale * std::cos(angle),  0};
    return {
        Affine2::translation(uniform(-0.2, 1.2) * frame.width, uniform(-0.2, 1.2) * frame.height) *
            turn * Affine2::translation(-tensor.width / 2.0, -tensor.height / 2.0),
        std::nullopt};
  }

  // Overwrites all samples but those in the box.
  void spoil(const Job& job, const PixelBox& box) {
    for (int p = 0; p < job.source.plane_count; ++p) {
      const SamplePlane& plane = job.source.planes[static_cast<std::size_t>(p)];
      const PixelBox kept = samples_of(plane, box);
      for (int y = 0; y < plane.size.height; ++y)
        for (int x = 0; x < plane.size.width; ++x) {
          const bool inside = y >= kept.rows.begin && y < kept.rows.end &&
                              x >= kept.columns.begin && x < kept.columns.end;
          auto* const at = const_cast<std::uint8_t*>(plane.row(y)) + x * plane.step;
          for (int c = 0; c < plane.channels && !inside; ++c)
            at[plane.offset[static_cast<std::size_t>(c)]] = static_cast<std::uint8_t>(random_());
        }
    }
  }

  std::mt19937 random_{7};
};

TEST_F(FootprintTest, WhatIsOutsideIsNeverRead) {
  int smaller = 0;
  for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kArea})
    for (const PixelFormat format : kPixelFormats)
      for (int round = 0; round < 25; ++round) {
        const NoisyFrame frame(format, {integer(1, 300), integer(1, 200)}, random_);
        TensorSpec spec;
        spec.size = {integer(1, 24), integer(1, 16)};
        spec.filter = filter;
        const Region region = random_region(frame.view.size, spec.size);
        std::vector<std::byte> whole(spec.bytes_per_item()), spoilt(whole.size());
        preprocess(frame.view, {&region, 1}, spec, whole);

        const Job job = make_job(frame.view, region, spec, nullptr);
        const PixelBox box = footprint(job);
        spoil(job, box);
        preprocess(frame.view, {&region, 1}, spec, spoilt);
        ASSERT_TRUE(whole == spoilt) << name_of(format) << " filter " << static_cast<int>(filter);
        smaller += box.area() < frame.view.size.width * frame.view.size.height / 2;
      }
  EXPECT_GT(smaller, 300);  // of 1,200: regions that show part of a frame need part of it
}

TEST_F(FootprintTest, HoldsWholeSamplesOfChroma) {
  const NoisyFrame frame(PixelFormat::kNv12, {101, 75}, random_);
  TensorSpec spec;
  spec.size = {20, 20};
  for (int round = 0; round < 100; ++round) {
    const PixelBox box =
        footprint(make_job(frame.view, random_region(frame.view.size, spec.size), spec, nullptr));
    if (box.empty()) continue;
    EXPECT_EQ(box.columns.begin % 2, 0);
    EXPECT_EQ(box.rows.begin % 2, 0);
    EXPECT_TRUE(box.columns.end % 2 == 0 || box.columns.end == 101);
    EXPECT_TRUE(box.rows.end % 2 == 0 || box.rows.end == 75);
    EXPECT_GE(box.columns.begin, 0);
    EXPECT_LE(box.columns.end, 101);
    EXPECT_GE(box.rows.begin, 0);
    EXPECT_LE(box.rows.end, 75);
  }
}

TEST_F(FootprintTest, ARegionBesideTheFrameNeedsNothing) {
  const NoisyFrame frame(PixelFormat::kRgb, {100, 80}, random_);
  TensorSpec spec;
  spec.size = {10, 10};
  const Region beside = Region::box({500, 10, 40, 40}, spec.size);
  EXPECT_TRUE(footprint(make_job(frame.view, beside, spec, nullptr)).empty());
  EXPECT_EQ(footprint(make_job(frame.view, beside, spec, nullptr)).area(), 0);
}

}  // namespace
}  // namespace sightline::sampling
