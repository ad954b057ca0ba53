// SPDX-License-Identifier: LGPL-2.1-or-later

#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "app/wall.h"

namespace sightline {
namespace {

TEST(WallLayout, TilesAreWithinTheWallAndDoNotOverlap) {
  for (std::size_t tiles = 1; tiles <= 100; ++tiles) {
    const WallLayout layout = WallLayout::of(tiles);
    std::set<std::pair<int, int>> corners;
    for (std::size_t tile = 0; tile < tiles; ++tile) {
      const int x = layout.x(tile), y = layout.y(tile);
      EXPECT_TRUE(corners.emplace(x, y).second) << tiles;
      EXPECT_EQ(x % layout.tile.width, 0);
      EXPECT_EQ(y % layout.tile.height, 0);
      EXPECT_LE(x + layout.tile.width, layout.wall.width) << tiles;
      EXPECT_LE(y + layout.tile.height, layout.wall.height) << tiles;
    }
    EXPECT_EQ(layout.tile.width % 2 + layout.tile.height % 2, 0);
  }
}

TEST(WallLayout, OneTileIsTheWhole) {
  const WallLayout layout = WallLayout::of(1);
  EXPECT_EQ(layout.tile, layout.wall);
}

}  // namespace
}  // namespace sightline
