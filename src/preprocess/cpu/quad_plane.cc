// SPDX-License-Identifier: LGPL-2.1-or-later
//
// This file is compiled once for each instruction set.

#include "preprocess/cpu/quad_plane.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "preprocess/cpu/taps.h"

#define HWY_WANT_AVX3_DL
#define HWY_BROKEN_EMU128 0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "preprocess/cpu/quad_plane.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sightline::cpu {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

const hn::ScalableTag<float> df;
const hn::RebindToSigned<decltype(df)> di32;
const hn::RebindToUnsigned<decltype(df)> du32;
const hn::Repartition<std::int16_t, decltype(df)> di16;
using VF = hn::Vec<decltype(df)>;
using VI32 = hn::Vec<decltype(di32)>;
using VU32 = hn::Vec<decltype(du32)>;

HWY_INLINE int Lanes() { return static_cast<int>(hn::Lanes(df)); }

// ---- Packing ----

const hn::CappedTag<std::uint8_t, 16> d8;

// Samples `x` on of a row, `n` of them, to a row for each channel.
template <int kStep>
void Separate(const std::uint8_t* from, const SamplePlane& plane, int n,
              const std::array<std::uint8_t*, 3>& to) {
  const int lanes = static_cast<int>(hn::Lanes(d8));
  const auto channels = static_cast<std::size_t>(plane.channels);
  int x = 0;
  for (; x + lanes < n; x += lanes) {  // not the last one: its step may reach over the row's end
    hn::Vec<decltype(d8)> v[4] = {hn::Zero(d8), hn::Zero(d8), hn::Zero(d8), hn::Zero(d8)};
    if constexpr (kStep == 2) hn::LoadInterleaved2(d8, from + kStep * x, v[0], v[1]);
    if constexpr (kStep == 3) hn::LoadInterleaved3(d8, from + kStep * x, v[0], v[1], v[2]);
    if constexpr (kStep == 4) hn::LoadInterleaved4(d8, from + kStep * x, v[0], v[1], v[2], v[3]);
    for (std::size_t c = 0; c < channels; ++c) hn::StoreU(v[plane.offset[c]], d8, to[c] + x);
  }
  for (; x < n; ++x)
    for (std::size_t c = 0; c < channels; ++c) to[c][x] = from[kStep * x + plane.offset[c]];
}

// Row `y` of a plane that goes on for ever, samples of `columns` and one more.
void SeparateRow(const SamplePlane& plane, int y, Span columns,
                 const std::array<std::uint8_t*, 3>& to) {
  const std::uint8_t* row = plane.row(std::clamp(y, 0, plane.size.height - 1));
  const int last = plane.size.width - 1, end = columns.end + 1;
  const int first = std::clamp(columns.begin, 0, last), n = std::clamp(end, 1, last + 1) - first;
  const int before = first - columns.begin;
  std::array<std::uint8_t*, 3> inner{};
  for (std::size_t c = 0; c < static_cast<std::size_t>(plane.channels); ++c)
    inner[c] = to[c] + before;
  const std::uint8_t* from = row + first * plane.step;
  switch (plane.step) {
    case 1:
      std::memcpy(inner[0], from + plane.offset[0], static_cast<std::size_t>(n));
      break;
    case 2:
      Separate<2>(from, plane, n, inner);
      break;
    case 3:
      Separate<3>(from, plane, n, inner);
      break;
    default:
      Separate<4>(from, plane, n, inner);
  }
  for (std::size_t c = 0; c < static_cast<std::size_t>(plane.channels); ++c) {
    std::fill_n(to[c], before, inner[c][0]);
    std::fill_n(inner[c] + n, end - columns.begin - before - n, inner[c][n - 1]);
  }
}

void PackRow(const std::uint8_t* HWY_RESTRICT top, const std::uint8_t* HWY_RESTRICT bottom, int n,
             std::uint32_t* HWY_RESTRICT quads) {
  const hn::Rebind<std::uint8_t, decltype(du32)> bytes;
  for (int x = 0; x < n; x += Lanes()) {
    const auto at = [bytes](const std::uint8_t* from)
                        HWY_ATTR { return hn::PromoteTo(du32, hn::LoadU(bytes, from)); };
    const VU32 left = hn::Or(at(top + x), hn::ShiftLeft<8>(at(bottom + x)));
    const VU32 right = hn::Or(at(top + x + 1), hn::ShiftLeft<8>(at(bottom + x + 1)));
    hn::StoreU(hn::Or(left, hn::ShiftLeft<16>(right)), du32, quads + x);
  }
}

// ---- Sampling ----

constexpr int kFixedBits = 16;

