// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A crop and its mirror image, the inputs of two runs that may come in any order and on two
// threads: the pixels are sampled for whichever is first, and the other is made of its tensor.

#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "engine/tensor_pool.h"
#include "preprocess/mirror.h"

namespace sightline {

class MirrorPair {
 public:
  // `memory` is of blocks that hold an item each, and lasts as long as this. `spec` can_mirror().
  MirrorPair(TensorPool& memory, const TensorSpec& spec) : memory_(memory), spec_(spec) {}

  // Fills `item`, of which `sample()` does the same from pixels. To be called twice.
  template <typename Sample>
  void write(std::span<std::byte> item, const Sample& sample) {
    const std::lock_guard lock(mutex_);
    if (const auto kept = std::exchange(kept_, nullptr))
      return mirror_columns(spec_, {kept.get(), item.size()}, item);
    sample();
    kept_ = memory_.take();
    std::copy(item.begin(), item.end(), kept_.get());
  }

 private:
  TensorPool& memory_;
  const TensorSpec& spec_;
  std::mutex mutex_;
  std::shared_ptr<std::byte> kept_;
};

}  // namespace sightline
