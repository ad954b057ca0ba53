// SPDX-License-Identifier: LGPL-2.1-or-later

#include "other_indexes.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include <hnswlib/hnswlib.h>
#ifdef SIGHTLINE_FAISS
#include <faiss/IndexFlat.h>
#include <omp.h>
#endif

namespace sightline::bench {
namespace {

#ifdef SIGHTLINE_FAISS
class FlatOfFaiss final : public OtherIndex {
 public:
  FlatOfFaiss(const EmbeddingIndex& index, std::size_t threads) : flat_(index.dimensions()) {
    omp_set_num_threads(static_cast<int>(threads));
    const double begin = now();
    for (std::size_t row = 0; row < index.rows(); ++row) flat_.add(1, index.values(row).data());
    seconds_to_make = now() - begin;
  }
  std::string name() const override { return "FAISS, IndexFlatIP"; }
  bool is_exact() const override { return true; }
  Found nearest(std::span<const float> queries, std::size_t count) override {
    const std::size_t all = queries.size() / static_cast<std::size_t>(flat_.d);
    std::vector<float> similarities(all * count);
    std::vector<faiss::Index::idx_t> rows(all * count);
    flat_.search(static_cast<faiss::Index::idx_t>(all), queries.data(),
                 static_cast<faiss::Index::idx_t>(count), similarities.data(), rows.data());
    Found found(all);
    for (std::size_t i = 0; i < rows.size(); ++i)
      found[i / count].push_back({static_cast<std::uint32_t>(rows[i]), 0, similarities[i]});
    return found;
  }

 private:
  faiss::IndexFlatIP flat_;
};
#endif

class GraphOfHnswlib final : public OtherIndex {
 public:
  GraphOfHnswlib(const EmbeddingIndex& index, std::size_t threads)
      : dimensions_(static_cast<std::size_t>(index.dimensions())),
        space_(dimensions_),
        graph_(&space_, index.rows(), NeighborGraph::kLinks, NeighborGraph::kBuildWidth) {
    graph_.setEf(NeighborGraph::search_width(index.rows()));
    Progress progress("making hnswlib's graph", index.rows());
    const double begin = now();
    std::atomic<std::size_t> next{0};
    const auto add_some = [&](bool reports) {
      for (std::size_t row = next++; row < index.rows(); row = next++) {
        graph_.addPoint(index.values(row).data(), row);
        if (reports) progress.at(row);
      }
    };
    std::vector<std::thread> helpers;
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(add_some, false);
    add_some(true);
    for (std::thread& helper : helpers) helper.join();
    seconds_to_make = now() - begin;
  }
  std::string name() const override { return "hnswlib, FP32"; }
  bool is_exact() const override { return false; }
  Found nearest(std::span<const float> queries, std::size_t count) override {
    Found found;
    for (; !queries.empty(); queries = queries.subspan(dimensions_)) {
      auto heap = graph_.searchKnn(queries.data(), count);  // with the worst on top
      std::vector<Match>& matches = found.emplace_back();
      for (; !heap.empty(); heap.pop())
        matches.push_back({static_cast<std::uint32_t>(heap.top().second), 0, 1 - heap.top().first});
      std::ranges::reverse(matches);
    }
    return found;
  }

 private:
  std::size_t dimensions_;
  hnswlib::InnerProductSpace space_;
  hnswlib::HierarchicalNSW<float> graph_;
};

}  // namespace

std::unique_ptr<OtherIndex> flat_of_faiss([[maybe_unused]] const EmbeddingIndex& index,
                                          [[maybe_unused]] std::size_t threads) {
#ifdef SIGHTLINE_FAISS
  return std::make_unique<FlatOfFaiss>(index, threads);
#else
  return nullptr;
#endif
}

std::unique_ptr<OtherIndex> graph_of_hnswlib(const EmbeddingIndex& index, std::size_t threads) {
  return std::make_unique<GraphOfHnswlib>(index, threads);
}

}  // namespace sightline::bench
