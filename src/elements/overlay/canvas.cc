// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/canvas.h"

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

// The part of a frame around a sprite, as a frame of its own over the same pixels.
//
// GStreamer's blending converts whole lines of its destination, also for a bar of three pixels.
// Shown no more than this window, its cost is the area of the sprite.
struct Window {
  GstVideoFrame frame;
  int x = 0;
  int y = 0;
};

Window window_around(const PlacedSprite& placed, const GstVideoFrame& whole) {
  Window window{whole};
  const GstVideoFormatInfo* format = whole.info.finfo;
  if (!can_be_windowed(format)) return window;

  const Size size = placed.sprite->size();
  const auto round_up = [](int position) { return (position + kAlign - 1) / kAlign * kAlign; };
  const int right = std::min(whole.info.width, round_up(placed.x + size.width));
  const int bottom = std::min(whole.info.height, round_up(placed.y + size.height));
  window.x = std::max(placed.x, 0) / kAlign * kAlign;
  window.y = std::max(placed.y, 0) / kAlign * kAlign;
  window.frame.info.width = right - window.x;
  window.frame.info.height = bottom - window.y;
  for (guint c = 0; c < format->n_components; ++c) {
    const guint plane = format->plane[c];
    window.frame.data[plane] =
        static_cast<guint8*>(whole.data[plane]) +
        static_cast<gssize>(window.y >> format->h_sub[c]) * whole.info.stride[plane] +
        static_cast<gssize>(window.x >> format->w_sub[c]) * format->pixel_stride[c];
  }
  return window;
}

bool blend_one(const PlacedSprite& placed, GstVideoFrame* frame) {
  Window window = window_around(placed, *frame);
  const GstPtr<GstVideoOverlayRectangle> rectangle =
      placed.sprite->new_rectangle(placed.x - window.x, placed.y - window.y);
  const GstPtr<GstVideoOverlayComposition> composition(
      gst_video_overlay_composition_new(rectangle.get()));
  return gst_video_overlay_composition_blend(composition.get(), &window.frame);
}

}  // namespace

bool blend(const Sprites& sprites, GstVideoFrame* frame) {
  return std::all_of(sprites.begin(), sprites.end(),
                     [&](const PlacedSprite& placed) { return blend_one(placed, frame); });
}

void attach(const Sprites& sprites, GstBuffer* buffer) {
  GstVideoOverlayCompositionMeta* meta = gst_buffer_get_video_overlay_composition_meta(buffer);
  // Sinks look at one composition only, so ours joins what an element before us attached.
  GstPtr<GstVideoOverlayComposition> composition(
      meta != nullptr ? gst_video_overlay_composition_copy(meta->overlay)
                      : gst_video_overlay_composition_new(nullptr));
  for (const PlacedSprite& placed : sprites)
    gst_video_overlay_composition_add_rectangle(composition.get(),
                                                placed.sprite->rectangle_at(placed.x, placed.y));
  if (meta != nullptr) gst_buffer_remove_video_overlay_composition_meta(buffer, meta);
  gst_buffer_add_video_overlay_composition_meta(buffer, composition.get());
}

}  // namespace sightline
