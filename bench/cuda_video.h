// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Frames that lie in CUDA memory, so that no decoder is measured with what reads them.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "memory_stream.h"
#include "stage/gst_cuda.h"

namespace sightline::bench {

// The frames of MemoryVideo in the memory of a GPU. Each has so many faces on it, as a detector and
// a landmark network leave them, spread over the picture.
class CudaVideo {
 public:
  // Throws std::exception where there is no such GPU or no GStreamer library for CUDA.
  CudaVideo(int gpu, int faces);
  ~CudaVideo();

  Frames frames() const;

 private:
  const std::shared_ptr<const GpuContext> context_;
  GstBufferPool* pool_ = nullptr;
  std::vector<Ptr<GstBuffer>> frames_;
};

}  // namespace sightline::bench
