// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Memory for tensors, used again and again: after warm-up nothing is allocated and resident memory
// stays flat.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace sightline {

// Of a session's choice: whoever made it knows how it is freed.
using HostMemory = std::unique_ptr<std::byte, std::function<void(std::byte*)>>;

HostMemory aligned_memory(std::size_t bytes);  // to 64 bytes

// Blocks of one size, aligned to 64 bytes. A block goes back to the pool when its last owner lets
// go, on whatever thread, and may outlive the pool. take() never waits: who may have how many at a
// time is for the caller to bound. What comes back beyond `kept` blocks is freed, so that a burst
// of tensors that were held for long does not stay resident.
class TensorPool {
 public:
  static constexpr std::size_t kAlignment = 64;

  using Allocate = std::function<HostMemory(std::size_t bytes)>;

  TensorPool(std::size_t block_bytes, std::size_t kept, Allocate allocate = aligned_memory);

  std::shared_ptr<std::byte> take();

  std::size_t block_bytes() const;
  std::size_t allocations() const;  // since the beginning

 private:
  struct Blocks;
  std::shared_ptr<Blocks> blocks_;
};

}  // namespace sightline
