// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A GstBuffer as the preprocess room sees it.

#pragma once

#include <gst/video/video.h>

#include "preprocess/frame_view.h"

namespace sightline {

// "{ NV12, NV21, … }": the formats that can be mapped on the host, for caps.
std::string supported_formats();

enum class MapFor {
  kHost,         // to read pixels on the CPU
  kDevice,       // to read them on the GPU that they are on
  kDeviceWrite,  // to change them there; the buffer must be writable
};

// Maps the pixels of a buffer, without a copy; strides and offsets are those of its GstVideoMeta.
// Unmaps when destroyed; the buffer has to last as long. What is mapped for a device may still be
// being written: see wait_for_writer().
//
// Throws Error(kInput) if the format is none of supported_formats() or cuda_formats(), the buffer
// is smaller than its format says, or it is to be mapped for a device and is not in CUDA memory.
class MappedFrame {
 public:
  MappedFrame(GstBuffer* buffer, const GstVideoInfo& info, MapFor use = MapFor::kHost);
  ~MappedFrame();
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  const FrameView& view() const { return view_; }
  GstBuffer* buffer() const { return frame_.buffer; }

 private:
  GstVideoFrame frame_;
  FrameView view_;
};

}  // namespace sightline
