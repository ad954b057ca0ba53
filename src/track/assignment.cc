// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/assignment.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace sightline {

namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

bool may_pair(double weight) { return weight > 0 && std::isfinite(weight); }

// Rows and columns that can only be assigned to each other.
struct Group {
  std::vector<std::size_t> rows;
  std::vector<std::size_t> columns;
};

std::size_t root_of(std::vector<std::size_t>& parents, std::size_t node) {
  while (parents[node] != node) node = parents[node] = parents[parents[node]];
  return node;
}

// The connected components that hold at least one pair. Nodes are the rows, then the columns.
std::vector<Group> groups_of(const WeightMatrix& weights) {
  const std::size_t rows = weights.rows(), columns = weights.columns();
  std::vector<std::size_t> parents(rows + columns);
  std::iota(parents.begin(), parents.end(), std::size_t{0});
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c)
      if (may_pair(weights(r, c))) parents[root_of(parents, r)] = root_of(parents, rows + c);

  std::vector<Group> groups;
  std::vector<std::size_t> group_of(rows + columns, kNone);
  for (std::size_t node = 0; node < rows + columns; ++node) {
    const std::size_t root = root_of(parents, node);
    if (group_of[root] == kNone) {
      group_of[root] = groups.size();
      groups.emplace_back();
    }
    Group& group = groups[group_of[root]];
    if (node < rows)
      group.rows.push_back(node);
    else
      group.columns.push_back(node - rows);
  }
  std::erase_if(groups, [](const Group& g) { return g.rows.empty() || g.columns.empty(); });
  return groups;
}

// One group as a problem of least cost, where each of the `left` gets one of the `right`, which are
// not fewer. A pair that must not be made costs 0, as much as staying alone.
class Solver {
 public:
  Solver(const WeightMatrix& weights, const Group& group)
      : weights_(weights),
        transposed_(group.rows.size() > group.columns.size()),
        left_(transposed_ ? group.columns : group.rows),
        right_(transposed_ ? group.rows : group.columns),
        left_price_(left_.size()),
        right_price_(right_.size()),
        match_(right_.size(), kNone) {}

  void solve(std::vector<int>& column_of_row) {
    for (std::size_t i = 0; i < left_.size(); ++i) augment(i);
    for (std::size_t j = 0; j < right_.size(); ++j) {
      if (match_[j] == kNone || !may_pair(weight(match_[j], j))) continue;
      std::size_t row = left_[match_[j]], column = right_[j];
      if (transposed_) std::swap(row, column);
      column_of_row[row] = static_cast<int>(column);
    }
  }

 private:
  double weight(std::size_t i, std::size_t j) const {
    return transposed_ ? weights_(right_[j], left_[i]) : weights_(left_[i], right_[j]);
  }
  double cost(std::size_t i, std::size_t j) const {
    const double w = weight(i, j);
    return may_pair(w) ? -w : 0;
  }

  // Dijkstra over reduced costs from left node `start` to the nearest right node that is free.
  void augment(std::size_t start) {
    std::vector<double> distance(right_.size(), std::numeric_limits<double>::infinity());
    std::vector<std::size_t> previous(right_.size(), kNone);  // right node before, on the path
    std::vector<bool> done(right_.size());
    std::vector<std::size_t> visited;
    std::size_t from = start, last = kNone;
    double length = 0;
    for (;;) {
      std::size_t nearest = kNone;
      for (std::size_t j = 0; j < right_.size(); ++j) {
        if (done[j]) continue;
        const double reached = length + cost(from, j) - left_price_[from] - right_price_[j];
        if (reached < distance[j]) {
          distance[j] = reached;
          previous[j] = last;
        }
        if (nearest == kNone || distance[j] < distance[nearest]) nearest = j;
      }
      length = distance[nearest];
      done[nearest] = true;
      last = nearest;
      if (match_[nearest] == kNone) break;
      visited.push_back(nearest);
      from = match_[nearest];
    }
    left_price_[start] += length;
    for (const std::size_t j : visited) {
      left_price_[match_[j]] += length - distance[j];
      right_price_[j] -= length - distance[j];
    }
    flip_path(start, last, previous);
  }

  void flip_path(std::size_t start, std::size_t end, const std::vector<std::size_t>& previous) {
    for (std::size_t j = end; j != kNone; j = previous[j])
      match_[j] = previous[j] == kNone ? start : match_[previous[j]];
  }

  const WeightMatrix& weights_;
  bool transposed_;
  const std::vector<std::size_t>& left_;
  const std::vector<std::size_t>& right_;
  std::vector<double> left_price_;
  std::vector<double> right_price_;
  std::vector<std::size_t> match_;  // of a right node its left node
};

}  // namespace

std::vector<int> assign(const WeightMatrix& weights) {
  std::vector<int> column_of_row(weights.rows(), kUnassigned);
  for (const Group& group : groups_of(weights)) Solver(weights, group).solve(column_of_row);
  return column_of_row;
}

}  // namespace sightline
