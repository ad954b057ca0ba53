// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/tensor_pool.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace sightline {

namespace {

struct AlignedDelete {
  void operator()(std::byte* memory) const {
    ::operator delete(memory, std::align_val_t(TensorPool::kAlignment));
  }
};

using Memory = std::unique_ptr<std::byte, AlignedDelete>;

}  // namespace

struct TensorPool::Blocks {
  const std::size_t bytes;
  const std::size_t kept;
  std::mutex mutex;
  std::vector<Memory> free;  // the last one used is taken first: it is still in the cache
  std::size_t allocations = 0;

  Blocks(std::size_t block_bytes, std::size_t kept_blocks) : bytes(block_bytes), kept(kept_blocks) {
    free.reserve(kept);
  }

  Memory take() {
    {
      const std::lock_guard lock(mutex);
      if (!free.empty()) {
        Memory memory = std::move(free.back());
        free.pop_back();
        return memory;
      }
      ++allocations;
    }
    return Memory(static_cast<std::byte*>(
        ::operator new(std::max<std::size_t>(bytes, 1), std::align_val_t(kAlignment))));
  }

  void give_back(Memory memory) {
    const std::lock_guard lock(mutex);
    if (free.size() < kept) free.push_back(std::move(memory));
  }
};

TensorPool::TensorPool(std::size_t block_bytes, std::size_t kept)
    : blocks_(std::make_shared<Blocks>(block_bytes, kept)) {}

std::shared_ptr<std::byte> TensorPool::take() {
  Memory memory = blocks_->take();
  std::byte* const address = memory.get();
  return {address, [blocks = blocks_, memory = memory.release()](std::byte*) {
            blocks->give_back(Memory(memory));
          }};
}

std::size_t TensorPool::block_bytes() const { return blocks_->bytes; }

std::size_t TensorPool::allocations() const {
  const std::lock_guard lock(blocks_->mutex);
  return blocks_->allocations;
}

}  // namespace sightline
