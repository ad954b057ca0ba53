// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/canvas.h"

#include <algorithm>
#include <vector>

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

// Four components of 8 bits: then an alpha of 255 leaves nothing of what is below. (To deeper
// formats GStreamer widens 255 to 65280, which lets a little through.)
bool unpacks_to_bytes(const GstVideoFormatInfo* format) {
  return format->unpack_format == GST_VIDEO_FORMAT_AYUV ||
         format->unpack_format == GST_VIDEO_FORMAT_ARGB;
}

// What blending does with an opaque sprite, without its arithmetic: the sprite's pixels take the
// place of the frame's. Neighbours that share chroma with them go through unpacked and packed
// again.
void replace(const PlacedSprite& placed, const GstVideoFrame& frame) {
  Window window = window_around(placed, frame);
  const GstVideoInfo& info = window.frame.info;
  const Size size = placed.sprite->size();
  const guint8* pixels = placed.sprite->converted(info.finfo->unpack_format);
  const int left = std::max(placed.x, 0), right = std::min(placed.x + size.width, frame.info.width);
  const int bottom = std::min(placed.y + size.height, frame.info.height);
  constexpr int kSlack = 8;  // pixels that a pack function may read beyond the line
  std::vector<guint8> line(std::size_t{4} * static_cast<std::size_t>(info.width + kSlack));
  for (int y = std::max(placed.y, 0); y < bottom; ++y) {
    info.finfo->unpack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE, line.data(), window.frame.data,
                            info.stride, 0, y - window.y, info.width);
    const guint8* from = pixels + gssize{4} * (gssize{y - placed.y} * size.width + left - placed.x);
    std::copy_n(from, gssize{4} * (right - left), line.data() + gssize{4} * (left - window.x));
    info.finfo->pack_func(info.finfo, GST_VIDEO_PACK_FLAG_NONE, line.data(), 0, window.frame.data,
                          info.stride, info.chroma_site, y - window.y, info.width);
  }
}

bool blend_one(const PlacedSprite& placed, GstVideoFrame* frame) {
  if (placed.sprite->opaque() && unpacks_to_bytes(frame->info.finfo)) {
    replace(placed, *frame);
    return true;
  }
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
