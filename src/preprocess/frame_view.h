// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The pixels of a frame as they lie in memory: no GStreamer here, and nothing is owned.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/geometry.h"
#include "core/tensor.h"

namespace sightline {

enum class PixelFormat {
  kNv12,
  kNv21,
  kI420,
  kYv12,
  kYuy2,
  kUyvy,
  kRgb,
  kBgr,
  kRgba,
  kBgra,
  kRgbx,
  kBgrx,
  kArgb,
  kGray8,
  kRgbp,
  kGbr,
  kP010
};

// Those that preprocess() reads. P010 is read on a GPU only.
inline constexpr std::array kPixelFormats = {
    PixelFormat::kNv12, PixelFormat::kNv21,  PixelFormat::kI420, PixelFormat::kYv12,
    PixelFormat::kYuy2, PixelFormat::kUyvy,  PixelFormat::kRgb,  PixelFormat::kBgr,
    PixelFormat::kRgba, PixelFormat::kBgra,  PixelFormat::kRgbx, PixelFormat::kBgrx,
    PixelFormat::kArgb, PixelFormat::kGray8, PixelFormat::kRgbp, PixelFormat::kGbr};

std::string_view name_of(PixelFormat format);  // GStreamer's names: "NV12", …

enum class ColorMatrix { kBt601, kBt709, kBt2020 };
enum class ColorRange { kLimited, kFull };

// Where a chroma sample sits among its luma samples. MPEG-2's 4:2:0 (GStreamer's default for video)
// is cosited horizontally and centred vertically; JPEG is centred in both.
struct ChromaSite {
  bool horizontally_cosited = true;
  bool vertically_cosited = false;

  friend bool operator==(const ChromaSite&, const ChromaSite&) = default;
};

struct Plane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;  // bytes from one row to the next; may be negative
};

// Planes in the order of the format's name: NV12 Y, UV; NV21 Y, VU; I420 Y, U, V; YV12 Y, V, U;
// RGBP R, G, B; GBR G, B, R; P010 Y, UV, as little-endian 16-bit words with the 10 bits on top;
// packed formats have one. Chroma planes of odd sizes are rounded up. `matrix`, `range` and `site`
// matter to the YUV formats (and `range` to GRAY8, whose limited range is expanded). In
// MemoryKind::kCuda, `planes` are addresses on the device, for who works there.
struct FrameView {
  PixelFormat format = PixelFormat::kNv12;
  Size size;
  std::array<Plane, 3> planes;
  ColorMatrix matrix = ColorMatrix::kBt709;
  ColorRange range = ColorRange::kLimited;
  ChromaSite site;
  MemoryKind memory = MemoryKind::kHost;
};

}  // namespace sightline
