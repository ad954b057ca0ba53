// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A second opinion, where OpenCV does the same thing: its 8-bit results are rounded, and its warps
// know positions to 1/32 pixel only, which is why noise would be no fair picture for them.

#include <cmath>
#include <random>

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "preprocess/preprocess.h"

namespace sightline {
namespace {

FrameView view_of(const cv::Mat& rgb) {
  FrameView view;
  view.format = PixelFormat::kRgb;
  view.size = {rgb.cols, rgb.rows};
  view.planes[0] = {rgb.data, static_cast<std::ptrdiff_t>(rgb.step)};
  return view;
}

cv::Mat ours(const cv::Mat& rgb, const Region& region, Size size, Filter filter) {
  TensorSpec spec;
  spec.size = size;
  spec.layout = Layout::kNhwc;
  spec.filter = filter;
  cv::Mat tensor(size.height, size.width, CV_32FC3);
  preprocess(view_of(rgb), std::span(&region, 1), spec,
             {reinterpret_cast<std::byte*>(tensor.data), spec.bytes_per_item()});
  return tensor;
}

double largest_difference(const cv::Mat& a, const cv::Mat& b) {
  cv::Mat b_float;
  b.convertTo(b_float, CV_32FC3);
  return cv::norm(a, b_float, cv::NORM_INF);
}

cv::Mat noise(int width, int height) {
  cv::Mat picture(height, width, CV_8UC3);
  cv::randu(picture, 0, 256);
  return picture;
}

TEST(OpenCv, ResizesAsWeDo) {
  const cv::Mat picture = noise(173, 97);
  for (const Size size : {Size{64, 48}, Size{173, 97}, Size{300, 200}}) {
    const Region region = Region::frame({173, 97}, size, Placement::kStretch);
    cv::Mat theirs;
    cv::resize(picture, theirs, {size.width, size.height}, 0, 0, cv::INTER_LINEAR);
    EXPECT_LE(largest_difference(ours(picture, region, size, Filter::kBilinear), theirs), 1.6);
  }
}

TEST(OpenCv, AveragesAreasAsWeDo) {
  const cv::Mat picture = noise(173, 97);
  const Region region = Region::frame({173, 97}, {31, 22}, Placement::kStretch);
  cv::Mat theirs;
  cv::resize(picture, theirs, {31, 22}, 0, 0, cv::INTER_AREA);
  EXPECT_LE(largest_difference(ours(picture, region, {31, 22}, Filter::kArea), theirs), 0.6);
}

TEST(OpenCv, WarpsAsWeDo) {
  cv::Mat picture;
  cv::GaussianBlur(noise(200, 160), picture, {0, 0}, 3);  // neighbours differ by 10 or so
  const Region region{{0.8, -0.4, 60, 0.4, 0.8, 20}, std::nullopt};
  const Affine2& map = region.to_frame;
  // OpenCV's pixel centres are whole numbers.
  const cv::Matx23d to_frame(map.xx, map.xy, map.x0 + 0.5 * (map.xx + map.xy) - 0.5,  //
                             map.yx, map.yy, map.y0 + 0.5 * (map.yx + map.yy) - 0.5);
  cv::Mat theirs;
  cv::warpAffine(picture, theirs, to_frame, {112, 112}, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP);
  EXPECT_LE(largest_difference(ours(picture, region, {112, 112}, Filter::kBilinear), theirs), 1.5);
}

}  // namespace
}  // namespace sightline
