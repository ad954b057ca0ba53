// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How items of a batch are written on the GPU that runs it: by who made the request, all that are
// of one writer together. The engine says where and in which stream, and knows nothing of what is
// written.

#pragma once

#include <cstddef>
#include <span>

#include "core/cuda.h"

namespace sightline {

// What one item is made of, for the writer that its request names. Whatever it holds (a mapped
// frame, for example) is let go of when the device has done its work, before the request is
// answered, on an engine thread.
class DeviceItem {
 public:
  virtual ~DeviceItem() = default;

  // The item was written and the network run; called before the request is answered. Not called if
  // the run failed. Must not throw.
  virtual void finished() {}
};

class DeviceWriter {
 public:
  virtual ~DeviceWriter() = default;

  // Puts work into `stream` that writes items[i] to item i of `output`, of `bytes` bytes in all;
  // never waits for it. The items last until it is done. Called by one thread at a time for each
  // engine, and again for the same items if the batch has to be run again. May throw: then the run
  // fails, for all of its batch.
  virtual void write(std::span<DeviceItem* const> items, cuda::Address output, std::size_t bytes,
                     const cuda::Stream& stream) = 0;
};

}  // namespace sightline