// a[2i]·b[2i] + a[2i+1]·b[2i+1]
HWY_INLINE VI32 SumOfProducts(VI32 a, VI32 b) {
  const auto a16 = hn::BitCast(di16, a), b16 = hn::BitCast(di16, b);
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128
  VI32 unused = hn::Zero(di32);  // x86 multiplies pairs that lie side by side
  return hn::ReorderWidenMulAccumulate(di32, a16, b16, hn::Zero(di32), unused);
#else
  (void)a16, (void)b16;
  const auto low = [](VI32 v) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(v)); };
  return hn::Add(hn::Mul(low(a), low(b)), hn::Mul(hn::ShiftRight<16>(a), hn::ShiftRight<16>(b)));
#endif
}

// The positions of a block's samples, in 16.16 fixed point.
struct Positions {
  std::int32_t x, y;  // of the first
  const std::int32_t* HWY_RESTRICT step_x;
  const std::int32_t* HWY_RESTRICT step_y;

  HWY_INLINE VI32 x_at(int i) const {
    return hn::Add(hn::Set(di32, x), hn::Load(di32, step_x + i));
  }
  HWY_INLINE VI32 y_at(int i) const {
    return hn::Add(hn::Set(di32, y), hn::Load(di32, step_y + i));
  }
};

std::int32_t Fixed(double value) {
  return static_cast<std::int32_t>(std::lrint(value * (1 << kFixedBits)));
}

// Of the sample (i, j) of the grid in each tensor pixel from (x, y) on.
Positions PositionsFrom(const QuadPlane& plane, int x, int y, int i, int j) {
  const Affine2& map = plane.from_tensor;
  const double cx = x + (i + 0.5) / plane.grid.across, cy = y + (j + 0.5) / plane.grid.down;
  return {Fixed(map.xx * cx + map.xy * cy + map.x0), Fixed(map.yx * cx + map.yy * cy + map.y0),
          plane.step_x, plane.step_y};
}

// Where the quads of positions are; `row` is width << 16 | 1.
HWY_INLINE VI32 IndexOf(VI32 x, VI32 y, VI32 row) {
  const VI32 whole = hn::Set(di32, static_cast<std::int32_t>(0xffff0000u));
  return SumOfProducts(hn::Or(hn::And(y, whole), hn::ShiftRight<kFixedBits>(x)), row);
}

// How far the four samples of positions count.
struct Weights {
  VI32 across;  // of left and right, 16 bits each
  VF down;      // of the lower ones

  HWY_INLINE Weights(VI32 x, VI32 y) {
    const VI32 fraction = hn::Set(di32, (1 << kFixedBits) - 1);
    const VI32 right = hn::ShiftRight<kFixedBits - kColumnBits>(hn::And(x, fraction));
    across = hn::Or(hn::Sub(hn::Set(di32, 1 << kColumnBits), right), hn::ShiftLeft<16>(right));
    down = hn::Mul(hn::ConvertTo(df, hn::And(y, fraction)), hn::Set(df, 1.0f / (1 << kFixedBits)));
  }
};

// The bilinear samples.
HWY_INLINE VF Weigh(VU32 quads, const Weights& weights) {
  const VU32 even = hn::Set(du32, 0x00ff00ffu);
  const auto row = [&](VU32 pairs) HWY_ATTR {
    return SumOfProducts(hn::BitCast(di32, hn::And(pairs, even)), weights.across);
  };
  const VI32 top = row(quads), bottom = row(hn::ShiftRight<8>(quads));
  return hn::MulAdd(hn::ConvertTo(df, hn::Sub(bottom, top)), weights.down, hn::ConvertTo(df, top));
}

constexpr int kMostGathered = 4;  // samples of a tensor pixel
#if HWY_TARGET <= HWY_AVX3
constexpr bool kGathers = true;  // measured: a sixth faster than loads one by one
#else
constexpr bool kGathers = false;
#endif

