// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Regions of one frame as a tensor, for networks that are not ours: on the GPU for frames in CUDA
// memory, else on the host.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "core/tensor.h"
#include "preprocess/preprocess.h"
#include "stage/mapped_frame.h"

namespace sightline {

class FrameTensors {
 public:
  explicit FrameTensors(const TensorSpec& spec) : spec_(spec) {}

  // How a buffer has to be mapped. Any number of threads may call these.
  static MapFor map_for(GstBuffer* buffer);
  // [channels, height, width] or [height, width, channels], written when this returns. Throws
  // Error(kInput) as preprocess() does, Error(kDevice), Error(kFailed).
  Tensor make(const MappedFrame& frame, const Region& region) const;
  // Likewise, with the number of regions as the first dimension; there may be none.
  Tensor make_batch(const MappedFrame& frame, std::span<const Region> regions) const;

 private:
  class OnGpu;

  Tensor on_host(const MappedFrame& frame, std::span<const Region> regions) const;
  Tensor on_gpu(const MappedFrame& frame, std::span<const Region> regions) const;

  const TensorSpec spec_;
  mutable std::mutex mutex_;
  mutable std::map<int, std::shared_ptr<OnGpu>> gpus_;  // those that frames were on
};

}  // namespace sightline
