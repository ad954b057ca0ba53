// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Frames of noise whose planes end where readable memory ends, so that a read outside one is a
// crash.

#pragma once

#include <memory>
#include <random>
#include <vector>

#include "preprocess/frame_view.h"

namespace sightline {

// Memory between two pages that cannot be touched.
class GuardedMemory {
 public:
  enum class Flush { kAtEnd, kAtBegin };  // which end of the memory touches its guard
  GuardedMemory(std::size_t bytes, Flush flush);
  ~GuardedMemory();
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;

  std::uint8_t* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  void* mapped_ = nullptr;
  std::size_t mapped_bytes_ = 0;
  std::uint8_t* data_ = nullptr;
  std::size_t bytes_ = 0;
};

struct NoisyFrame {
  enum class Strides { kTight, kPadded, kNegative };

  FrameView view;
  std::vector<std::unique_ptr<GuardedMemory>> memory;

  NoisyFrame(PixelFormat format, Size size, std::mt19937& random,
             Strides strides = Strides::kTight);
};

}  // namespace sightline
