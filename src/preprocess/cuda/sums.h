// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sums over pictures in device memory, by which the views of objects are judged.

#pragma once

#include <memory>

#include "core/cuda.h"
#include "preprocess/job.h"
#include "preprocess/preprocess.h"

namespace sightline::cuda {

class Sums {
 public:
  // What detail() finds of a picture, over all pixels that have a neighbour to the right and below.
  struct Detail {
    double sum, squares;  // of the pixels
    double gradient;      // of the squared differences to both neighbours
  };
  // What channels() finds of a tensor: the sum of each channel.
  using Channels = double[3];

  // Throws Error(kDevice) if the kernels do not load on this device.
  explicit Sums(DevicePtr device);

  // Of each of `count` pictures of `size` floats, one after the other, writes a Detail to `to`.
  void detail(Address pictures, Size size, int count, Address to, const Stream& stream) const;

  // Of each of `count` float32 tensors of `spec`, one after the other, writes Channels to `to`:
  // over these columns and rows.
  void channels(Address tensors, const TensorSpec& spec, sampling::Span columns,
                sampling::Span rows, int count, Address to, const Stream& stream) const;

 private:
  const std::shared_ptr<const Module> kernels_;
  CUfunc_st* const detail_;
  CUfunc_st* const channels_;
};

}  // namespace sightline::cuda