// The means of the grids of samples of `count` tensor pixels, from (x, y) on.
template <int kChannels>
void GatherBlock(const QuadPlane& plane, int x, int y, int count,
                 const std::array<float*, 3>& out) {
  const VI32 row = hn::Set(di32, plane.width << 16 | 1);
  const VU32 last = hn::Set(du32, static_cast<std::uint32_t>(plane.width * plane.height - 1));
  const int samples = plane.grid.across * plane.grid.down;
  const VF share = hn::Set(df, 1.0f / static_cast<float>(samples));
  Positions at[kMostGathered];
  for (int s = 0; s < samples; ++s)
    at[s] = PositionsFrom(plane, x, y, s % plane.grid.across, s / plane.grid.across);
  for (int i = 0; i < count; i += Lanes()) {
    VF sum[kChannels];
    for (int c = 0; c < kChannels; ++c) sum[c] = hn::Zero(df);
    for (int s = 0; s < samples; ++s) {
      const VI32 px = at[s].x_at(i), py = at[s].y_at(i);
      // What lies behind the last tensor pixel may lie anywhere.
      const VU32 index = hn::Min(hn::BitCast(du32, IndexOf(px, py, row)), last);
      const Weights weights(px, py);
      for (int c = 0; c < kChannels; ++c) {
        const VU32 quads = hn::GatherIndex(du32, plane.quads[static_cast<std::size_t>(c)],
                                           hn::BitCast(di32, index));
        sum[c] = hn::Add(sum[c], Weigh(quads, weights));
      }
    }
    for (int c = 0; c < kChannels; ++c)
      hn::StoreU(hn::Mul(sum[c], share), df, out[static_cast<std::size_t>(c)] + i);
  }
}

struct QuadBlock {
  alignas(64) std::int32_t index[kQuadBlock];
  alignas(64) std::uint32_t quads[kQuadBlock];
  alignas(64) float sum[3][kQuadBlock];
};

// sum[i] += the bilinear sample.
void AddSamples(const Positions& at, const std::uint32_t* HWY_RESTRICT quads, int count,
                float* HWY_RESTRICT sum) {
  for (int i = 0; i < count; i += Lanes()) {
    const VF sample = Weigh(hn::Load(du32, quads + i), Weights(at.x_at(i), at.y_at(i)));
    hn::Store(hn::Add(hn::Load(df, sum + i), sample), df, sum + i);
  }
}

void FetchQuads(const std::uint32_t* HWY_RESTRICT quads, const std::int32_t* HWY_RESTRICT index,
                int count, std::uint32_t* HWY_RESTRICT to) {
  constexpr int kAtOnce = 8;
  int i = 0;
  for (; i + kAtOnce <= count; i += kAtOnce) {
    HWY_UNROLL(8)
    for (int k = 0; k < kAtOnce; ++k) to[i + k] = quads[index[i + k]];
  }
  for (; i < count; ++i) to[i] = quads[index[i]];
}

// As GatherBlock().
void SampleBlock(const QuadPlane& plane, int x, int y, int count,
                 const std::array<float*, 3>& out) {
  QuadBlock block;
  const VI32 row = hn::Set(di32, plane.width << 16 | 1);
  const auto channels = static_cast<std::size_t>(plane.channels);
  for (std::size_t c = 0; c < channels; ++c) std::fill_n(block.sum[c], kQuadBlock, 0.0f);
  for (int j = 0; j < plane.grid.down; ++j)
    for (int i = 0; i < plane.grid.across; ++i) {
      const Positions at = PositionsFrom(plane, x, y, i, j);
      for (int k = 0; k < count; k += Lanes())
        hn::Store(IndexOf(at.x_at(k), at.y_at(k), row), di32, block.index + k);
      for (std::size_t c = 0; c < channels; ++c) {
        FetchQuads(plane.quads[c], block.index, count, block.quads);
        AddSamples(at, block.quads, count, block.sum[c]);
      }
    }
  const VF share = hn::Set(df, 1.0f / static_cast<float>(plane.grid.across * plane.grid.down));
  for (std::size_t c = 0; c < channels; ++c)
    for (int i = 0; i < count; i += Lanes())
      hn::StoreU(hn::Mul(hn::Load(df, block.sum[c] + i), share), df, out[c] + i);
}

}  // namespace

void PackQuads(const SamplePlane& plane, Span columns, Span rows,
               const std::array<std::uint32_t*, 3>& quads, QuadScratch& scratch) {
  const auto channels = static_cast<std::size_t>(plane.channels);
  const int width = columns.end - columns.begin;
  std::array<std::uint8_t*, 3> top{}, bottom{};
  for (std::size_t c = 0; c < channels; ++c) {
    top[c] = scratch.rows[0][c].reserve(static_cast<std::size_t>(width) + 1);
    bottom[c] = scratch.rows[1][c].reserve(static_cast<std::size_t>(width) + 1);
  }
  SeparateRow(plane, rows.begin, columns, top);
  std::size_t at = 0;
  for (int y = rows.begin; y < rows.end; ++y, at += static_cast<std::size_t>(width)) {
    SeparateRow(plane, y + 1, columns, bottom);
    for (std::size_t c = 0; c < channels; ++c) PackRow(top[c], bottom[c], width, quads[c] + at);
    std::swap(top, bottom);
  }
}

