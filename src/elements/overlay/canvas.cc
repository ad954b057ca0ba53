// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/canvas.h"

#include <algorithm>
#include <vector>

#include "elements/overlay/frame_window.h"

namespace sightline {
namespace {

FrameWindow window_around(const PlacedSprite& placed, const GstVideoFrame& whole) {
  const Size size = placed.sprite->size();
  return FrameWindow::around({placed.x, placed.y, placed.x + size.width, placed.y + size.height},
                             whole);
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
  FrameWindow window = window_around(placed, frame);
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
  FrameWindow window = window_around(placed, *frame);
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
