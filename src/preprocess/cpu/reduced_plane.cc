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
#include <hwy/cache_control.h>
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

// The rows of bytes that a row of blocks is made of: `count` of them, or fewer at the plane's lower
// edge, where the last one stands for those that are missing.
struct BlockRows {
  const std::uint8_t* first;
  std::ptrdiff_t stride;
  int count;
  int last;

  HWY_INLINE const std::uint8_t* row(int i) const { return first + std::min(i, last) * stride; }
};

// sums[i] = Σ bytes[i], of a vector of bytes. `even` and `odd` hold the sums of bytes of even and
// odd place as words.
template <typename V>
HWY_INLINE void SumVector(const BlockRows& rows, int at, V& even, V& odd) {
  const V low = hn::Set(du16, 0xff);
  const hn::Repartition<std::uint8_t, decltype(du16)> bytes;
  even = odd = hn::Zero(du16);
  for (int i = 0; i < rows.count; ++i) {
    const V v = hn::BitCast(du16, hn::LoadU(bytes, rows.row(i) + at));
    hwy::Prefetch(rows.first + (rows.count + i) * rows.stride + at);  // for the next row of blocks
    even = hn::Add(even, hn::And(v, low));
    odd = hn::Add(odd, hn::ShiftRight<8>(v));
  }
}

// Of every two neighbouring samples of `step` bytes, 1 or 2, the sum over all rows, as words in
// order: of n bytes, n ÷ 2 words. Whole vectors of bytes only.
void SumPairs(const BlockRows& rows, int step, int n, std::uint16_t* HWY_RESTRICT sums) {
  const hn::Repartition<std::uint32_t, decltype(du16)> du32;
  for (int i = 0; i < n; i += 2 * Lanes()) {
    auto even = hn::Zero(du16), odd = even;
    SumVector(rows, i, even, odd);
    auto pairs = hn::Add(even, odd);
    if (step == 2) {
      const auto add_halves = [&](auto v) HWY_ATTR {
        const auto words = hn::BitCast(du32, v);
        return hn::Add(hn::And(words, hn::Set(du32, 0xffff)), hn::ShiftRight<16>(words));
      };
      pairs = hn::BitCast(du16, hn::Or(add_halves(even), hn::ShiftLeft<16>(add_halves(odd))));
    }
    hn::StoreU(pairs, du16, sums + i / 2);
  }
}

// sums[i] = Σ bytes[i]
void SumBytes(const BlockRows& rows, int n, std::uint16_t* HWY_RESTRICT sums) {
  int i = 0;
  for (; i + Lanes() <= n; i += Lanes()) {
    auto sum = hn::Zero(du16);
    for (int r = 0; r < rows.count; ++r)
      sum = hn::Add(sum, hn::PromoteTo(du16, hn::LoadU(du8, rows.row(r) + i)));
    hn::StoreU(sum, du16, sums + i);
  }
  for (; i < n; ++i) {
    sums[i] = 0;
    for (int r = 0; r < rows.count; ++r)
      sums[i] = static_cast<std::uint16_t>(sums[i] + rows.row(r)[i]);
  }
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

// Row `y` of blocks: `blocks` counts them along a row. `sums` has room for the samples of a row of
// blocks.
void ReduceRow(const SamplePlane& plane, int side, Span blocks, int y, std::uint16_t* sums,
               std::uint8_t* to) {
  const int step = plane.step, count = blocks.end - blocks.begin;
  const Span samples{blocks.begin * side, std::min(blocks.end * side, plane.size.width)};
  const int bytes = plane.row_bytes(samples), wanted = count * side * step;
  const BlockRows rows{plane.row(y * side) + samples.begin * step, plane.stride, side,
                       std::min(side, plane.size.height - y * side) - 1};
  // Pairs are summed as they are read, as far as whole vectors go, but for the outermost sample,
  // which may have to be repeated.
  const int paired = step <= 2 ? std::max(bytes - step, 0) / (2 * Lanes()) * (2 * Lanes()) : 0;
  if (paired > 0) SumPairs(rows, step, paired, sums);
  std::uint16_t* const rest = sums + paired / 2;
  SumBytes({rows.first + paired, rows.stride, side, rows.last}, bytes - paired, rest);
  for (int i = bytes - paired; i < wanted - paired; ++i) rest[i] = i < step ? 0 : rest[i - step];
  AddNeighbours(step, (wanted - paired) / (2 * step), rest);
  for (int n = count * side / 4; n >= count; n /= 2) AddNeighbours(step, n, sums);
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
  const sampling::Bounds box = job.bounds(map);
  const Span columns = blocks_of(box.left, box.right, side, plane.size.width);
  const Span rows = blocks_of(box.top, box.bottom, side, plane.size.height);

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
