// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Screening (screening.h) on a GPU: the hits of a batch, found where its outputs lie.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/cuda.h"
#include "core/tensor.h"
#include "postprocess/screening.h"

namespace sightline::cuda {

class Screener {
 public:
  // Throws Error(kDevice) if the kernel does not load on this device.
  Screener(DevicePtr device, Screening screening);
  Screener(const Screener&) = delete;
  Screener& operator=(const Screener&) = delete;

  // Where the hits of a batch go: `counts` has an int32 for each item, of all its hits; `hits` has
  // room for `capacity` of each item, of which as many are written as fit, in no order.
  struct Found {
    Address counts, hits;
    std::size_t capacity;
  };

  // Puts work into `stream` that finds the hits of `outputs`, which are [count, dims…] each, in
  // device memory, float32 or float16; never waits for it.
  void run(std::span<const Tensor> outputs, int count, const Found& found,
           const Stream& stream) const;

 private:
  const Screening screening_;
  const std::shared_ptr<const Module> kernels_;
  CUfunc_st* const find_hits_;
  DeviceMemory least_;  // of all parts, one after the other
};

}  // namespace sightline::cuda
