// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/grid.h"

#include <algorithm>

namespace sightline {
namespace {

int cell_of(float position, float origin, float length, int count) {
  const double share = (double{position} - origin) / length;
  return static_cast<int>(std::clamp(share * count, 0.0, count - 1.0));
}

}  // namespace

Grid::Grid(std::span<const Extent> extents, const Rect& area) : area_(area) {
  const auto visit = [&](auto&& action) {
    for (std::uint32_t i = 0; i < extents.size(); ++i) {
      const Cells cells = cells_of(extents[i]);
      for (int row = cells.top; row <= cells.bottom; ++row)
        for (int column = cells.left; column <= cells.right; ++column)
          action(cell_at(row, column), i);
    }
  };
  visit([&](std::size_t cell, std::uint32_t) { ++first_[cell + 1]; });
  for (std::size_t cell = 0; cell + 1 < first_.size(); ++cell) first_[cell + 1] += first_[cell];
  items_.resize(first_.back());
  auto next = first_;
  visit([&](std::size_t cell, std::uint32_t i) { items_[next[cell]++] = i; });
}

std::span<const std::uint32_t> Grid::near(Point p) const {
  const std::size_t cell = cell_at(row_of(p.y), column_of(p.x));
  return std::span(items_).subspan(first_[cell], first_[cell + 1] - first_[cell]);
}

void Grid::near(Point p, Point q, std::vector<std::uint32_t>& found) const {
  found.clear();
  const Point ends[] = {p, q};
  const Cells cells = cells_of(extent_of(ends));
  for (int row = cells.top; row <= cells.bottom; ++row) {
    const auto begin = first_[cell_at(row, cells.left)];
    const auto end = first_[cell_at(row, cells.right) + 1];
    found.insert(found.end(), items_.begin() + begin, items_.begin() + end);
  }
  if (cells.left == cells.right && cells.top == cells.bottom) return;
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
}

int Grid::column_of(float x) const { return cell_of(x, area_.x, area_.width, kSide); }

int Grid::row_of(float y) const { return cell_of(y, area_.y, area_.height, kSide); }

Grid::Cells Grid::cells_of(const Extent& extent) const {
  return {column_of(extent.left), row_of(extent.top), column_of(extent.right),
          row_of(extent.bottom)};
}

}  // namespace sightline
