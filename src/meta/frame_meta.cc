// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A frame on a buffer: how it gets there, how it is copied with the buffer, how it follows the
// picture when that is scaled.

#include "meta/frame_meta.h"

#include <cmath>
#include <string>

#include <gst/video/video.h>

#include "meta/error.h"
#include "meta/frame.h"
#include "meta/handles.h"

GST_DEBUG_CATEGORY_STATIC(sightline_meta_debug);
#define GST_CAT_DEFAULT sightline_meta_debug

struct _SightFrameMeta {
  GstMeta meta;
  SightFrame* frame;  // owned
};

using sightline::FrameHandle;
using sightline::PictureSize;

namespace {

SightFrameMeta* find_meta(GstBuffer* buffer) {
  return reinterpret_cast<SightFrameMeta*>(
      gst_buffer_get_meta(buffer, sight_frame_meta_api_get_type()));
}

// `buffer` is writable.
SightFrameMeta* add_meta(GstBuffer* buffer, FrameHandle frame) {
  auto* meta = reinterpret_cast<SightFrameMeta*>(
      gst_buffer_add_meta(buffer, sight_frame_meta_get_info(), nullptr));
  meta->frame = frame.release();
  return meta;
}

void replace_frame(SightFrameMeta* meta, FrameHandle frame) {
  FrameHandle::adopt(meta->frame);  // dropped here
  meta->frame = frame.release();
}

gboolean init(GstMeta* meta, gpointer /*params*/, GstBuffer* /*buffer*/) {
  reinterpret_cast<SightFrameMeta*>(meta)->frame = nullptr;
  return TRUE;
}

void free_frame(GstMeta* meta, GstBuffer* /*buffer*/) {
  if (SightFrame* frame = reinterpret_cast<SightFrameMeta*>(meta)->frame) sight_frame_unref(frame);
}

PictureSize size_of(const GstVideoInfo& info) {
  return {static_cast<guint>(GST_VIDEO_INFO_WIDTH(&info)),
          static_cast<guint>(GST_VIDEO_INFO_HEIGHT(&info))};
}

// Whether the picture still fills the frame after scaling from `in` to `out`. Where the display
// aspect ratio changes, the scaler either adds borders or distorts, and does not tell metas which;
// borders of up to a pixel are its rounding.
bool fills_frame(const GstVideoInfo& in, const GstVideoInfo& out) {
  const double in_ratio = static_cast<double>(in.width) * in.par_n * out.par_d;
  const double out_ratio = static_cast<double>(in.height) * in.par_d * out.par_n;
  if (!(in_ratio > 0 && out_ratio > 0)) return false;
  const double pixels_ratio = in_ratio / out_ratio;  // width / height that `out` would need
  return std::abs(out.width / pixels_ratio - out.height) <= 1 ||
         std::abs(out.height * pixels_ratio - out.width) <= 1;
}

// The frame as it is on the scaled picture; empty if that cannot be known.
FrameHandle scaled(SightFrame* frame, const GstVideoMetaTransform& change) {
  const PictureSize from = size_of(*change.in_info), to = size_of(*change.out_info);
  if (from.width == 0 || from.height == 0 || to.width == 0 || to.height == 0) return {};
  if (from.width == to.width && from.height == to.height) return FrameHandle::share(frame);
  if (!fills_frame(*change.in_info, *change.out_info)) {
    GST_WARNING(
        "dropping %u objects: scaling %ux%u to %ux%u changes the aspect ratio, and "
        "the scaler does not say whether it added borders",
        sight_frame_get_n_objects(frame), from.width, from.height, to.width, to.height);
    return {};
  }
  return sightline::scale_frame(*frame, from, to);
}

// What copies of a buffer and changes of its picture do to the frame. A part of a buffer (a region
// copy) keeps it, as regions of interest are kept; what else may happen to a picture is not known
// to leave coordinates valid, so nothing is carried over.
gboolean transform(GstBuffer* target, GstMeta* meta, GstBuffer* /*source*/, GQuark type,
                   gpointer data) {
  SightFrame* frame = reinterpret_cast<SightFrameMeta*>(meta)->frame;
  FrameHandle carried;
  if (GST_META_TRANSFORM_IS_COPY(type))
    carried = FrameHandle::share(frame);
  else if (GST_VIDEO_META_TRANSFORM_IS_SCALE(type) && data != nullptr)
    carried = scaled(frame, *static_cast<GstVideoMetaTransform*>(data));
  if (!carried) return FALSE;

  sight_frame_seal(frame);
  if (find_meta(target) == nullptr) add_meta(target, std::move(carried));
  return TRUE;
}

// A new frame for `buffer`.
FrameHandle make_frame(GstBuffer* buffer) {
  const GstVideoMeta* video = gst_buffer_get_video_meta(buffer);
  return FrameHandle::adopt(video != nullptr ? sight_frame_new(video->width, video->height)
                                             : sight_frame_new(0, 0));
}

}  // namespace

namespace sightline {

const SightFrame* peek_frame(GstBuffer* buffer) {
  const SightFrameMeta* meta = find_meta(buffer);
  return meta != nullptr ? meta->frame : nullptr;
}

SightFrame& edit_frame(GstBuffer* buffer) {
  if (!gst_buffer_is_writable(buffer))
    throw Error(
        ErrorCode::kReadOnly,
        "the buffer has " + std::to_string(GST_MINI_OBJECT_REFCOUNT_VALUE(buffer)) +
            " owners, so results cannot be added to it; call gst_buffer_make_writable() first, or "
            "add them in an element (in a Python pad probe a buffer is never writable)");
  SightFrameMeta* meta = find_meta(buffer);
  if (meta == nullptr)
    meta = add_meta(buffer, make_frame(buffer));
  else if (meta->frame->token->sealed())
    replace_frame(meta, copy_frame(*meta->frame));
  return *meta->frame;
}

}  // namespace sightline

GType sight_frame_meta_api_get_type(void) {
  static const GType type = [] {
    const gchar* tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_SIZE_STR,
                           GST_META_TAG_VIDEO_ORIENTATION_STR, nullptr};
    return gst_meta_api_type_register("SightFrameMetaAPI", tags);
  }();
  return type;
}

const GstMetaInfo* sight_frame_meta_get_info(void) {
  static const GstMetaInfo* const info = [] {
    GST_DEBUG_CATEGORY_INIT(sightline_meta_debug, "sightline-meta", 0, "results on buffers");
    return gst_meta_register(sight_frame_meta_api_get_type(), "SightFrameMeta",
                             sizeof(SightFrameMeta), init, free_frame, transform);
  }();
  return info;
}

SightFrame* sight_buffer_get_frame(GstBuffer* buffer) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  const SightFrameMeta* meta = find_meta(buffer);
  if (meta == nullptr) return nullptr;
  sight_frame_seal(meta->frame);
  return meta->frame;
}

SightFrame* sight_buffer_edit_frame(GstBuffer* buffer, GError** error) {
  g_return_val_if_fail(GST_IS_BUFFER(buffer), nullptr);
  return sightline::catch_gerror(error, [&] { return &sightline::edit_frame(buffer); });
}
