// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How outputs of a batch are read on the GPU that ran it, so that what comes to the host is small:
// survivors, for example, instead of all candidates. The engine knows nothing of what is read.

#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/cuda.h"
#include "core/tensor.h"

namespace sightline {

struct TensorInfo;

class DeviceReader {
 public:
  virtual ~DeviceReader() = default;

  // What a request gets as RunResult::outputs in place of the network's: of one item, in host
  // memory. No dimension is open.
  virtual const std::vector<TensorInfo>& results() const = 0;

  // Device memory that read() needs for itself.
  virtual std::size_t scratch_bytes([[maybe_unused]] int count) const { return 0; }

  // Puts work into `stream`, behind the network's, that reads `outputs`, which are [count, dims…]
  // each, in device memory and in the order of Engine::outputs(), and writes result i of all items,
  // one after the other, to results[i]; never waits for it. Called by one thread at a time for each
  // engine. May throw: then the run fails, for all of its batch.
  virtual void read(std::span<const Tensor> outputs, int count,
                    std::span<const cuda::Address> results, cuda::Address scratch,
                    const cuda::Stream& stream) = 0;

  // Whether `found`, the results() of one item, hold what there was to find. If not, the request is
  // run again, as if it had no reader. Called on an engine thread.
  virtual bool is_complete([[maybe_unused]] std::span<const Tensor> found) const { return true; }
};

}  // namespace sightline
