// SPDX-License-Identifier: LGPL-2.1-or-later
//
// preprocess() on a GPU: a whole batch of regions, of any frames, becomes the network's input
// tensor in one launch.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/cuda.h"
#include "preprocess/frame_view.h"
#include "preprocess/job.h"
#include "preprocess/preprocess.h"
#include "preprocess/region.h"

namespace sightline::cuda {

struct Batch;
class FrameUpload;

// What is read here: as on the CPU, and P010.
std::vector<PixelFormat> pixel_formats();

// A region and the frame that it is of, in device memory or on the host.
struct FrameRegion {
  FrameView frame;
  Region region;
};

// Throws what BatchPreprocessor::run() would, but for errors of its output.
void check(const FrameRegion& region);

// Results are those of preprocess(), but for rounding: within 1/256 of a pixel value of 0…255 of
// the exact ones, where preprocess() is within 1/8. Which samples are padding and, for
// Filter::kNearest, which pixel is taken, are equal.
class BatchPreprocessor {
 public:
  // Throws Error(kDevice) if the kernels do not load on this device.
  BatchPreprocessor(DevicePtr device, TensorSpec spec);
  BatchPreprocessor(const BatchPreprocessor&) = delete;
  BatchPreprocessor& operator=(const BatchPreprocessor&) = delete;
  ~BatchPreprocessor();

  const TensorSpec& spec() const { return spec_; }

  // Puts work into `stream` that writes regions[i] to item i of `output`, which holds
  // regions.size() × spec().bytes_per_item() bytes; never waits for it. Frames in device memory and
  // output must last until it is done. One launch for each 64 regions (8 if built with a CUDA
  // before 12.1), and as many more for Normalization::kPerImage, which has to see a tensor before
  // it writes it. Of frames on the host the pixels that are needed are copied to the device before,
  // each once, and the frames are done with when this returns. One thread and one stream at a time.
  //
  // Throws Error(kInput) as preprocess() does, or if the words of a P010 frame are not aligned.
  void run(std::span<const FrameRegion> regions, Address output, std::size_t output_bytes,
           const Stream& stream);

 private:
  void launch_all(const Stream& stream);

  const DevicePtr device_;
  const TensorSpec spec_;
  const std::shared_ptr<const Module> kernels_;
  CUfunc_st* const kernel_;
  const std::unique_ptr<Batch> batch_;   // what a launch copies
  std::unique_ptr<FrameUpload> upload_;  // if there was anything to
  std::vector<sampling::Job> jobs_;      // of the last run
  DeviceMemory mean_image_;
  DeviceMemory moments_;
};

}  // namespace sightline::cuda
