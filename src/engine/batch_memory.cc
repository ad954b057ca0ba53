// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/batch_memory.h"

namespace sightline {

namespace {

// More is left to the session to allocate: a model may state any size, and need not mean it.
constexpr std::size_t kLargestOutput = std::size_t{1} << 30;

std::size_t aligned(std::size_t bytes) {
  return (bytes + TensorPool::kAlignment - 1) / TensorPool::kAlignment * TensorPool::kAlignment;
}

}  // namespace

std::vector<BatchMemory::Place> BatchMemory::places(const Session& session, int max_batch,
                                                    bool kept) {
  std::vector<Place> places;
  std::size_t offset = 0;
  for (std::size_t i = 0; i < session.outputs().size(); ++i) {
    const std::size_t bytes = sightline::item_bytes(session.outputs()[i]).value_or(0);
    const bool fits = bytes <= kLargestOutput / static_cast<std::size_t>(max_batch);
    const bool elsewhere = kept && session.may_keep(i);
    places.push_back({offset, fits && !elsewhere ? bytes : 0});
    offset += aligned(places.back().bytes_per_item * static_cast<std::size_t>(max_batch));
  }
  places.push_back({offset, 0});
  return places;
}

BatchMemory::Outputs::Outputs(const Session& session, int workers, int max_batch, bool kept)
    : places(BatchMemory::places(session, max_batch, kept)),
      pool(places.back().offset, static_cast<std::size_t>(workers) * 2,
           [&session](std::size_t bytes) { return session.host_memory(bytes); }) {}

BatchMemory::BatchMemory(const Session& session, int workers, int max_batch)
    : max_batch_(max_batch),
      item_bytes_(sightline::item_bytes(session.input()).value()),
      items_(item_bytes_ * static_cast<std::size_t>(max_batch), static_cast<std::size_t>(workers),
             [&session](std::size_t bytes) { return session.host_memory(bytes); }),
      outputs_{{session, workers, max_batch, false}, {session, workers, max_batch, true}} {}

std::vector<std::span<std::byte>> BatchMemory::output_spans(std::byte* block, int count,
                                                            bool kept) const {
  const std::vector<Place>& places = outputs_[kept].places;
  std::vector<std::span<std::byte>> spans;
  for (std::size_t i = 0; i + 1 < places.size(); ++i)
    spans.emplace_back(block + places[i].offset,
                       places[i].bytes_per_item * static_cast<std::size_t>(count));
  return spans;
}

}  // namespace sightline
