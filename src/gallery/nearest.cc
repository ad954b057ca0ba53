// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "gallery/dot_products.h"
#include "gallery/gallery.h"

namespace sightline {
namespace {

bool is_better(const Neighbor& a, const Neighbor& b) {
  return a.similarity > b.similarity || (a.similarity == b.similarity && a.index < b.index);
}

void require_shapes(std::span<const float> vectors, int dimensions, std::span<const float> query) {
  const auto width = static_cast<std::size_t>(std::max(dimensions, 1));
  if (dimensions >= 1 && query.size() == width && vectors.size() % width == 0) return;
  throw Error(ErrorCode::kInput, "nearest: " + std::to_string(vectors.size()) +
                                     " stored numbers and a query of " +
                                     std::to_string(query.size()) + " do not make vectors of " +
                                     std::to_string(dimensions));
}

}  // namespace

std::vector<Neighbor> nearest(std::span<const float> vectors, int dimensions,
                              std::span<const float> query, int k) {
  require_shapes(vectors, dimensions, query);
  const std::size_t count = vectors.size() / query.size();
  const std::size_t wanted = std::min(count, static_cast<std::size_t>(std::max(k, 0)));
  std::vector<Neighbor> best;  // a heap with the worst on top
  best.reserve(wanted);
  if (wanted == 0) return best;

  std::array<float, 512> similarities;
  for (std::size_t begin = 0; begin < count; begin += similarities.size()) {
    const std::size_t rows = std::min(similarities.size(), count - begin);
    dot_products(vectors.subspan(begin * query.size(), rows * query.size()), query,
                 std::span(similarities).first(rows));
    for (std::size_t i = 0; i < rows; ++i) {
      // What is no number is the worst there is; left as it is, it would disturb the order.
      const float similarity =
          std::isnan(similarities[i]) ? -std::numeric_limits<float>::infinity() : similarities[i];
      const Neighbor candidate{static_cast<std::int64_t>(begin + i), similarity};
      if (best.size() == wanted) {
        if (!is_better(candidate, best.front())) continue;
        std::pop_heap(best.begin(), best.end(), is_better);
        best.pop_back();
      }
      best.push_back(candidate);
      std::push_heap(best.begin(), best.end(), is_better);
    }
  }
  std::sort_heap(best.begin(), best.end(), is_better);
  return best;
}

}  // namespace sightline
