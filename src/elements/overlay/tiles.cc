// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/tiles.h"

#include <algorithm>
#include <map>
#include <utility>

namespace sightline {

Tiles tiles_of(const Sprites& sprites, Size frame) {
  constexpr int kSide = cuda::kDrawnTile;
  std::map<std::pair<int, int>, std::vector<int>> met;  // by row and column
  for (std::size_t i = 0; i < sprites.size(); ++i) {
    const auto& [sprite, x, y] = sprites[i];
    const int right = std::min(x + sprite->size().width, frame.width);
    const int bottom = std::min(y + sprite->size().height, frame.height);
    for (int row = std::max(y, 0) / kSide; row * kSide < bottom; ++row)
      for (int column = std::max(x, 0) / kSide; column * kSide < right; ++column)
        met[{row, column}].push_back(static_cast<int>(i));
  }
  Tiles result;
  for (const auto& [place, numbers] : met) {
    result.tiles.push_back({place.second * kSide, place.first * kSide,
                            static_cast<int>(result.order.size()),
                            static_cast<int>(numbers.size())});
    result.order.insert(result.order.end(), numbers.begin(), numbers.end());
  }
  return result;
}

}  // namespace sightline
