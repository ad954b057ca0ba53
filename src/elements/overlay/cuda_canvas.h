// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sprites onto frames in CUDA memory, where they lie.

#pragma once

#include <memory>

#include <gst/video/video.h>

#include "elements/overlay/sprite.h"

namespace sightline {

// For one thread at a time, and the sprites of one painter.
class CudaCanvas {
 public:
  // Null in builds without CUDA. Throws Error(kDevice) if there is no such GPU.
  static std::unique_ptr<CudaCanvas> open(int gpu);
  virtual ~CudaCanvas() = default;

  virtual int gpu() const = 0;

  // Lays `sprites`, each of which is in the frame at least with one pixel, over the pixels of
  // `buffer`, which is writable, and waits for it. They look as blend() has them, but for the last
  // bits of what is translucent. Throws Error(kInput).
  virtual void draw(const Sprites& sprites, const GstVideoInfo& info, GstBuffer* buffer) = 0;
};

// "{ NV12, RGBA, BGRA }": what can be drawn on in CUDA memory, for caps; empty in builds without
// CUDA.
const char* cuda_drawing_formats();

}  // namespace sightline