void SampleQuads(const QuadPlane& plane, int y, Span columns, std::array<Row<float>, 3>& out) {
  const bool gathers = kGathers && plane.grid.across * plane.grid.down <= kMostGathered;
  for (int x = columns.begin; x < columns.end; x += kQuadBlock) {
    const int count = std::min(kQuadBlock, columns.end - x);
    std::array<float*, 3> to{};
    for (std::size_t c = 0; c < static_cast<std::size_t>(plane.channels); ++c)
      to[c] = out[plane.component[c]].get() + x;
    if (!gathers)
      SampleBlock(plane, x, y, count, to);
    else if (plane.channels == 1)
      GatherBlock<1>(plane, x, y, count, to);
    else if (plane.channels == 2)
      GatherBlock<2>(plane, x, y, count, to);
    else
      GatherBlock<3>(plane, x, y, count, to);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline::cpu {

HWY_EXPORT(PackQuads);
HWY_EXPORT(SampleQuads);

namespace {

// Packing is a fraction of sampling; but a warp that leaves most samples out reads them where they
// are, and one of a huge region does not ask for as huge a memory.
constexpr double kMostQuadsASample = 4, kSmallWindow = 4096, kLargestWindow = 1 << 20;
// Numbers of 16 bits with a sign.
constexpr int kLongestSide = std::numeric_limits<std::int16_t>::max();

// What positions between `low` and `high` need, of samples −margin to size + margin.
Span touched(double low, double high, int margin, int size) {
  constexpr double kRounding = 0.01;
  const double first = std::clamp(std::floor(low - kRounding), -1.0 - margin, size - 1.0);
  const double last = std::clamp(std::floor(high + kRounding), 0.0, 1.0 * size + margin);
  return {static_cast<int>(first), static_cast<int>(last) + 1};
}

}  // namespace

QuadPlane pack_quads(const Job& job, const SamplePlane& plane, Grid grid, QuadScratch& scratch) {
  const Affine2 map = Affine2::translation(-0.5, -0.5) * job.to_plane(plane);
  const sampling::Bounds box = job.bounds(map);
  // Tensor pixels whose centres lie in the frame reach over its edges by half of their size.
  const auto reach = [](double across, double down) {
    return std::ceil((std::abs(across) + std::abs(down)) / 2) + 1;
  };
  const double over_x = reach(map.xx, map.xy), over_y = reach(map.yx, map.yy);
  const double samples = 1.0 * (job.columns.end - job.columns.begin) *
                         (job.rows.end - job.rows.begin) * grid.across * grid.down;
  const double most = std::min(kMostQuadsASample * samples + kSmallWindow, kLargestWindow);
  if (!(over_x < kLongestSide && over_y < kLongestSide)) return {};
  const Span columns = touched(box.left, box.right, static_cast<int>(over_x), plane.size.width);
  const Span rows = touched(box.top, box.bottom, static_cast<int>(over_y), plane.size.height);
  const int width = columns.end - columns.begin, height = rows.end - rows.begin;
  if (width > kLongestSide || height > kLongestSide || 1.0 * width * height > most) return {};

  QuadPlane packed;
  packed.channels = plane.channels;
  packed.width = width;
  packed.height = height;
  packed.grid = grid;
  packed.from_tensor = Affine2::translation(-columns.begin, -rows.begin) * map;
  std::array<std::uint32_t*, 3> quads{};
  for (std::size_t c = 0; c < static_cast<std::size_t>(plane.channels); ++c) {
    quads[c] = scratch.quads[c].reserve(static_cast<std::size_t>(width) *
                                        static_cast<std::size_t>(height));
    packed.quads[c] = quads[c];
    packed.component[c] = static_cast<std::size_t>(plane.component[c]);
  }
  std::int32_t* step_x = scratch.step_x.reserve(kQuadBlock);
  std::int32_t* step_y = scratch.step_y.reserve(kQuadBlock);
  for (int i = 0; i < kQuadBlock; ++i) {
    step_x[i] = static_cast<std::int32_t>(std::lrint(map.xx * i * 65536));
    step_y[i] = static_cast<std::int32_t>(std::lrint(map.yx * i * 65536));
  }
  packed.step_x = step_x;
  packed.step_y = step_y;
  HWY_DYNAMIC_DISPATCH(PackQuads)(plane, columns, rows, quads, scratch);
  return packed;
}

void sample_quads(const QuadPlane& plane, int y, Span columns, std::array<Row<float>, 3>& out) {
  HWY_DYNAMIC_DISPATCH(SampleQuads)(plane, y, columns, out);
}

}  // namespace sightline::cpu
#endif  // HWY_ONCE
