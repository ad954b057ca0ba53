// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Galleries of any size to measure with, and what a search of one finds.
//
// Embeddings are drawn by RandomFaces (tests/gallery/faces.h): its persons and their pictures are
// as similar to each other as those of real faces that the shipped embedding was measured on.

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "gallery/embedding_index.h"
#include "gallery/neighbor_graph.h"

namespace sightline::bench {

using Found = std::vector<std::vector<Match>>;  // of each query, best first

// Queries, one after the other, and which rows are truly nearest.
struct Queries {
  std::vector<float> values;
  Found exact;
};

struct DrawnGallery {
  static constexpr std::size_t kNearest = 10;

  // `pictures` of each person; as many queries of known persons (another picture of them) as of
  // strangers.
  DrawnGallery(std::size_t rows, int dimensions, std::size_t pictures, std::size_t queries);

  EmbeddingIndex index;
  Queries known, strangers;
  double seconds_to_add = 0;
};

// The share of the `count` truly nearest that is among the first `count` found.
double recall(const Found& found, const Found& exact, std::size_t count);

// By as many threads as search; says on the standard error how far it is.
std::shared_ptr<NeighborGraph> make_graph(const EmbeddingIndex& index,
                                          const NeighborGraph::Shape& shape, double& seconds);

// Says "`what`: 12 % of 1000000 after 34 s" on the standard error, every few seconds.
class Progress {
 public:
  Progress(const char* what, std::size_t all);
  void at(std::size_t done);

 private:
  const char* what_;
  std::size_t all_;
  double begin_, next_;
};

double now();  // seconds

// Prints at which similarities parts of the pairs lie, as drawn and as measured.
void print_quantiles(int dimensions);

}  // namespace sightline::bench
