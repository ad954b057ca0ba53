// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A warp without a border: the part of a plane that it touches, in which each position has its
// sample and the three to the right and below in one word, so that a bilinear sample is one load.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "preprocess/cpu/scratch.h"
#include "preprocess/job.h"

namespace sightline::cpu {

using sampling::Grid;
using sampling::Job;
using sampling::SamplePlane;
using sampling::Span;

// Positions of a tensor row are computed so many at a time.
inline constexpr int kQuadBlock = 64;

struct QuadPlane {
  int channels = 0;  // 0: the plane is not worth packing
  std::array<const std::uint32_t*, 3> quads{};
  std::array<std::size_t, 3> component{};  // that each channel is
  int width = 0, height = 0;               // in quads
  Affine2 from_tensor;  // to quads, whose first samples have their centres at whole numbers
  Grid grid{1, 1};      // samples of a tensor pixel, which are averaged
  // How far each position of a block is from the first, in 16.16 fixed point.
  const std::int32_t* step_x = nullptr;
  const std::int32_t* step_y = nullptr;
};

// Packs what `job` needs of `plane`, whose outermost samples repeat, for so many samples of each
// tensor pixel. Not where that would be many more quads than samples.
QuadPlane pack_quads(const Job& job, const SamplePlane& plane, Grid grid, QuadScratch& scratch);

// The plane's components of `columns` of tensor row `y`, with 14 fractional bits.
void sample_quads(const QuadPlane& plane, int y, Span columns, std::array<Row<float>, 3>& out);

}  // namespace sightline::cpu
