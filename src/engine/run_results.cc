// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/run_results.h"

#include <cstring>
#include <utility>

namespace sightline {

namespace {

constexpr std::size_t kAlignment = 16;

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

bool is_copied(const Tensor& slice) {
  return slice.memory == MemoryKind::kHost && slice.bytes() < kSmallOutput;
}

}  // namespace

RunResult run_result(const std::vector<Tensor>& batch, std::size_t item, std::size_t count,
                     const std::shared_ptr<const std::byte>& block) {
  RunResult result;
  std::size_t small_bytes = 0;
  for (const Tensor& whole : batch) {
    const std::size_t bytes = whole.bytes() / count;
    Tensor slice{whole.name, whole.type, Shape(whole.shape.begin() + 1, whole.shape.end()),
                 whole.memory};
    slice.data = whole.data + item * bytes;
    slice.owner = whole.owner ? whole.owner : block;
    if (whole.on_device) slice.on_device = whole.on_device->of_a_part();
    if (is_copied(slice)) small_bytes += aligned(bytes);
    result.outputs.push_back(std::move(slice));
  }

  // The small ones of an item share one allocation.
  const auto copies = std::make_shared<std::byte[]>(small_bytes);
  std::size_t offset = 0;
  for (Tensor& slice : result.outputs) {
    if (!is_copied(slice)) continue;
    const std::size_t bytes = slice.bytes();
    if (bytes > 0) std::memcpy(copies.get() + offset, slice.data, bytes);
    slice.data = copies.get() + offset;
    slice.owner = copies;
    offset += aligned(bytes);
  }
  return result;
}

}  // namespace sightline
