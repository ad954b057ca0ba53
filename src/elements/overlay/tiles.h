// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which parts of a frame sprites lie on, so that nothing is done for the others.

#pragma once

#include <vector>

#include "elements/overlay/cuda/drawing.h"
#include "elements/overlay/sprite.h"

namespace sightline {

struct Tiles {
  std::vector<cuda::DrawnTile> tiles;
  std::vector<int> order;  // see DrawnTile
};

// Of sprites that are each at least partly in a frame of this size.
Tiles tiles_of(const Sprites& sprites, Size frame);

}  // namespace sightline
