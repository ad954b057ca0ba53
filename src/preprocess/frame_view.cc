// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/frame_view.h"

#include <array>

namespace sightline {

std::string_view name_of(PixelFormat format) {
  constexpr std::array<std::string_view, 17> kNames = {
      "NV12", "NV21", "I420", "YV12", "YUY2",  "UYVY", "RGB", "BGR",      "RGBA",
      "BGRA", "RGBx", "BGRx", "ARGB", "GRAY8", "RGBP", "GBR", "P010_10LE"};
  return kNames.at(static_cast<std::size_t>(format));
}

}  // namespace sightline
