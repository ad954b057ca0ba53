// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Frames in CUDA memory, from a pool of GStreamer's.

#pragma once

#include <memory>
#include <string>

#include <gst/gst.h>
#include <gst/video/video.h>

#include "preprocess/frame_view.h"
#include "stage/gst_cuda.h"

namespace sightline::testing {

class CudaPool {
 public:
  // In the context that networks on the first GPU use. `most` buffers, 0: any number.
  CudaPool(const std::string& format, int width, int height, unsigned most = 0);
  ~CudaPool();
  CudaPool(const CudaPool&) = delete;
  CudaPool& operator=(const CudaPool&) = delete;

  // Whether GStreamer has such frames in CUDA memory: where not, it aborts.
  static bool may_hold(PixelFormat format);
  bool is_there() const { return pool_ != nullptr; }

  GstCaps* caps() const { return caps_; }  // with the feature
  const GstVideoInfo& info() const { return info_; }

  // A buffer with the pixels of `host`, which is in system memory. Null: all are out.
  GstBuffer* copy_of(GstBuffer* host) const;
  GstBuffer* take() const;  // one whose pixels are whatever they were
  // Whether the pixels can be written, which is to say that nobody has them mapped.
  bool is_unmapped(GstBuffer* buffer) const;

 private:
  std::shared_ptr<const GpuContext> context_;
  GstVideoInfo info_{};
  GstCaps* caps_ = nullptr;
  GstBufferPool* pool_ = nullptr;
};

}  // namespace sightline::testing
