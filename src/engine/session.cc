// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/session.h"

#include <algorithm>

#include "core/error.h"

namespace sightline {

BatchResults Session::run_batch(const BatchWork& work) const {
  if (!work.written.empty() || !work.read.empty())
    throw Error(ErrorCode::kInput,
                "what a network on the CPU takes and gives cannot be written or read on a GPU");
  return {run(work.items, work.count, work.memory), {}};
}

std::optional<std::size_t> item_bytes(const TensorInfo& tensor) {
  if (std::any_of(tensor.shape.begin(), tensor.shape.end(), [](auto d) { return d < 0; }))
    return std::nullopt;
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(element_count(tensor.shape), size_of(tensor.type), &bytes))
    return std::nullopt;
  return bytes;
}

}  // namespace sightline
