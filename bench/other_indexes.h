// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Other libraries' indexes of the same embeddings, to compare with.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "drawn_gallery.h"

namespace sightline::bench {

class OtherIndex {
 public:
  virtual ~OtherIndex() = default;
  virtual std::string name() const = 0;
  virtual bool is_exact() const = 0;
  virtual Found nearest(std::span<const float> queries, std::size_t count) = 0;
  double seconds_to_make = 0;
};

// FAISS's IndexFlatIP, by as many threads; null if the program was built without FAISS.
std::unique_ptr<OtherIndex> flat_of_faiss(const EmbeddingIndex& index, std::size_t threads);

// hnswlib's HierarchicalNSW in single precision, with the parameters of NeighborGraph.
std::unique_ptr<OtherIndex> graph_of_hnswlib(const EmbeddingIndex& index, std::size_t threads);

}  // namespace sightline::bench
