// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Embeddings in memory, each with an owner, and the search for those that are nearest to a query.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gallery/shared_vector.h"

namespace sightline {

class NeighborGraph;

// A row of an index that was found. Equal similarities: the row that was added first is nearer.
struct Match {
  std::uint32_t row = 0;
  std::uint32_t owner = 0;
  float similarity = -1;  // cosine, of single precision whatever the method
};

// An index is a value. Copying one shares all rows; a copy that is changed leaves the other as it
// is. So one thread copies, changes and publishes, and any number of threads search what was
// published without a lock. Only one thread at a time may change copies of the same index.
class EmbeddingIndex {
 public:
  static constexpr std::uint32_t kNobody = UINT32_MAX;  // owner of a row that was removed

  // What a search does. Results are rows with similarities of single precision in any case.
  enum class Method {
    kSinglePrecision,  // all rows, in single precision
    kBytes,            // all rows as bytes, the best of them in single precision
    kGraph,            // along a graph of neighbours, the best found in single precision
  };

  struct Row {
    std::int64_t id = 0;
    std::uint32_t owner = 0;
    std::span<const float> values;  // of unit length
  };

  // From how many rows on bytes are faster, and from how many on a graph is worth its memory and
  // the time to make it. Measured (docs/gallery.md): of 128 dimensions both take the same at about
  // 2,500 rows, and bytes half as long at 4,000; a search of 200,000 by bytes takes 2 ms of
  // processor time, along a graph 0.6.
  static constexpr std::size_t kBytesFrom = 4096;
  static constexpr std::size_t kGraphFrom = 200'000;
  // How many of the best by bytes are compared in single precision, at least.
  static constexpr std::size_t kCompared = 32;

  explicit EmbeddingIndex(int dimensions, std::size_t bytes_from = kBytesFrom);

  int dimensions() const { return static_cast<int>(dimensions_); }
  std::size_t size() const { return ids_.size() - removed_; }
  std::size_t rows() const { return ids_.size(); }          // those that were removed included
  std::size_t owners() const { return last_rows_.size(); }  // numbers in use are below
  Method method() const;

  std::int64_t id(std::size_t row) const { return ids_[row]; }
  std::uint32_t owner(std::size_t row) const { return owners_[row]; }
  std::span<const float> values(std::size_t row) const;
  // Calls visit(row) for each row of the owner.
  template <typename Visit>
  void for_each_row_of(std::uint32_t owner, Visit visit) const {
    if (owner >= last_rows_.size()) return;
    for (std::uint32_t row = last_rows_[owner]; row != kNobody; row = earlier_rows_[row])
      if (owners_[row] == owner) visit(row);
  }

  // `row.values` has dimensions() numbers; no row has the same id.
  void add(const Row& row);
  // Rows with these ids, if there are any; returns which.
  std::vector<std::uint32_t> remove(std::vector<std::int64_t> ids);
  // Whether so much was removed that compacted() is due.
  bool is_sparse() const;
  // A copy without what was removed, with rows in the same order.
  EmbeddingIndex compacted() const;

  // Of each query (row-major, dimensions() numbers each) the `count` nearest rows, best first.
  std::vector<std::vector<Match>> nearest_rows(std::span<const float> queries,
                                               std::size_t count) const;
  // The same of owners: of each of the `count` nearest, its nearest row.
  std::vector<std::vector<Match>> nearest_owners(std::span<const float> queries,
                                                 std::size_t count) const;
  // Writes the similarity of each owner's nearest row, -infinity of owners without one.
  void similarities_of_owners(std::span<const float> query, std::span<float> best) const;

  // By which method, for comparisons; method() decides otherwise.
  std::vector<std::vector<Match>> nearest_rows(Method method, std::span<const float> queries,
                                               std::size_t count) const;

  // A graph of rows 0 … n-1 of this index, or of an earlier one that it is a copy of. Further rows
  // are searched beside it.
  void set_graph(std::shared_ptr<NeighborGraph> graph) { graph_ = std::move(graph); }
  const std::shared_ptr<NeighborGraph>& graph() const { return graph_; }
  std::span<const float> centre() const;  // of the bytes; empty: there are none

  // Memory that the rows take, shared or not: vectors, bytes and what is kept of each row.
  std::size_t memory() const;

 private:
  friend class IndexFile;

  static constexpr std::size_t kBlockRows = 1024;

  // Rows are added to the last block by the copy that has filled it; any other copies it first.
  struct Block {
    std::shared_ptr<const void> memory;  // what the pointers point into
    const float* vectors = nullptr;
    float* writable = nullptr;  // the same; null: a part of a file
    std::size_t filled = 0;
  };
  struct ByteBlock {
    std::shared_ptr<const void> memory;
    const std::uint8_t* bytes = nullptr;
    const float* scales = nullptr;
    const float* biases = nullptr;
    std::uint8_t* writable = nullptr;
    float* writable_scales = nullptr;
    float* writable_biases = nullptr;
    std::size_t groups = 0;
  };
  class Search;

  std::shared_ptr<Block> new_block() const;
  std::shared_ptr<ByteBlock> new_byte_block() const;
  Block& last_block();
  ByteBlock& last_byte_block();
  void begin_bytes();
  void write_last_group(std::size_t end);
  std::size_t byte_rows() const;  // rows in whole groups, as bytes

  std::size_t dimensions_;
  std::size_t bytes_from_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::vector<std::shared_ptr<ByteBlock>> byte_blocks_;
  std::shared_ptr<const std::vector<float>> centre_;
  std::shared_ptr<NeighborGraph> graph_;

  SharedVector<std::int64_t> ids_;
  SharedVector<std::uint32_t> owners_;
  SharedVector<std::uint32_t> earlier_rows_;  // the one before of the same owner, or kNobody
  SharedVector<std::uint32_t> last_rows_;     // by owner
  std::size_t removed_ = 0;
  std::int64_t newest_id_ = INT64_MIN;
};

}  // namespace sightline
