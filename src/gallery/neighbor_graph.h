// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A graph of neighbours (HNSW) over rows of an index: a search walks along it and sees thousands of
// rows of a million. Made of hnswlib; the rows are in it as bytes, and beside it as outlines
// (outlines.h), by which a search compares them.

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "gallery/searches_under_way.h"

namespace sightline {

struct GraphView;

// Any threads may search while one adds or wipes: no search ever waits for it.
class NeighborGraph {
 public:
  // Links of a row, and how many candidates it is given when it is added. Measured by
  // bench/graph_bench.cc (docs/gallery.md): 16 links and 120 candidates find 0.95 of the nearest
  // ten of 100,000 where these find 0.98 with the same width, and leave more rows that no search
  // comes to.
  static constexpr std::size_t kLinks = 24;
  static constexpr std::size_t kBuildWidth = 200;
  // How many candidates a search keeps, to find 0.99 of what is nearest and a little more: 200 of
  // 100,000 rows and 640 of 1,000,000, which is as their square roots.
  static constexpr std::size_t kLeastWidth = 128;
  static constexpr double kWidthOfRoot = 0.64;
  static std::size_t search_width(std::size_t rows);

  struct Shape {
    std::size_t links = kLinks;
    std::size_t build_width = kBuildWidth;
  };

  // Other shapes than the usual are for comparisons.
  NeighborGraph(std::span<const float> centre, std::size_t capacity, const Shape& shape);
  NeighborGraph(std::span<const float> centre, std::size_t capacity)
      : NeighborGraph(centre, capacity, Shape()) {}
  ~NeighborGraph();

  std::size_t dimensions() const { return centre_.size(); }
  std::size_t size() const { return size_.load(std::memory_order_acquire); }
  std::size_t capacity() const;
  bool is_full() const { return size() == capacity(); }
  std::size_t memory() const;
  std::span<const float> centre() const { return centre_; }

  // Rows 0 … count-1 of a graph that nobody searches yet, by several threads. values(row) must be
  // callable from all of them; `progress`, which may be empty, is told now and then how many are
  // in, and stops it by returning false.
  bool add_all(std::size_t count, std::size_t threads,
               const std::function<std::span<const float>(std::size_t)>& values,
               const std::function<bool(std::size_t)>& progress);
  // The next row, size(). What rows differ by is learnt by add_all(): without it outlines are of
  // the first dimensions.
  void add(std::span<const float> values);

  // Rows near the query, at least `width` if there are as many: the nearest 64 by bytes, then by
  // outlines. The wider the search, the fewer it misses.
  std::vector<std::uint32_t> near(std::span<const float> query, std::size_t width) const;

  // What these rows were is overwritten with the mean of neighbours that stay, or zeros; their
  // places in the graph are kept, for the ways that lead over them. By the thread that adds, as
  // what follows. Waits for the searches that are under way.
  void wipe(std::span<const std::uint32_t> rows);

  // What a file keeps of it: the nodes and outlines of all rows as they lie in memory, and the
  // rest.
  std::span<const std::byte> nodes() const;
  std::span<const std::byte> outlines() const;
  std::vector<std::byte> rest() const;
  struct Stored {
    int file = -1;  // open
    std::size_t node_offset = 0, node_bytes = 0;
    std::span<const std::byte> outlines, rest;
  };
  // A graph whose nodes are mapped from the file, their offset being on a boundary of pages; it
  // needs the rest no longer. Throws Error(kInput) if it is no graph.
  static std::unique_ptr<NeighborGraph> restore(std::span<const float> centre,
                                                const Stored& stored);

 private:
  class Graph;
  class Hiding;

  bool number_rows(std::size_t count);
  void publish(std::size_t size);
  GraphView view() const;
  void overwrite(std::span<const std::uint32_t> wiped, std::uint32_t row);
  std::span<const std::byte> take_outlines(std::span<const std::byte> outlines, std::size_t rows,
                                           std::size_t bytes, std::span<const std::byte> rest);

  std::vector<float> centre_;
  std::unique_ptr<Graph> graph_;
  // As many as there is capacity, so that adding a row never moves them.
  std::vector<std::uint32_t> places_;  // in the graph, of each row
  std::vector<std::uint32_t> rows_;    // of each place

  // What searches go by. Of the rows below the size all was written before it was.
  std::atomic<std::size_t> size_{0};
  std::atomic<std::uint64_t> way_in_{0};  // a place, and above it its level
  std::atomic<const std::vector<std::uint32_t>*> hidden_{nullptr};  // places not to be read
  mutable SearchesUnderWay under_way_;
};

}  // namespace sightline
