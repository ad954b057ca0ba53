// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/frame_window.h"

#include <algorithm>

namespace sightline {
namespace {

constexpr int kAlign = 4;  // pixels; no format in the element's caps shares chroma among more

// Whether a pixel's samples stand at a place that its coordinates give.
bool can_be_windowed(const GstVideoFormatInfo* format) {
  constexpr int kOdd =
      GST_VIDEO_FORMAT_FLAG_COMPLEX | GST_VIDEO_FORMAT_FLAG_TILED | GST_VIDEO_FORMAT_FLAG_PALETTE;
  return (format->flags & kOdd) == 0 &&
         std::all_of(format->pixel_stride, format->pixel_stride + format->n_components,
                     [](gint stride) { return stride > 0; });
}

}  // namespace

PixelBounds without_shared_chroma(const PixelBounds& box, int width, int height) {
  const auto round_up = [](int position) { return (position + kAlign - 1) / kAlign * kAlign; };
  return {std::max(box.left, 0) / kAlign * kAlign, std::max(box.top, 0) / kAlign * kAlign,
          std::min(width, round_up(box.right)), std::min(height, round_up(box.bottom))};
}

FrameWindow FrameWindow::around(const PixelBounds& box, const GstVideoFrame& whole) {
  FrameWindow window{whole};
  const GstVideoFormatInfo* format = whole.info.finfo;
  if (!can_be_windowed(format)) return window;

  const PixelBounds part = without_shared_chroma(box, whole.info.width, whole.info.height);
  window.x = part.left;
  window.y = part.top;
  window.frame.info.width = part.right - part.left;
  window.frame.info.height = part.bottom - part.top;
  for (guint c = 0; c < format->n_components; ++c) {
    const guint plane = format->plane[c];
    window.frame.data[plane] =
        static_cast<guint8*>(whole.data[plane]) +
        static_cast<gssize>(window.y >> format->h_sub[c]) * whole.info.stride[plane] +
        static_cast<gssize>(window.x >> format->w_sub[c]) * format->pixel_stride[c];
  }
  return window;
}

}  // namespace sightline
