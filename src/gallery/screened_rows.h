// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Rows that many vectors are compared with, where few products reach what is looked for: bytes rule
// out the others at a fraction of the cost.

#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "gallery/byte_scores.h"

namespace sightline {

class ScreenedRows {
 public:
  struct Query {
    std::span<const float> values;
    float limit;  // from which product on a row is looked for
  };
  using Found = std::function<void(std::size_t query, std::size_t row, float product)>;

  // Row-major; the rows must live as long.
  ScreenedRows(std::span<const float> rows, std::size_t width);

  std::size_t size() const { return count_; }
  std::span<const float> row(std::size_t number) const {
    return rows_.subspan(number * width_, width_);
  }

  // Calls found() for each product, of single precision, with a row from `first` on that is at
  // least the query's limit; of each query in order of the rows. Misses none: what bytes may be
  // wrong by is reckoned with. Any number of threads may ask at once.
  void find(std::span<const Query> queries, std::size_t first, const Found& found) const;

 private:
  // Rows that fit into a core's cache together, with the worst that bytes do to one of them.
  struct Block {
    float error = 0;   // length of what rounding left out
    float length = 0;  // of what the bytes stand for
  };

  void add_block(std::size_t first);
  ByteGroups groups_of(std::size_t block) const;

  std::span<const float> rows_;
  std::size_t width_, count_;
  std::vector<float> centre_;
  std::vector<std::uint8_t> bytes_;
  std::vector<float> scales_, biases_;
  std::vector<Block> blocks_;
};

}  // namespace sightline
