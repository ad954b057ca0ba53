// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which samples of a row or column of a plane a position is made of, and their weights. At the
// borders the outermost sample repeats.

#pragma once

#include "preprocess/cpu/job.h"
#include "preprocess/cpu/scratch.h"

namespace sightline::cpu {

// The two samples around a position and the weight of the second. In a plane of one sample there is
// no `first + 1`.
struct Tap {
  int first;
  float weight;
};
Tap bilinear_tap(double position, int size);

// The samples under [position − width/2, position + width/2] and their weights: `edge[0]` of the
// first, `inner` of those between, `edge[1]` of the last.
struct AreaTap {
  int first, last;
  float inner;
  std::array<float, 2> edge;

  float weight(int sample) const {
    return sample == first ? edge[0] : sample == last ? edge[1] : inner;
  }
};
AreaTap area_tap(double position, double width, int size);

// The width of an area tap: a tensor pixel's footprint, but no less than one sample, which makes
// area and bilinear equal where the region is magnified.
double footprint(double step);

// How many samples of a warp the area filter averages, along a tensor pixel's width and height: one
// for each source pixel that the pixel is long there.
struct Grid {
  int across, down;
};
Grid supersampling(const Affine2& to_frame);

// Weights of columns have 14 fractional bits, so that 1 fits into a signed 16-bit number.
inline constexpr int kColumnBits = 14;

// Fills `index` with where the first tap of each of `columns` begins (in bytes of a row, less
// `first`·step) and `weights` with the weights of both; each weight twice if `twice`. Returns the
// samples of a row that are needed.
Span bilinear_columns(const SamplePlane& plane, const Affine2& to_plane, Span columns, bool twice,
                      PlaneScratch& scratch);

// For permutations of 512 bits: of each block of 16 columns (8 if `pairs` of channels are picked at
// once) `origin` is where its taps begin, as in `index`, and `lanes` where they are from there:
// first and second tap of each column, or those of the first channel, then of the second. Returns
// how many tables of 64 samples every block's taps lie in at most, or 0 if they are so far apart
// that it is not worth while.
int permutation_tables(const SamplePlane& plane, Span columns, bool pairs, PlaneScratch& scratch);

}  // namespace sightline::cpu
