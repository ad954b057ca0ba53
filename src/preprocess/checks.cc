// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What comes from outside is looked at before anything is computed of it.

#include <cmath>
#include <string>

#include "core/error.h"
#include "preprocess/job.h"

namespace sightline::sampling {

namespace {

// No sane frame or tensor is wider; byte offsets within a row then fit into 32 bits.
constexpr int kLargestSide = 1 << 20;

bool is_sane(Size size) {
  return size.width > 0 && size.height > 0 && size.width <= kLargestSide &&
         size.height <= kLargestSide;
}

std::string to_string(Size size) {
  return std::to_string(size.width) + "×" + std::to_string(size.height);
}

// Far beyond any frame, and small enough that no coordinate computed from it overflows.
constexpr double kLargestCoordinate = 1e12;

}  // namespace

int plane_count(PixelFormat format) {
  switch (format) {
    case PixelFormat::kNv12:
    case PixelFormat::kNv21:
    case PixelFormat::kP010:
      return 2;
    case PixelFormat::kI420:
    case PixelFormat::kYv12:
    case PixelFormat::kRgbp:
    case PixelFormat::kGbr:
      return 3;
    default:
      return 1;
  }
}

void check(const FrameView& frame) {
  if (!is_sane(frame.size))
    throw Error(ErrorCode::kInput, "a frame of " + to_string(frame.size) +
                                       " pixels cannot be read, expected 1 to " +
                                       std::to_string(kLargestSide) + " each way");
  for (int p = 0; p < plane_count(frame.format); ++p)
    if (frame.planes[static_cast<std::size_t>(p)].data == nullptr)
      throw Error(ErrorCode::kInput, "plane " + std::to_string(p) + " of a frame of format " +
                                         std::string(name_of(frame.format)) + " is missing");
}

void check(const TensorSpec& spec, std::size_t regions, std::size_t bytes) {
  if (!is_sane(spec.size))
    throw Error(ErrorCode::kInput, "a tensor of " + to_string(spec.size) +
                                       " pixels cannot be written, expected 1 to " +
                                       std::to_string(kLargestSide) + " each way");
  if (spec.type != ElementType::kFloat32 && spec.type != ElementType::kFloat16 &&
      spec.type != ElementType::kUint8 && spec.type != ElementType::kInt8)
    throw Error(ErrorCode::kInput, "pixels cannot become a tensor of type " +
                                       std::string(name_of(spec.type)) +
                                       ", expected float32, float16, uint8 or int8");
  const std::size_t values =
      element_count({spec.channel_count(), spec.size.height, spec.size.width});
  if (!spec.mean_image.empty() && spec.mean_image.size() != values)
    throw Error(ErrorCode::kInput, "the mean image has " + std::to_string(spec.mean_image.size()) +
                                       " values, expected " + std::to_string(values));
  const std::size_t expected = element_count(
      {static_cast<std::int64_t>(regions), static_cast<std::int64_t>(spec.bytes_per_item())});
  if (bytes != expected)
    throw Error(ErrorCode::kInput, "the memory for " + std::to_string(regions) +
                                       " input tensors has " + std::to_string(bytes) +
                                       " bytes, expected " + std::to_string(expected));
}

void check(const Region& region, std::size_t index) {
  const Affine2& map = region.to_frame;
  const Rect content = region.content.value_or(Rect{});
  for (const double number :
       {map.xx, map.xy, map.x0, map.yx, map.yy, map.y0, static_cast<double>(content.x),
        static_cast<double>(content.y), static_cast<double>(content.width),
        static_cast<double>(content.height)})
    if (!(std::abs(number) <= kLargestCoordinate))
      throw Error(ErrorCode::kInput,
                  "region " + std::to_string(index) +
                      " is not finite, or beyond any frame: it holds the number " +
                      std::to_string(number));
}

}  // namespace sightline::sampling
