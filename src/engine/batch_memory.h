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
  // `kept`: with no room for those that the session may keep on its device.
  std::shared_ptr<std::byte> take_outputs(bool kept) { return outputs_[kept].pool.take(); }

  // For each output its part of such a `block` for `count` items; empty where the session is to
  // allocate.
  std::vector<std::span<std::byte>> output_spans(std::byte* block, int count, bool kept) const;

 private:
  struct Place {
    std::size_t offset = 0;
    std::size_t bytes_per_item = 0;  // 0: not known, or kept
  };
  struct Outputs {
    Outputs(const Session& session, int workers, int max_batch, bool kept);

    std::vector<Place> places;  // the last is the end
    TensorPool pool;
  };
  static std::vector<Place> places(const Session& session, int max_batch, bool kept);

  int max_batch_;
  std::size_t item_bytes_;
  TensorPool items_;
  Outputs outputs_[2];
};

}  // namespace sightline
