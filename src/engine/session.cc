// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/session.h"

#include <algorithm>

#include "core/error.h"

namespace sightline {

std::vector<Tensor> Session::run_written(std::span<const DevicePart> parts, const std::byte* items,
                                         int count,
                                         std::span<const std::span<std::byte>> memory) const {
  if (!parts.empty())
    throw Error(ErrorCode::kInput, "items cannot be written on a GPU for a network on the CPU");
  return run(items, count, memory);
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
