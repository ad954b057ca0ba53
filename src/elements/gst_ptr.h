// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Owners of GStreamer's reference-counted things, one line thick.

#pragma once

#include <memory>

#include <gst/gst.h>
#include <gst/video/video.h>

namespace sightline {

struct GstUnref {
  void operator()(GstBuffer* it) const { gst_buffer_unref(it); }
  void operator()(GstCaps* it) const { gst_caps_unref(it); }
  void operator()(GstMemory* it) const { gst_memory_unref(it); }
  void operator()(GstQuery* it) const { gst_query_unref(it); }
  void operator()(GstVideoOverlayComposition* it) const { gst_video_overlay_composition_unref(it); }
  void operator()(GstVideoOverlayRectangle* it) const { gst_video_overlay_rectangle_unref(it); }
};

template <typename T>
using GstPtr = std::unique_ptr<T, GstUnref>;

}  // namespace sightline
