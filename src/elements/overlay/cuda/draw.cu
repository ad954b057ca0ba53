// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A block of threads draws a tile, a thread 2 × 2 pixels of it.

#include "elements/overlay/cuda/drawing.h"

using sightline::cuda::Drawing;

extern "C" __global__ void draw_tiles(const __grid_constant__ Drawing drawing) {
  sightline::cuda::draw_block(drawing, drawing.tiles[blockIdx.x], threadIdx.x, threadIdx.y);
}
