// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where a batch's items and outputs lie.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "engine/session.h"
#include "engine/tensor_pool.h"

namespace sightline {

// Pools for batches of up to `max_batch` items: a block of items, and a block with all outputs
// whose size is known before a run, one after the other.
class BatchMemory {
 public:
  // `session` is asked for memory and has to last as long as blocks are taken.
  BatchMemory(const Session& session, int workers, int max_batch);

  int max_batch() const { return max_batch_; }
  std::size_t item_bytes() const { return item_bytes_; }

  std::shared_ptr<std::byte> take_items() { return items_.take(); }
  std::shared_ptr<std::byte> take_outputs() { return outputs_.take(); }

  // For each output its part of `block` for `count` items; empty where the session is to allocate.
  std::vector<std::span<std::byte>> output_spans(std::byte* block, int count) const;

 private:
  struct Place {
    std::size_t offset = 0;
    std::size_t bytes_per_item = 0;  // 0: not known
  };
  static std::vector<Place> places(const Session& session, int max_batch);

  int max_batch_;
  std::size_t item_bytes_;
  std::vector<Place> places_;
  TensorPool items_;
  TensorPool outputs_;
};

}  // namespace sightline
