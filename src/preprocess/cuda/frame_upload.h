// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pixels of frames on the host, for kernels: what a batch's regions need of them is copied to the
// device, each pixel once, in one copy.

#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/cuda.h"
#include "preprocess/footprint.h"
#include "preprocess/job.h"

namespace sightline::cuda {

class FrameUpload {
 public:
  explicit FrameUpload(DevicePtr device) : device_(std::move(device)), uploaded_(device_) {}

  // Has the planes of those jobs whose frames are on the host, by `on_host`, point into device
  // memory, which holds what they read when what is put into `stream` afterwards is executed. The
  // frames are done with when this returns. Memory is used again by the next call, so that all
  // calls must be for one stream.
  void run(std::span<sampling::Job> jobs, const std::vector<bool>& on_host, const Stream& stream);

 private:
  // Pixels of one frame that are copied together.
  struct Part {
    sampling::PixelBox pixels;
    std::vector<sampling::Job*> jobs;
  };
  // Where the pixels of a plane are to lie.
  struct Place {
    std::size_t offset, stride;
    std::size_t row_bytes;  // of a row that are copied; 0: the bytes are those of the plane before
  };

  static void add(std::vector<Part>& parts, sampling::Job& job);
  static std::vector<Place> lay_out(const Part& part, std::size_t& bytes);
  void reserve(std::size_t bytes);
  void stage(const Part& part, const std::vector<Place>& places) const;
  void redirect(const Part& part, const std::vector<Place>& places) const;

  const DevicePtr device_;
  Event uploaded_;  // the last copy
  PinnedMemory staged_;
  DeviceMemory pixels_;
};

}  // namespace sightline::cuda
