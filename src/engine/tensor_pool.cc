// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/tensor_pool.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace sightline {

HostMemory aligned_memory(std::size_t bytes) {
  constexpr std::align_val_t kAlignment{TensorPool::kAlignment};
  return {static_cast<std::byte*>(::operator new(std::max<std::size_t>(bytes, 1), kAlignment)),
          [](std::byte* memory) { ::operator delete(memory, kAlignment); }};
}

struct TensorPool::Blocks {
  const std::size_t bytes;
  const std::size_t kept;
  std::mutex mutex;
  const Allocate allocate;
  std::vector<HostMemory> free;  // the last one used is taken first: it is still in the cache
  std::size_t allocations = 0;

  Blocks(std::size_t block_bytes, std::size_t kept_blocks, Allocate allocate_block)
      : bytes(block_bytes), kept(kept_blocks), allocate(std::move(allocate_block)) {
    free.reserve(kept);
  }

  HostMemory take() {
    {
      const std::lock_guard lock(mutex);
      if (!free.empty()) {
        HostMemory memory = std::move(free.back());
        free.pop_back();
        return memory;
      }
      ++allocations;
    }
    return allocate(bytes);
  }

  void give_back(HostMemory memory) {
    const std::lock_guard lock(mutex);
    if (free.size() < kept) free.push_back(std::move(memory));
  }
};

TensorPool::TensorPool(std::size_t block_bytes, std::size_t kept, Allocate allocate)
    : blocks_(std::make_shared<Blocks>(block_bytes, kept, std::move(allocate))) {}

std::shared_ptr<std::byte> TensorPool::take() {
  // Shared, since a deleter has to be copyable.
  const auto memory = std::make_shared<HostMemory>(blocks_->take());
  return {memory->get(),
          [blocks = blocks_, memory](std::byte*) { blocks->give_back(std::move(*memory)); }};
}

std::size_t TensorPool::block_bytes() const { return blocks_->bytes; }

std::size_t TensorPool::allocations() const {
  const std::lock_guard lock(blocks_->mutex);
  return blocks_->allocations;
}

}  // namespace sightline
