// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A GstBuffer as the preprocess room sees it.

#pragma once

#include <gst/video/video.h>

#include "preprocess/frame_view.h"

namespace sightline {

// "{ NV12, NV21, … }": the formats that can be mapped, for caps.
std::string supported_formats();

// Maps the pixels of a buffer for reading, without a copy; strides and offsets are those of its
// GstVideoMeta. Unmaps and lets go of the buffer when destroyed. Throws Error(kInput) if the format
// is none of supported_formats(), or the buffer is smaller than its format says.
class MappedFrame {
 public:
  MappedFrame(GstBuffer* buffer, const GstVideoInfo& info);
  ~MappedFrame();
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  const FrameView& view() const { return view_; }

 private:
  GstVideoFrame frame_;
  FrameView view_;
};

}  // namespace sightline
