// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/track.h"

#include <atomic>
#include <cmath>

namespace sightline {

namespace {

// Length of a vector; 0 where there is no direction in it.
double length_of(std::span<const float> vector) {
  double sum = 0;
  for (const float value : vector) sum += double{value} * value;
  return std::isfinite(sum) ? std::sqrt(sum) : 0;
}

}  // namespace

std::uint64_t next_track_id() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void blend_embedding(Track& track, std::span<const float> embedding) {
  const double length = length_of(embedding);
  if (!(length > 0)) return;
  if (track.embedding.empty()) {
    for (const float value : embedding)
      track.embedding.push_back(static_cast<float>(value / length));
    return;
  }
  if (track.embedding.size() != embedding.size()) return;
  for (std::size_t i = 0; i < embedding.size(); ++i)
    track.embedding[i] = (1 - kEmbeddingStep) * track.embedding[i] +
                         kEmbeddingStep * static_cast<float>(embedding[i] / length);
  // Opposite ones may cancel out; then the old direction is lost anyway.
  const double blended = length_of(track.embedding);
  if (!(blended > 0)) return track.embedding.clear();
  for (float& value : track.embedding) value = static_cast<float>(value / blended);
}

}  // namespace sightline
