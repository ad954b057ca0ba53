// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/screened_rows.h"

#include <algorithm>
#include <cmath>

#include "gallery/dot_products.h"

namespace sightline {
namespace {

constexpr std::size_t kBlockGroups = 64;  // 128 KiB of 128 dimensions
constexpr std::size_t kBlockRows = kBlockGroups * kGroupRows;
constexpr float kRounding = 1e-5f;  // of sums in single precision, of numbers of about 1

// What rounding each number to a multiple of `scale` can leave out.
float error_of(float scale, std::size_t width) {
  return scale / 2 * std::sqrt(static_cast<float>(width));
}

float distance(std::span<const float> a, std::span<const float> b) {
  double squared = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    squared += difference * difference;
  }
  return static_cast<float>(std::sqrt(squared));
}

// How much less than `limit` the bytes of a row may say if the product reaches it.
//
// With q' and x' for the differences to the centre, and e for what rounding left out of each,
//   |q'·x' − (q' − e_q)·(x' − e_x)|  ≤  |q'|·|e_x| + |e_q|·|x' − e_x|.
struct Slack {
  float length, error;  // of the query, as of a block

  template <typename Block>
  float below(float limit, const Block& block) const {
    return limit - length * block.error - error * block.length - kRounding;
  }
};

}  // namespace

ScreenedRows::ScreenedRows(std::span<const float> rows, std::size_t width)
    : rows_(rows), width_(width), count_(width == 0 ? 0 : rows.size() / width) {
  std::vector<double> sums(width_);
  for (std::size_t i = 0; i < rows_.size(); ++i) sums[i % width_] += static_cast<double>(rows_[i]);
  for (const double sum : sums)
    centre_.push_back(static_cast<float>(sum / static_cast<double>(count_)));
  const std::size_t groups = (count_ + kGroupRows - 1) / kGroupRows;
  bytes_.assign(groups * group_bytes(width_), 128);  // rows that fill up the last group are zero
  scales_.resize(groups * kGroupRows);
  biases_.resize(groups * kGroupRows);
  for (std::size_t first = 0; first < count_; first += kBlockRows) add_block(first);
}

void ScreenedRows::add_block(std::size_t first) {
  Block block;
  for (std::size_t i = first; i < std::min(first + kBlockRows, count_); ++i) {
    const ByteRow bytes = write_byte_row(
        row(i), centre_, &bytes_[i / kGroupRows * group_bytes(width_)], i % kGroupRows);
    scales_[i] = bytes.scale;
    biases_[i] = bytes.bias;
    const float error = error_of(bytes.scale, width_);
    block.error = std::max(block.error, error);
    block.length = std::max(block.length, distance(row(i), centre_) + error);
  }
  blocks_.push_back(block);
}

ByteGroups ScreenedRows::groups_of(std::size_t block) const {
  const std::size_t first = block * kBlockGroups;
  return {&bytes_[first * group_bytes(width_)], &scales_[first * kGroupRows],
          &biases_[first * kGroupRows], std::min(kBlockGroups, scales_.size() / kGroupRows - first),
          quads(width_)};
}

void ScreenedRows::find(std::span<const Query> queries, std::size_t first,
                        const Found& found) const {
  std::vector<ByteQuery> bytes;
  std::vector<Slack> slacks;
  for (const Query& query : queries) {
    bytes.push_back(byte_query(query.values, centre_));
    slacks.push_back({distance(query.values, centre_), error_of(bytes.back().scale, width_)});
  }
  std::vector<float> scores(queries.size() * kBlockRows);
  std::vector<std::uint32_t> places(kBlockRows);
  for (std::size_t block = first / kBlockRows; block < blocks_.size(); ++block) {
    const ByteGroups groups = groups_of(block);
    const std::size_t rows = groups.groups * kGroupRows;
    byte_scores(groups, bytes, std::span(scores).first(queries.size() * rows));
    for (std::size_t i = 0; i < queries.size(); ++i) {
      const std::size_t above =
          find_above(std::span(scores).subspan(i * rows, rows),
                     slacks[i].below(queries[i].limit, blocks_[block]), places);
      for (const std::uint32_t place : std::span(places).first(above)) {
        const std::size_t number = block * kBlockRows + place;
        if (number < first || number >= count_) continue;
        const float product = dot_product(row(number), queries[i].values);
        if (product >= queries[i].limit) found(i, number, product);
      }
    }
  }
}

}  // namespace sightline
