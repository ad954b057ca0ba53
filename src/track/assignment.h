// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who goes with whom: the optimal assignment of rows to columns.

#pragma once

#include <cstddef>
#include <vector>

namespace sightline {

// A weight for each pair of a row and a column. Pairs that nobody has set weigh 0.
class WeightMatrix {
 public:
  WeightMatrix(std::size_t rows, std::size_t columns)
      : rows_(rows), columns_(columns), weights_(rows * columns) {}

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  double& operator()(std::size_t row, std::size_t column) {
    return weights_[row * columns_ + column];
  }
  double operator()(std::size_t row, std::size_t column) const {
    return weights_[row * columns_ + column];
  }

 private:
  std::size_t rows_;
  std::size_t columns_;
  std::vector<double> weights_;
};

inline constexpr int kUnassigned = -1;

// For each row its column, or kUnassigned, so that no column is used twice and the sum of the
// weights is the largest possible. Only pairs of a positive, finite weight are made.
//
// Shortest augmenting paths (Jonker and Volgenant 1987) in each group of rows and columns that are
// connected by positive weights: O(n³) in the size of the largest group, not of the matrix.
std::vector<int> assign(const WeightMatrix& weights);

}  // namespace sightline
