// SPDX-License-Identifier: LGPL-2.1-or-later
//
// This file is compiled once for each instruction set.

#include "preprocess/cpu/reduced_plane.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#define HWY_WANT_AVX3_DL
#define HWY_BROKEN_EMU128 0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "preprocess/cpu/reduced_plane.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sightline::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

const hn::ScalableTag<std::uint16_t> du16;
const hn::Rebind<std::uint8_t, decltype(du16)> du8;

HWY_INLINE int Lanes() { return static_cast<int>(hn::Lanes(du16)); }

// sum[i] += from[i]
void AddBytes(const std::uint8_t* HWY_RESTRICT from, int n, std::uint16_t* HWY_RESTRICT sum) {
  int i = 0;
  for (; i + Lanes() <= n; i += Lanes())
    hn::StoreU(hn::Add(hn::LoadU(du16, sum + i), hn::PromoteTo(du16, hn::LoadU(du8, from + i))),
               du16, sum + i);
  for (; i < n; ++i) sum[i] = static_cast<std::uint16_t>(sum[i] + from[i]);
}

// Samples of sizeof(Unit) ÷ 2 words each: of every two neighbours the sum, in place. Both fit into
// one unit, since no word overflows.
template <typename Unit>
void AddUnits(int pairs, std::uint16_t* sums) {
  const hn::ScalableTag<Unit> d;
  const int lanes = static_cast<int>(hn::Lanes(d));
  constexpr int kWords = sizeof(Unit) / sizeof(std::uint16_t);
  const auto load = [&](int unit)
                        HWY_ATTR { return hn::BitCast(d, hn::LoadU(du16, sums + unit * kWords)); };
  for (int i = 0; i < pairs; i += lanes) {  // up to a vector more, which scratch memory has
    const auto low = load(2 * i), high = load(2 * i + lanes);
    const auto even = hn::BitCast(du16, hn::ConcatEven(d, high, low));
    const auto odd = hn::BitCast(du16, hn::ConcatOdd(d, high, low));
    hn::StoreU(hn::Add(even, odd), du16, sums + i * kWords);
  }
}

void AddNeighbours(int step, int pairs, std::uint16_t* sums) {
  switch (step) {
    case 1:
      return AddUnits<std::uint16_t>(pairs, sums);
    case 2:
      return AddUnits<std::uint32_t>(pairs, sums);
    case 4:
      return AddUnits<std::uint64_t>(pairs, sums);
    default:
      for (int i = 0; i < pairs; ++i)
        for (int c = 0; c < step; ++c)
          sums[i * step + c] =
              static_cast<std::uint16_t>(sums[2 * i * step + c] + sums[(2 * i + 1) * step + c]);
  }
}

// to[i] = sum[i] ÷ 2^bits, rounded
void Divide(const std::uint16_t* HWY_RESTRICT sum, int bits, int n, std::uint8_t* HWY_RESTRICT to) {
  const auto half = hn::Set(du16, static_cast<std::uint16_t>(1 << (bits - 1)));
  for (int i = 0; i < n; i += Lanes()) {
    const auto rounded = hn::Add(hn::LoadU(du16, sum + i), half);
    hn::StoreU(hn::DemoteTo(du8, hn::BitCast(hn::RebindToSigned<decltype(du16)>(),
                                             hn::ShiftRightSame(rounded, bits))),
               du8, to + i);
  }
}

}  // namespace

// Row `y` of blocks: `blocks` counts them along a row.
void ReduceRow(const SamplePlane& plane, int side, Span blocks, int y, std::uint16_t* sums,
               std::uint8_t* to) {
  const int step = plane.step, count = blocks.end - blocks.begin;
  const Span samples{blocks.begin * side, std::min(blocks.end * side, plane.size.width)};
  const int bytes = plane.row_bytes(samples);
  std::memset(sums, 0, static_cast<std::size_t>(count * side * step) * sizeof *sums);
  for (int i = 0; i < side; ++i) {
    const int row = std::min(y * side + i, plane.size.height - 1);
    AddBytes(plane.row(row) + samples.begin * step, bytes, sums);
  }
  for (int i = samples.end - samples.begin; i < count * side; ++i)
    std::copy_n(sums + (i - 1) * step, step, sums + i * step);
  for (int n = count * side / 2; n >= count; n /= 2) AddNeighbours(step, n, sums);
  Divide(sums, 2 * std::countr_zero(static_cast<unsigned>(side)), count * step, to);
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline::cpu {

HWY_EXPORT(ReduceRow);

namespace {

// The blocks of [0, size) that positions from `low` to `high` touch, with a neighbour on each side
// for interpolation.
Span blocks_of(double low, double high, int side, int size) {
  const int count = (size + side - 1) / side;
  const auto block = [&](double position) {
    return static_cast<int>(std::clamp(std::floor(position / side), 0.0, count - 1.0));
  };
  return {std::max(block(low) - 1, 0), std::min(block(high) + 2, count)};
}

}  // namespace

SamplePlane reduce(const Job& job, const SamplePlane& plane, int side, ReducedScratch& scratch) {
  const Affine2 map = job.to_plane(plane);
  double x[2] = {INFINITY, -INFINITY}, y[2] = {INFINITY, -INFINITY};
  for (const int column : {job.columns.begin, job.columns.end})
    for (const int row : {job.rows.begin, job.rows.end}) {
      const double px = map.xx * column + map.xy * row + map.x0;
      const double py = map.yx * column + map.yy * row + map.y0;
      x[0] = std::min(x[0], px), x[1] = std::max(x[1], px);
      y[0] = std::min(y[0], py), y[1] = std::max(y[1], py);
    }
  const Span columns = blocks_of(x[0], x[1], side, plane.size.width);
  const Span rows = blocks_of(y[0], y[1], side, plane.size.height);

  SamplePlane reduced = plane;
  reduced.size = {columns.end - columns.begin, rows.end - rows.begin};
  reduced.stride = reduced.size.width * plane.step;
  const auto words = static_cast<std::size_t>(reduced.stride) * static_cast<std::size_t>(side);
  std::uint16_t* sums = scratch.sums.reserve(words);
  std::uint8_t* data = scratch.samples.reserve(static_cast<std::size_t>(reduced.stride) *
                                               static_cast<std::size_t>(reduced.size.height));
  for (int row = rows.begin; row < rows.end; ++row) HWY_DYNAMIC_DISPATCH(ReduceRow)
  (plane, side, columns, row, sums, data + (row - rows.begin) * reduced.stride);
  reduced.data = data;
  const double scale = 1.0 / side;
  reduced.from_frame =
      Affine2{scale, 0, -1.0 * columns.begin, 0, scale, -1.0 * rows.begin} * plane.from_frame;
  return reduced;
}

}  // namespace sightline::cpu
#endif  // HWY_ONCE
