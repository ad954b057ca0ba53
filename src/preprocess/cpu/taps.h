// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which samples of a row or column of a plane a position is made of, and their weights. At the
// borders the outermost sample repeats.

#pragma once

#include <algorithm>

#include "preprocess/cpu/scratch.h"
#include "preprocess/job.h"

namespace sightline::cpu {

using sampling::Job;
using sampling::SamplePlane;
using sampling::Span;

// The two samples around a position and the weight of the second. In a plane of one sample there is
// no `first + 1`.
struct Tap {
  int first;
  float weight;
};
inline Tap bilinear_tap(double position, int size) {
  const double f = position - 0.5;
  const int first = static_cast<int>(std::clamp(f, 0.0, std::max(size - 2.0, 0.0)));
  return {first, static_cast<float>(std::clamp(f - first, 0.0, 1.0))};
}

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

// Weights of columns have 14 fractional bits, so that 1 fits into a signed 16-bit number.
inline constexpr int kColumnBits = 14;

// Fills `index` with where the first tap of each of `columns` begins (in bytes of a row, from the
// first sample that is needed) and the weights of both. Returns the samples of a row that are
// needed.
Span bilinear_columns(const SamplePlane& plane, const Affine2& to_plane, Span columns,
                      PlaneScratch& scratch);

// Fills `taps`, with `index` in bytes of a row from the first sample that is needed; each column
// has `taps_a_column`, of weight 0 where it needs fewer. Up to a vector of columns behind the last
// one may be computed as well. Returns the samples of a row that are needed.
Span area_columns(const SamplePlane& plane, const Affine2& to_plane, Span columns,
                  AreaScratch& taps, int& taps_a_column);

// What a permutation of 512 bits chooses from: two vectors of 16-bit words.
inline constexpr int kTableWords = 64;

// For permutations of 512 bits of source rows that have not been blended. Of each block of 16
// columns `origin` is where its bytes begin, `lanes` are the 16-bit words in which each column's
// taps begin and go on, and `shuffle` spreads the two taps of a plane of one channel to 16 bits
// each. Returns how many tables of 64 words a block lies in, 1 or 2, or 0 if it must be done
// otherwise: other planes than luma, planar chroma and pairs of chroma, columns too far apart, or a
// row shorter than the tables.
int source_tables(const SamplePlane& plane, Span columns, Span samples, PlaneScratch& scratch);

// Likewise of blended rows, where a sample is a word: of each block of 16 columns (8 of chroma
// pairs) `lanes` are the first and second tap of each column, or those of the first channel, then
// of the second. Returns the number of tables, or 0 if there are too many to be worth while.
int blended_tables(const SamplePlane& plane, Span columns, PlaneScratch& scratch);

}  // namespace sightline::cpu
