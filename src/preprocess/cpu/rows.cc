// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A job, row by row: sample the planes, make colours of the samples, store them as the tensor's
// elements. This file is compiled once for each instruction set.

#include "preprocess/cpu/rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"
#include "preprocess/cpu/moments.h"
#include "preprocess/cpu/quad_plane.h"
#include "preprocess/cpu/reduced_plane.h"
#include "preprocess/cpu/scratch.h"
#include "preprocess/cpu/taps.h"
#include "preprocess/job.h"

// AVX-512 VBMI machines get code of their own, and others than SSSE3 machines the portable vectors:
// GCC 12.2's wrong code for them, for which Highway avoids them, is not met here (the tests say
// so).
#define HWY_WANT_AVX3_DL
#define HWY_BROKEN_EMU128 0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "preprocess/cpu/rows.cc"
#include <hwy/cache_control.h>
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
using VI16 = hn::Vec<decltype(di16)>;
#if HWY_TARGET <= HWY_AVX3
const hn::RebindToUnsigned<decltype(di16)> du16;
using VU16 = hn::Vec<decltype(du16)>;
#endif

HWY_INLINE int Lanes() { return static_cast<int>(hn::Lanes(df)); }

template <typename T>
HWY_INLINE T LoadAny(const void* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

// a[2i]·b[2i] + a[2i+1]·b[2i+1]
HWY_INLINE VI32 SumOfProducts(VI16 a, VI16 b) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128
  VI32 unused = hn::Zero(di32);  // x86 multiplies pairs that lie side by side
  return hn::ReorderWidenMulAccumulate(di32, a, b, hn::Zero(di32), unused);
#else
  const VI32 a32 = hn::BitCast(di32, a), b32 = hn::BitCast(di32, b);
  const auto low = [](VI32 v) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(v)); };
  return hn::Add(hn::Mul(low(a32), low(b32)),
                 hn::Mul(hn::ShiftRight<16>(a32), hn::ShiftRight<16>(b32)));
#endif
}

// ---- Axis-aligned bilinear: two source rows are blended, then columns picked from the blend. ----

// A blended sample has 7 fractional bits; the weight of a row has 15.
constexpr int kSampleBits = 7;
constexpr int kRowBits = 15;

// Two rows of a plane, from the first sample that a column needs, and the weight of the second.
struct RowPair {
  const std::uint8_t* first = nullptr;
  const std::uint8_t* second = nullptr;
  float weight = 0;
};

// Asks for the cache lines that the next tensor row will need, evenly spread over the work for this
// one, so that memory and arithmetic need not wait for each other.
class Prefetch {
 public:
  void add(const RowPair& rows, int bytes) {
    for (const std::uint8_t* row : {rows.first, rows.second}) {
      ranges_[count_++] = {row, row + bytes};
      lines_ += bytes / kLine + 1;
    }
  }

  // `steps`: how often step() will be called.
  void start(int steps) {
    next_ = 0;
    lines_a_step_ = (lines_ + steps - 1) / std::max(steps, 1);
  }

  HWY_INLINE void step() {
    for (int i = 0; i < lines_a_step_; ++i) {
      if (at_ >= end_) {
        if (next_ == count_) return;
        at_ = ranges_[next_].begin;
        end_ = ranges_[next_++].end;
      }
      hwy::Prefetch(at_);
      at_ += kLine;
    }
  }

 private:
  static constexpr int kLine = 64;
  struct Range {
    const std::uint8_t* begin;
    const std::uint8_t* end;
  };

  std::array<Range, 6> ranges_;
  std::size_t count_ = 0, next_ = 0;
  int lines_ = 0, lines_a_step_ = 0;
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
};

// What is one step of work.
constexpr int kBytesAStep = 64, kPixelsAStep = 16;

VI16 RowWeight(float weight) {
  const int fixed =
      std::min(static_cast<int>(std::lrint(weight * (1 << kRowBits))), (1 << kRowBits) - 1);
  return hn::Set(di16, static_cast<std::int16_t>(fixed));
}

// first + (second − first) · weight
HWY_INLINE VI16 Blend(VI16 first, VI16 second, VI16 weight) {
  const VI16 difference = hn::ShiftLeft<kSampleBits>(hn::Sub(second, first));
  return hn::Add(hn::ShiftLeft<kSampleBits>(first), hn::MulFixedPoint15(difference, weight));
}

void BlendRows(const RowPair& rows, int n, std::int16_t* HWY_RESTRICT out, Prefetch& ahead) {
  const hn::Rebind<std::uint8_t, decltype(di16)> du8;
  const int lanes = static_cast<int>(hn::Lanes(di16));
  const VI16 weight = RowWeight(rows.weight);
  const std::uint8_t* HWY_RESTRICT a = rows.first;
  const std::uint8_t* HWY_RESTRICT b = rows.second;
  const auto blend = [weight, du8](const std::uint8_t* pa, const std::uint8_t* pb, std::int16_t* to)
                         HWY_ATTR {
                           const VI16 va = hn::PromoteTo(di16, hn::LoadU(du8, pa));
                           const VI16 vb = hn::PromoteTo(di16, hn::LoadU(du8, pb));
                           hn::StoreU(Blend(va, vb, weight), di16, to);
                         };
  int i = 0;
  for (; i + kBytesAStep <= n; ahead.step())
    for (const int end = i + kBytesAStep; i < end; i += lanes) blend(a + i, b + i, out + i);
  for (; i + lanes <= n; i += lanes) blend(a + i, b + i, out + i);
  if (i == n) return;
  if (n >= lanes) return blend(a + n - lanes, b + n - lanes, out + n - lanes);
  std::uint8_t few[2][HWY_MAX_BYTES] = {};  // fewer than a vector
  std::memcpy(few[0], a, static_cast<std::size_t>(n));
  std::memcpy(few[1], b, static_cast<std::size_t>(n));
  blend(few[0], few[1], out);
}

// What LerpPairs() and LerpQuads() count in.
constexpr float kBlendUnit = 1.0f / (1 << (kSampleBits + kColumnBits));

// The weighted sum of two samples of each column.
void LerpPairs(const std::uint32_t* HWY_RESTRICT pairs, const std::uint32_t* HWY_RESTRICT weights,
               Span span, float* HWY_RESTRICT out) {
  for (int i = span.begin; i < span.end; i += Lanes()) {
    const VI16 samples = hn::BitCast(di16, hn::LoadU(du32, pairs + i));
    const VI16 w = hn::BitCast(di16, hn::LoadU(du32, weights + i));
    hn::StoreU(hn::ConvertTo(df, SumOfProducts(samples, w)), df, out + i);
  }
}

// Likewise for two channels, interleaved as a0 b0 a1 b1; each weight is there twice.
void LerpQuads(const std::uint64_t* HWY_RESTRICT quads, const std::uint32_t* HWY_RESTRICT weights,
               Span span, float* HWY_RESTRICT out_a, float* HWY_RESTRICT out_b) {
  const hn::Repartition<std::uint8_t, decltype(df)> d8;
  const hn::Repartition<std::uint64_t, decltype(df)> d64;
  alignas(16) static constexpr std::uint8_t kByChannel[16] = {0, 1, 4,  5,  2,  3,  6,  7,
                                                              8, 9, 12, 13, 10, 11, 14, 15};
  const auto by_channel = hn::LoadDup128(d8, kByChannel);
  const auto products = [&](int i) HWY_ATTR {
    const auto v = hn::BitCast(d8, hn::LoadU(d64, quads + i));
    const VI16 samples = hn::BitCast(di16, hn::TableLookupBytes(v, by_channel));
    return SumOfProducts(samples, hn::BitCast(di16, hn::LoadU(du32, weights + 2 * i)));
  };
  for (int i = span.begin; i < span.end; i += Lanes()) {
    const VI32 low = products(i), high = products(i + Lanes() / 2);
    hn::StoreU(hn::ConvertTo(df, hn::ConcatEven(di32, high, low)), df, out_a + i);
    hn::StoreU(hn::ConvertTo(df, hn::ConcatOdd(di32, high, low)), df, out_b + i);
  }
}

bool HasQuads(const SamplePlane& plane) { return plane.channels == 2 && plane.step == 2; }

// One plane of an axis-aligned region, whose rows are sampled in order.
class BlendedPlane {
 public:
  BlendedPlane() = default;
  BlendedPlane(const Job& job, const SamplePlane& plane, PlaneScratch& taps)
      : plane_(&plane), taps_(&taps), map_(job.to_plane(plane)), columns_(job.columns) {
    samples_ = bilinear_columns(plane, map_, columns_, taps);
    bytes_ = plane.row_bytes(samples_);
    next_ = rows_of(job.rows.begin);
#if HWY_TARGET <= HWY_AVX3
    source_tables_ = source_tables(plane, columns_, samples_, taps);
    if (source_tables_ == 0) blended_tables_ = blended_tables(plane, columns_, taps);
#endif
  }

  // Makes the row that was the next one the current one. Returns the steps that sample() will take.
  int advance(int next, Prefetch& ahead) {
    current_ = next_;
    next_ = rows_of(next);
#if HWY_TARGET <= HWY_AVX3
    if (source_tables_ > 0) return 0;  // asks by itself
#endif
    ahead.add(next_, bytes_);
    const int blocks = (columns_.end - columns_.begin) / kPixelsAStep;
    return bytes_ / kBytesAStep + (HasQuads(*plane_) ? 1 : plane_->channels) * blocks;
  }

  // Samples the current row.
  void sample(Scratch& scratch, Prefetch& ahead) const {
#if HWY_TARGET <= HWY_AVX3
    if (source_tables_ == 1) return permute_source<1>(scratch);
    if (source_tables_ == 2) return permute_source<2>(scratch);
#endif
    const std::size_t step = static_cast<std::size_t>(plane_->step);
    std::size_t words = static_cast<std::size_t>(bytes_) + 2 * step;
#if HWY_TARGET <= HWY_AVX3
    // Tables that begin at the row's last words are read whole.
    words += static_cast<std::size_t>(blended_tables_) * kTableWords;
#endif
    std::int16_t* row = scratch.blended.reserve(words);
    BlendRows(current_, bytes_, row, ahead);
    if (plane_->size.width == 1) std::copy_n(row, step, row + step);
#if HWY_TARGET <= HWY_AVX3
    if (blended_tables_ > 0) return permute_blended(row, scratch, ahead);
#endif
    pick(row, scratch, ahead);
  }

 private:
  RowPair rows_of(int y) const {
    const Tap tap = bilinear_tap(map_.yy * (y + 0.5) + map_.y0, plane_->size.height);
    const std::uint8_t* first = plane_->row(tap.first) + samples_.begin * plane_->step;
    return {first, plane_->size.height > 1 ? first + plane_->stride : first, tap.weight};
  }

  float* component(int channel, Scratch& scratch) const {
    const int which = plane_->component[static_cast<std::size_t>(channel)];
    return scratch.component[static_cast<std::size_t>(which)].get();
  }

  template <typename T, typename Load>
  HWY_INLINE void fetch(const Load& load, T* HWY_RESTRICT out, Prefetch& ahead) const {
    const std::int32_t* HWY_RESTRICT index = taps_->index.get();
    int x = columns_.begin;
    for (; x + kPixelsAStep <= columns_.end; x += kPixelsAStep) {
      HWY_UNROLL(16)
      for (int i = 0; i < kPixelsAStep; ++i) out[x + i] = load(index[x + i]);
      ahead.step();
    }
    for (; x < columns_.end; ++x) out[x] = load(index[x]);
  }

  void pick(const std::int16_t* HWY_RESTRICT row, Scratch& scratch, Prefetch& ahead) const {
    std::uint64_t* quads = scratch.taps.reserve(static_cast<std::size_t>(columns_.end));
    if (HasQuads(*plane_)) {
      fetch([row](int i) HWY_ATTR { return LoadAny<std::uint64_t>(row + i); }, quads, ahead);
      const bool swapped = plane_->offset[0] == 1;
      return LerpQuads(quads, taps_->weights_twice.get(), columns_, component(swapped, scratch),
                       component(!swapped, scratch));
    }
    std::uint32_t* pairs = reinterpret_cast<std::uint32_t*>(quads);
    for (int c = 0; c < plane_->channels; ++c) {
      const std::int16_t* HWY_RESTRICT first = row + plane_->offset[static_cast<std::size_t>(c)];
      const std::int16_t* HWY_RESTRICT second = first + plane_->step;
      if (plane_->step == 1) {
        fetch([first](int i) HWY_ATTR { return LoadAny<std::uint32_t>(first + i); }, pairs, ahead);
      } else {
        const auto load = [first, second](int i) HWY_ATTR {
          return static_cast<std::uint32_t>(first[i]) | static_cast<std::uint32_t>(second[i]) << 16;
        };
        fetch(load, pairs, ahead);
      }
      LerpPairs(pairs, taps_->weights.get(), columns_, component(c, scratch));
    }
  }

#if HWY_TARGET <= HWY_AVX3
  // 32 words of up to two tables of 64, at `row` plus the block's origin.
  template <int kTables>
  HWY_INLINE VI16 permuted(const std::uint8_t* HWY_RESTRICT row, int block) const {
    const __m512i lanes = hn::LoadU(du16, taps_->lanes.get() + 32 * block).raw;
    const std::uint8_t* at = row + taps_->origin.get()[block];
    const auto table = [lanes, at](int t) HWY_ATTR {
      return _mm512_permutex2var_epi16(_mm512_loadu_si512(at + 128 * t), lanes,
                                       _mm512_loadu_si512(at + 128 * t + 64));
    };
    if (kTables == 1) return VI16{table(0)};
    const __mmask32 second = _mm512_test_epi16_mask(lanes, _mm512_set1_epi16(64));
    return VI16{_mm512_mask_mov_epi16(table(0), second, table(1))};
  }

  // Of two source rows, takes the taps of 16 columns, then blends these alone.
  template <int kTables>
  void permute_source(Scratch& scratch) const {
    const hn::Repartition<std::uint8_t, decltype(df)> d8;
    using V8 = hn::Vec<decltype(d8)>;
    alignas(16) static constexpr std::uint8_t kFirst[16] = {0, 128, 2,  128, 4,  128, 6,  128,
                                                            8, 128, 10, 128, 12, 128, 14, 128};
    const V8 first_channel = hn::LoadDup128(d8, kFirst);
    const V8 second_channel = hn::Or(first_channel, hn::Set(d8, 1));
    const VI16 weight = RowWeight(current_.weight);
    const std::uint32_t* HWY_RESTRICT weights = taps_->weights.get();
    const std::uint8_t* HWY_RESTRICT shuffles = taps_->shuffle.get();
    const auto store = [weight, weights](VI16 top, VI16 bottom, V8 shuffle, int x,
                                         float* to) HWY_ATTR {
      const hn::Repartition<std::uint8_t, decltype(df)> bytes;
      const auto spread = [&](VI16 v) HWY_ATTR {
        return hn::BitCast(di16, hn::TableLookupBytes(hn::BitCast(bytes, v), shuffle));
      };
      const VI16 taps = Blend(spread(top), spread(bottom), weight);
      const VI16 w = hn::BitCast(di16, hn::LoadU(du32, weights + x));
      hn::StoreU(hn::ConvertTo(df, SumOfProducts(taps, w)), df, to + x);
    };

    const bool quads = HasQuads(*plane_);
    float* HWY_RESTRICT a = component(quads && plane_->offset[0] == 1, scratch);
    float* HWY_RESTRICT b = quads ? component(plane_->offset[0] == 0, scratch) : nullptr;
    for (int x = columns_.begin, block = 0; x < columns_.end; x += kPixelsAStep, ++block) {
      const VI16 top = permuted<kTables>(current_.first, block);
      const VI16 bottom = permuted<kTables>(current_.second, block);
      if (quads) {
        store(top, bottom, first_channel, x, a);
        store(top, bottom, second_channel, x, b);
      } else {
        store(top, bottom, hn::LoadU(d8, shuffles + 64 * block), x, a);
      }
      // The cache lines of the next tensor row.
      const std::int32_t at = taps_->origin.get()[block];
      for (int line = 0; line < 2 * kTables; ++line) {
        hwy::Prefetch(next_.first + at + 64 * line);
        hwy::Prefetch(next_.second + at + 64 * line);
      }
    }
  }

  // Of a blended row, the taps of 16 columns, or of 8 columns and two channels.
  HWY_INLINE VI16 permuted_blend(const std::int16_t* HWY_RESTRICT row, int block) const {
    const __m512i lanes = hn::LoadU(du16, taps_->lanes.get() + 32 * block).raw;
    const std::int16_t* at = row + taps_->origin.get()[block];
    __m512i taps = _mm512_setzero_si512();
    for (int t = 0; t < blended_tables_; ++t, at += kTableWords) {
      const __mmask32 here = _mm512_cmpeq_epi16_mask(
          _mm512_srli_epi16(lanes, 6), _mm512_set1_epi16(static_cast<std::int16_t>(t)));
      const __m512i table =
          _mm512_permutex2var_epi16(_mm512_loadu_si512(at), lanes, _mm512_loadu_si512(at + 32));
      taps = _mm512_mask_mov_epi16(taps, here, table);
    }
    return VI16{taps};
  }

  void permute_blended(const std::int16_t* HWY_RESTRICT row, Scratch& scratch,
                       Prefetch& ahead) const {
    const auto sums = [this](const std::int16_t* from, int block, const std::uint32_t* weights)
                          HWY_ATTR {
                            return SumOfProducts(permuted_blend(from, block),
                                                 hn::BitCast(di16, hn::LoadU(du32, weights)));
                          };
    int block = 0;
    if (HasQuads(*plane_)) {
      const std::uint32_t* HWY_RESTRICT weights = taps_->weights_twice.get();
      float* HWY_RESTRICT a = component(plane_->offset[0] == 1, scratch);
      float* HWY_RESTRICT b = component(plane_->offset[0] == 0, scratch);
      for (int x = columns_.begin; x < columns_.end; x += kPixelsAStep, block += 2) {
        const VI32 low = sums(row, block, weights + 2 * x);
        const VI32 high = sums(row, block + 1, weights + 2 * x + kPixelsAStep);
        hn::StoreU(hn::ConvertTo(df, hn::ConcatEven(di32, high, low)), df, a + x);
        hn::StoreU(hn::ConvertTo(df, hn::ConcatOdd(di32, high, low)), df, b + x);
        ahead.step();
      }
      return;
    }
    const std::uint32_t* HWY_RESTRICT weights = taps_->weights.get();
    for (int c = 0; c < plane_->channels; ++c, block = 0) {
      const std::int16_t* from = row + plane_->offset[static_cast<std::size_t>(c)];
      float* HWY_RESTRICT out = component(c, scratch);
      for (int x = columns_.begin; x < columns_.end; x += kPixelsAStep, ++block) {
        hn::StoreU(hn::ConvertTo(df, sums(from, block, weights + x)), df, out + x);
        ahead.step();
      }
    }
  }

  int source_tables_ = 0, blended_tables_ = 0;  // 0: not this way
#endif

  const SamplePlane* plane_ = nullptr;
  const PlaneScratch* taps_ = nullptr;
  Affine2 map_;
  Span columns_;
  Span samples_;   // of a row, that any column needs
  int bytes_ = 0;  // that they take
  RowPair current_, next_;
};

// ---- Axis-aligned area: source rows are summed, then columns of the sum. ----

// One plane of an axis-aligned region.
class SummedPlane {
 public:
  SummedPlane() = default;
  SummedPlane(const Job& job, const SamplePlane& plane, AreaScratch& taps)
      : plane_(&plane), taps_(&taps), map_(job.to_plane(plane)), columns_(job.columns) {
    samples_ = area_columns(plane, map_, columns_, taps, taps_a_column_);
  }

  void sample(int y, Scratch& scratch) const {
    const AreaTap rows =
        area_tap(map_.yy * (y + 0.5) + map_.y0, footprint(map_.yy), plane_->size.height);
    const int bytes = plane_->row_bytes(samples_);
    float* sum = scratch.sum.reserve(static_cast<std::size_t>(bytes));
    sum_rows(rows, bytes, sum);
    for (std::size_t c = 0; c < static_cast<std::size_t>(plane_->channels); ++c)
      sum_columns(sum + plane_->offset[c],
                  scratch.component[static_cast<std::size_t>(plane_->component[c])].get());
  }

 private:
  void sum_rows(const AreaTap& rows, int n, float* HWY_RESTRICT sum) const {
    const hn::Rebind<std::uint8_t, decltype(df)> du8;
    const std::uint8_t* const first = plane_->row(rows.first) + samples_.begin * plane_->step;
    const std::ptrdiff_t stride = plane_->stride;
    const int count = rows.last - rows.first + 1;
    int i = 0;
    for (; i + Lanes() <= n; i += Lanes()) {
      VF total = hn::Zero(df);
      for (int r = 0; r < count; ++r) {
        const VF v = hn::ConvertTo(df, hn::PromoteTo(di32, hn::LoadU(du8, first + i + r * stride)));
        hwy::Prefetch(first + i + (count + r) * stride);  // for the next row
        total = hn::MulAdd(v, hn::Set(df, rows.weight(rows.first + r)), total);
      }
      hn::StoreU(total, df, sum + i);
    }
    for (; i < n; ++i) {
      sum[i] = 0;
      for (int r = 0; r < count; ++r)
        sum[i] += static_cast<float>(first[i + r * stride]) * rows.weight(rows.first + r);
    }
  }

  void sum_columns(const float* HWY_RESTRICT sum, float* HWY_RESTRICT out) const {
    const std::int32_t* HWY_RESTRICT index = taps_->index.get();
    const std::size_t weights_a_tap = taps_->weights_a_tap;
    for (int x = columns_.begin; x < columns_.end; x += Lanes()) {
      const float* HWY_RESTRICT weights = taps_->weights.get() + x;
      VI32 at = hn::LoadU(di32, index + x);
      VF total = hn::Zero(df);
      for (int tap = 0; tap < taps_a_column_; ++tap, weights += weights_a_tap) {
        total = hn::MulAdd(hn::GatherIndex(df, sum, at), hn::LoadU(df, weights), total);
        at = hn::Add(at, hn::Set(di32, plane_->step));
      }
      hn::StoreU(total, df, out + x);
    }
  }

  const SamplePlane* plane_ = nullptr;
  const AreaScratch* taps_ = nullptr;
  int taps_a_column_ = 0;
  Affine2 map_;
  Span columns_;
  Span samples_;  // of a row, that any column needs
};

// ---- Any affine map. ----

// Of each position in a block of a tensor row, where the four samples around it begin, what was
// fetched from there, and the weights of the four with kColumnBits fractional bits, two by two.
constexpr int kBlock = 64;
struct WarpBlock {
  alignas(64) std::int32_t x[kBlock + 16];  // in bytes
  alignas(64) std::int32_t y[kBlock + 16];
  alignas(64) std::uint32_t weights[2][kBlock + 16];
  alignas(64) std::uint32_t taps[4][kBlock + 16];
};

// How the four samples of a position are fetched, by how far they are apart.
enum class Fetch {
  kQuad,      // neighbours: all four in one word; weights by column
  kRows,      // 2 bytes apart: a word for each row, which holds two channels; weights by row
  kPixels,    // 3 or 4 bytes apart: a word for each sample, which holds all channels
  kOneColumn  // a plane of one column has no right neighbours: like kQuad, a channel at a time
};

Fetch FetchOf(const SamplePlane& plane) {
  if (plane.size.width == 1) return Fetch::kOneColumn;
  return plane.step == 1 ? Fetch::kQuad : plane.step == 2 ? Fetch::kRows : Fetch::kPixels;
}

// First tap and weight of the second along one axis, for lanes at `start + lane·step`. Relative to
// a whole number, so that float is precise enough wherever the region lies.
HWY_INLINE VI32 WarpTaps(double start, double step, int size, VF& weight) {
  const double whole = std::floor(start);
  const VF at = hn::MulAdd(hn::Iota(df, 0), hn::Set(df, static_cast<float>(step)),
                           hn::Set(df, static_cast<float>(start - whole)));
  const int base = static_cast<int>(whole);
  VI32 first = hn::ConvertTo(di32, hn::Floor(at));
  first = hn::Clamp(first, hn::Set(di32, -base), hn::Set(di32, std::max(size - 2, 0) - base));
  weight = hn::Clamp(hn::Sub(at, hn::ConvertTo(df, first)), hn::Zero(df), hn::Set(df, 1));
  return hn::Add(first, hn::Set(di32, base));
}

void LocateBlock(const SamplePlane& plane, const Affine2& map, int x0, int y, int count,
                 WarpBlock& block) {
  const VF one = hn::Set(df, 1), scale = hn::Set(df, 1 << kColumnBits);
  const bool by_row = FetchOf(plane) == Fetch::kRows;
  const double cy = y + 0.5;
  for (int i = 0; i < count; i += Lanes()) {
    const double cx = x0 + i + 0.5;
    VF wx, wy;
    const VI32 x = WarpTaps(map.xx * cx + map.xy * cy + map.x0 - 0.5, map.xx, plane.size.width, wx);
    const VI32 row =
        WarpTaps(map.yx * cx + map.yy * cy + map.y0 - 0.5, map.yx, plane.size.height, wy);
    hn::StoreU(hn::Mul(x, hn::Set(di32, plane.step)), di32, block.x + i);
    hn::StoreU(row, di32, block.y + i);

    // The weights of (top left, bottom left) and (top right, bottom right), or, by row, of (top
    // left, top right) and (bottom left, bottom right).
    const VF inner = hn::Mul(by_row ? wx : wy, scale), outer = by_row ? wy : wx;
    const auto pack = [&](VF w) HWY_ATTR {
      const VI32 low = hn::NearestInt(hn::Mul(hn::Sub(scale, inner), w));
      const VI32 high = hn::NearestInt(hn::Mul(inner, w));
      return hn::BitCast(du32, hn::Or(low, hn::ShiftLeft<16>(high)));
    };
    hn::StoreU(pack(hn::Sub(one, outer)), du32, block.weights[0] + i);
    hn::StoreU(pack(outer), du32, block.weights[1] + i);
  }
}

void FetchBlock(const SamplePlane& plane, int count, WarpBlock& block) {
  const std::uint8_t* const data = plane.data;
  const std::ptrdiff_t stride = plane.stride, below = plane.size.height > 1 ? stride : 0;
  const auto at = [data, stride, &block](int i)
                      HWY_ATTR { return data + block.y[i] * stride + block.x[i]; };
  switch (FetchOf(plane)) {
    case Fetch::kQuad:
      for (int i = 0; i < count; ++i) {
        const std::uint8_t* top = at(i);
        const std::uint32_t bottom = LoadAny<std::uint16_t>(top + below);
        block.taps[0][i] = LoadAny<std::uint16_t>(top) | bottom << 16;
      }
      return;
    case Fetch::kRows:
      for (int i = 0; i < count; ++i) {
        const std::uint8_t* top = at(i);
        block.taps[0][i] = LoadAny<std::uint32_t>(top);
        block.taps[1][i] = LoadAny<std::uint32_t>(top + below);
      }
      return;
    case Fetch::kPixels: {
      // Of 3 bytes, the right neighbour's word begins in its left one, not to end outside a row.
      const std::ptrdiff_t right = 2 * plane.step - 4;
      const int surplus = 8 * (4 - plane.step);
      for (int i = 0; i < count; ++i) {
        const std::uint8_t* top = at(i);
        const std::uint8_t* bottom = top + below;
        block.taps[0][i] = LoadAny<std::uint32_t>(top);
        block.taps[1][i] = LoadAny<std::uint32_t>(top + right) >> surplus;
        block.taps[2][i] = LoadAny<std::uint32_t>(bottom);
        block.taps[3][i] = LoadAny<std::uint32_t>(bottom + right) >> surplus;
      }
      return;
    }
    case Fetch::kOneColumn:
      for (std::size_t c = 0; c < static_cast<std::size_t>(plane.channels); ++c)
        for (int i = 0; i < count; ++i) {
          const std::uint8_t* top = at(i) + plane.offset[c];
          block.taps[c][i] = 0x101u * top[0] + 0x1010000u * top[below];
        }
  }
}

constexpr float kWarpUnit = 1.0f / (1 << kColumnBits);

// Calls pairs(i, first, second) for what the two weights are of, a vector of positions at a time.
template <typename Pairs>
HWY_INLINE void WeighPairs(const WarpBlock& block, int count, float* HWY_RESTRICT out,
                           const Pairs& pairs) {
  for (int i = 0; i < count; i += Lanes()) {
    VU32 first, second;
    pairs(i, first, second);
    const auto products = [&](VU32 samples, int w) HWY_ATTR {
      return SumOfProducts(hn::BitCast(di16, samples),
                           hn::BitCast(di16, hn::LoadU(du32, block.weights[w] + i)));
    };
    hn::StoreU(hn::ConvertTo(df, hn::Add(products(first, 0), products(second, 1))), df, out + i);
  }
}

void WeighBlock(const SamplePlane& plane, const WarpBlock& block, std::size_t channel, int count,
                float* out) {
  const VU32 even = hn::Set(du32, 0x00ff00ffu), low = hn::Set(du32, 0xffu);
  const auto taps = [&block](std::size_t t, int i)
                        HWY_ATTR { return hn::LoadU(du32, block.taps[t] + i); };
  const int shift = 8 * plane.offset[channel];
  switch (const Fetch fetch = FetchOf(plane)) {
    case Fetch::kQuad:
    case Fetch::kOneColumn: {
      const std::size_t t = fetch == Fetch::kQuad ? 0 : channel;
      return WeighPairs(block, count, out, [&](int i, VU32& left, VU32& right) HWY_ATTR {
        left = hn::And(taps(t, i), even);
        right = hn::And(hn::ShiftRight<8>(taps(t, i)), even);
      });
    }
    case Fetch::kRows:
      return WeighPairs(block, count, out, [&](int i, VU32& top, VU32& bottom) HWY_ATTR {
        top = hn::And(hn::ShiftRightSame(taps(0, i), shift), even);
        bottom = hn::And(hn::ShiftRightSame(taps(1, i), shift), even);
      });
    case Fetch::kPixels:
      return WeighPairs(block, count, out, [&](int i, VU32& left, VU32& right) HWY_ATTR {
        const auto sample = [&](std::size_t t) HWY_ATTR {
          return hn::And(hn::ShiftRightSame(taps(t, i), shift), low);
        };
        left = hn::Or(sample(0), hn::ShiftLeft<16>(sample(2)));
        right = hn::Or(sample(1), hn::ShiftLeft<16>(sample(3)));
      });
  }
}

// The components of one plane; `map` takes tensor coordinates to it.
void SampleWarp(const SamplePlane& plane, const Affine2& map, int y, Span columns,
                std::array<Row<float>, 3>& out) {
  WarpBlock block;
  for (int x = columns.begin; x < columns.end; x += kBlock) {
    const int count = std::min(kBlock, columns.end - x);
    LocateBlock(plane, map, x, y, count, block);
    FetchBlock(plane, count, block);
    for (std::size_t c = 0; c < static_cast<std::size_t>(plane.channels); ++c)
      WeighBlock(plane, block, c, count,
                 out[static_cast<std::size_t>(plane.component[c])].get() + x);
  }
}

void AddTo(const float* HWY_RESTRICT from, float weight, Span span, float* HWY_RESTRICT sum) {
  const VF w = hn::Set(df, weight);
  for (int i = span.begin; i < span.end; i += Lanes())
    hn::StoreU(hn::MulAdd(hn::LoadU(df, from + i), w, hn::LoadU(df, sum + i)), df, sum + i);
}

// The mean of a grid of bilinear samples spread evenly over each tensor pixel.
void SampleWarpArea(const SamplePlane& plane, const Affine2& map, int y, Span columns,
                    Scratch& scratch) {
  const auto [across, down] = sampling::supersampling(map);
  if (across * down == 1) return SampleWarp(plane, map, y, columns, scratch.component);
  const auto for_each_channel = [&](const auto& act) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(plane.channels); ++c)
      act(static_cast<std::size_t>(plane.component[c]));
  };
  for_each_channel([&](std::size_t c) {
    float* sum = scratch.component[c].get();
    std::fill(sum + columns.begin, sum + columns.end, 0.0f);
  });
  const float weight = 1.0f / static_cast<float>(across * down);
  for (int j = 0; j < down; ++j)
    for (int i = 0; i < across; ++i) {
      const Affine2 shift = Affine2::translation((i + 0.5) / across - 0.5, (j + 0.5) / down - 0.5);
      SampleWarp(plane, map * shift, y, columns, scratch.partial);
      for_each_channel([&](std::size_t c) {
        AddTo(scratch.partial[c].get(), weight, columns, scratch.component[c].get());
      });
    }
}

void SampleNearest(const Job& job, int y, Span columns, Scratch& scratch) {
  const Affine2& map = job.to_frame;
  const double cy = y + 0.5;
  for (int x = columns.begin; x < columns.end; ++x) {
    const double cx = x + 0.5;
    // Fused multiplications may round to the frame's far edge what inside() found inside.
    const int column =
        std::clamp(static_cast<int>(map.xx * cx + map.xy * cy + map.x0), 0, job.frame.width - 1);
    const int row =
        std::clamp(static_cast<int>(map.yx * cx + map.yy * cy + map.y0), 0, job.frame.height - 1);
    for (int p = 0; p < job.source.plane_count; ++p) {
      const SamplePlane& plane = job.source.planes[static_cast<std::size_t>(p)];
      const std::uint8_t* at =
          plane.row(row >> plane.halved_y()) + (column >> plane.halved_x()) * plane.step;
      for (std::size_t c = 0; c < static_cast<std::size_t>(plane.channels); ++c)
        scratch.component[static_cast<std::size_t>(plane.component[c])].get()[x] =
            at[plane.offset[c]];
    }
  }
}

// ---- Colours ----

// value · gain + bias of each channel.
struct Normalizer {
  std::array<float, 3> gain, bias;
};

constexpr Normalizer kNoNormalizer{{1, 1, 1}, {0, 0, 0}};

// From the source's components, counted in `unit`, to normalised pixels, a row of each channel. The
// unit, the colour matrix and the normalisation are one linear map, and the limits 0 and 255 become
// those of normalised pixels.
class Colors {
 public:
  Colors(const sampling::ColorTransform& color, float unit, const Normalizer& normalizer)
      : inputs_(color.inputs), outputs_(color.outputs), normalizer_(normalizer) {
    for (std::size_t o = 0; o < 3; ++o) {
      const float gain = normalizer.gain[o];
      for (std::size_t c = 0; c < 3; ++c) matrix_[o][c] = color.matrix[o][c] * unit * gain;
      offset_[o] = color.offset[o] * gain + normalizer.bias[o];
      low_[o] = normalized(gain < 0 ? 255 : 0, o);
      high_[o] = normalized(gain < 0 ? 0 : 255, o);
    }
  }

  void convert(const Scratch& scratch, Span columns, const std::array<float*, 3>& out,
               Prefetch& ahead) const {
    if (outputs_ == 1) {
      inputs_ == 1 ? convert_as<1, 1>(scratch, columns, out, ahead)
                   : convert_as<3, 1>(scratch, columns, out, ahead);
    } else {
      inputs_ == 1 ? convert_as<1, 3>(scratch, columns, out, ahead)
                   : convert_as<3, 3>(scratch, columns, out, ahead);
    }
  }

  float normalized(float pixel, std::size_t channel) const {
    return pixel * normalizer_.gain[channel] + normalizer_.bias[channel];
  }

 private:
  template <std::size_t kInputs, std::size_t kOutputs>
  void convert_as(const Scratch& scratch, Span columns, const std::array<float*, 3>& out,
                  Prefetch& ahead) const {
    const std::array<const float*, 3> in = {scratch.component[0].get(), scratch.component[1].get(),
                                            scratch.component[2].get()};
    const int lanes = Lanes();
    int i = columns.begin;
    if constexpr (kInputs == 3 && kOutputs == 3) i = convert_vectors(in, columns, out, ahead);
    for (; i + lanes <= columns.end; i += lanes) vector_at<kInputs, kOutputs>(in, i, out, i);
    if (i == columns.end) return;
    if (columns.end - columns.begin >= lanes) {  // some once more, so that no others are written
      i = columns.end - lanes;
      return vector_at<kInputs, kOutputs>(in, i, out, i);
    }
    HWY_ALIGN float few[3][HWY_MAX_BYTES / sizeof(float)];
    vector_at<kInputs, kOutputs>(in, i, {few[0], few[1], few[2]}, 0);
    for (std::size_t o = 0; o < kOutputs; ++o) std::copy_n(few[o], columns.end - i, out[o] + i);
  }

  template <std::size_t kInputs, std::size_t kOutputs>
  HWY_INLINE void vector_at(const std::array<const float*, 3>& in, int i,
                            const std::array<float*, 3>& out, int to) const {
    for (std::size_t o = 0; o < kOutputs; ++o) {
      VF v = hn::Set(df, offset_[o]);
      for (std::size_t c = 0; c < kInputs; ++c)
        v = hn::MulAdd(hn::Set(df, matrix_[o][c]), hn::LoadU(df, in[c] + i), v);
      v = hn::Clamp(v, hn::Set(df, low_[o]), hn::Set(df, high_[o]));
      hn::StoreU(v, df, out[o] + to);
    }
  }

  // Whole vectors of three components and channels, with all constants in registers. Returns where
  // it stopped.
  int convert_vectors(const std::array<const float*, 3>& in, Span columns,
                      const std::array<float*, 3>& out, Prefetch& ahead) const {
    const float* HWY_RESTRICT c0 = in[0];
    const float* HWY_RESTRICT c1 = in[1];
    const float* HWY_RESTRICT c2 = in[2];
    const auto channel = [this](std::size_t o, float* HWY_RESTRICT to) HWY_ATTR {
      return [m0 = hn::Set(df, matrix_[o][0]), m1 = hn::Set(df, matrix_[o][1]),
              m2 = hn::Set(df, matrix_[o][2]), offset = hn::Set(df, offset_[o]),
              low = hn::Set(df, low_[o]), high = hn::Set(df, high_[o]),
              to](int i, VF v0, VF v1, VF v2) HWY_ATTR {
        const VF v = hn::MulAdd(m0, v0, hn::MulAdd(m1, v1, hn::MulAdd(m2, v2, offset)));
        hn::StoreU(hn::Clamp(v, low, high), df, to + i);
      };
    };
    const auto first = channel(0, out[0]), second = channel(1, out[1]), third = channel(2, out[2]);
    int i = columns.begin;
    for (; i + Lanes() <= columns.end; i += Lanes()) {
      const VF v0 = hn::LoadU(df, c0 + i), v1 = hn::LoadU(df, c1 + i), v2 = hn::LoadU(df, c2 + i);
      first(i, v0, v1, v2);
      second(i, v0, v1, v2);
      third(i, v0, v1, v2);
      if (i % kPixelsAStep == 0) ahead.step();
    }
    return i;
  }

  int inputs_, outputs_;
  Normalizer normalizer_;
  float matrix_[3][3];
  float offset_[3], low_[3], high_[3];
};

// ---- Tensor elements ----

template <typename T>
void ConvertIntegers(const float* HWY_RESTRICT from, int width, T* HWY_RESTRICT to) {
  const hn::Rebind<T, decltype(df)> dt;
  const VF least = hn::Set(df, std::numeric_limits<T>::min());
  const VF most = hn::Set(df, std::numeric_limits<T>::max());
  for (int i = 0; i < width; i += Lanes()) {
    const VF v = hn::Clamp(hn::LoadU(df, from + i), least, most);
    hn::StoreU(hn::DemoteTo(dt, hn::NearestInt(v)), dt, to + i);
  }
}

void ConvertHalves(const float* HWY_RESTRICT from, int width, std::uint16_t* HWY_RESTRICT to) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  const hn::Rebind<hwy::float16_t, decltype(df)> dh;
  for (int i = 0; i < width; i += Lanes())
    hn::StoreU(hn::DemoteTo(dh, hn::LoadU(df, from + i)), dh,
               reinterpret_cast<hwy::float16_t*>(to + i));
#else  // Highway's emulation does not round
  for (int i = 0; i < width; ++i) to[i] = float_to_half(from[i]);
#endif
}

// One row of one channel to elements of the tensor's type, at `to`, which has a vector to spare.
void Convert(ElementType type, const float* from, int width, std::byte* to) {
  switch (type) {
    case ElementType::kFloat16:
      return ConvertHalves(from, width, reinterpret_cast<std::uint16_t*>(to));
    case ElementType::kUint8:
      return ConvertIntegers(from, width, reinterpret_cast<std::uint8_t*>(to));
    case ElementType::kInt8:
      return ConvertIntegers(from, width, reinterpret_cast<std::int8_t*>(to));
    default:
      std::memcpy(to, from, static_cast<std::size_t>(width) * sizeof(float));
  }
}

template <typename T>
void Interleave(const std::byte* from, std::size_t width, std::byte* to) {
  for (std::size_t x = 0; x < width; ++x)
    for (std::size_t c = 0; c < 3; ++c)
      std::memcpy(to + (3 * x + c) * sizeof(T), from + (c * width + x) * sizeof(T), sizeof(T));
}

// The rows of a tensor in memory.
class Output {
 public:
  explicit Output(const Job& job)
      : spec_(*job.spec),
        data_(job.output),
        channels_(static_cast<std::size_t>(spec_.channel_count())),
        width_(static_cast<std::size_t>(spec_.size.width)),
        row_bytes_(width_ * size_of(spec_.type)) {}

  bool planar() const { return channels_ == 1 || spec_.layout == Layout::kNchw; }
  // Whether pixels can be written where the tensor is, with nothing to be done afterwards.
  bool direct() const {
    return planar() && spec_.type == ElementType::kFloat32 && spec_.mean_image.empty() &&
           reinterpret_cast<std::uintptr_t>(data_) % alignof(float) == 0;
  }

  // Of a planar tensor.
  std::byte* row(std::size_t channel, int y) const {
    const std::size_t height = static_cast<std::size_t>(spec_.size.height);
    return data_ + (channel * height + static_cast<std::size_t>(y)) * row_bytes_;
  }

  // Subtracts the mean image, if there is one, from row `y`, which is normalised otherwise.
  void subtract_mean(int y, const Normalizer& normalizer, Scratch& scratch) const {
    if (spec_.mean_image.empty()) return;
    const float* mean = spec_.mean_image.data() + static_cast<std::size_t>(y) * width_ * channels_;
    for (std::size_t c = 0; c < channels_; ++c) {
      float* pixels = scratch.pixel[c].get();
      for (std::size_t x = 0; x < width_; ++x)
        pixels[x] -= mean[x * channels_ + c] * normalizer.gain[c];
    }
  }

  // Converts row `y` and puts it where it belongs.
  void store(int y, Scratch& scratch) const {
    std::byte* elements = scratch.elements.reserve(3 * row_bytes_);
    for (std::size_t c = 0; c < channels_; ++c) {
      std::byte* to = elements + c * row_bytes_;
      Convert(spec_.type, scratch.pixel[c].get(), spec_.size.width, to);
      if (planar()) std::memcpy(row(c, y), to, row_bytes_);
    }
    if (planar()) return;
    std::byte* to = data_ + static_cast<std::size_t>(y) * row_bytes_ * 3;
    switch (size_of(spec_.type)) {
      case 1:
        return Interleave<std::uint8_t>(elements, width_, to);
      case 2:
        return Interleave<std::uint16_t>(elements, width_, to);
      default:
        return Interleave<float>(elements, width_, to);
    }
  }

 private:
  const TensorSpec& spec_;
  std::byte* data_;
  std::size_t channels_, width_, row_bytes_;
};

// ---- The job ----

void Fill(float value, Span span, float* HWY_RESTRICT out) {
  const VF v = hn::Set(df, value);
  int i = span.begin;
  for (; i + Lanes() <= span.end; i += Lanes()) hn::StoreU(v, df, out + i);
  for (; i < span.end; ++i) out[i] = value;
}

constexpr sampling::Grid kOneSample{1, 1};

class Rows {
 public:
  Rows(const Job& job, Scratch& scratch) : job_(job), scratch_(scratch) {
    const std::size_t width = static_cast<std::size_t>(job.spec->size.width);
    for (std::size_t c = 0; c < 3; ++c) {
      scratch.component[c].reserve(width);
      scratch.pixel[c].reserve(width);
      scratch.partial[c].reserve(width);
    }
    if (job.columns.empty() || job.rows.empty()) return;
    switch (way()) {
      case Way::kNearest:
        return;
      case Way::kBlend:
        for (std::size_t p = 0; p < planes().size(); ++p)
          blended_[p] = BlendedPlane(job_, planes()[p], scratch.planes[p]);
        return;
      case Way::kArea:
        for (std::size_t p = 0; p < planes().size(); ++p)
          summed_[p] = SummedPlane(job_, planes()[p], scratch.area[p]);
        return;
      case Way::kWarp:
        prepare_warp();
    }
  }

  // What sampled components count in.
  float unit() const {
    switch (way()) {
      case Way::kNearest:
      case Way::kArea:
        break;
      case Way::kBlend:
        return kBlendUnit;
      case Way::kWarp:
        return kWarpUnit;
    }
    return 1;
  }

  // Row `y` of the tensor. Rows are made in order.
  void make(int y, const Colors& colors, const std::array<float*, 3>& out) {
    const Span columns = job_.inside(y);
    if (!columns.empty()) {
      Prefetch ahead;
      sample(y, columns, ahead);
      colors.convert(scratch_, columns, out, ahead);
    }
    const int width = job_.spec->size.width;
    for (std::size_t c = 0; c < static_cast<std::size_t>(job_.color.outputs); ++c) {
      const float padding = colors.normalized(job_.spec->pad_value[c], c);
      Fill(padding, {0, columns.begin}, out[c]);
      Fill(padding, {columns.end, width}, out[c]);
    }
  }

 private:
  enum class Way { kNearest, kBlend, kArea, kWarp };
  Way way() const {
    if (job_.spec->filter == Filter::kNearest) return Way::kNearest;
    if (!job_.axis_aligned()) return Way::kWarp;
    return area() ? Way::kArea : Way::kBlend;
  }
  bool area() const { return job_.spec->filter == Filter::kArea; }

  std::span<SamplePlane> planes() {
    return {job_.source.planes.data(), static_cast<std::size_t>(job_.source.plane_count)};
  }

  void prepare_warp() {
    for (std::size_t p = 0; p < planes().size(); ++p) {
      SamplePlane& plane = planes()[p];
      const int side = area() ? sampling::block_side(job_.to_plane(plane)) : 1;
      if (side > 1) plane = reduce(job_, plane, side, scratch_.reduced[p]);
      const Affine2 map = job_.to_plane(plane);
      packed_[p] = pack_quads(job_, plane, area() ? sampling::supersampling(map) : kOneSample,
                              scratch_.quads[p]);
    }
  }

  void sample(int y, Span columns, Prefetch& ahead) {
    switch (way()) {
      case Way::kNearest:
        return SampleNearest(job_, y, columns, scratch_);
      case Way::kBlend:
        return blend(y, columns, ahead);
      case Way::kArea:
        for (std::size_t p = 0; p < planes().size(); ++p) summed_[p].sample(y, scratch_);
        return;
      case Way::kWarp:
        for (std::size_t p = 0; p < planes().size(); ++p) warp(p, y, columns);
    }
  }

  void warp(std::size_t p, int y, Span columns) {
    const SamplePlane& plane = planes()[p];
    if (packed_[p].channels > 0)
      sample_quads(packed_[p], y, columns, scratch_.component);
    else if (area())
      SampleWarpArea(plane, job_.to_plane(plane), y, columns, scratch_);
    else
      SampleWarp(plane, job_.to_plane(plane), y, columns, scratch_.component);
  }

  void blend(int y, Span columns, Prefetch& ahead) {
    const std::size_t count = planes().size();
    const int next = std::min(y + 1, job_.rows.end - 1);
    int steps = (columns.end - columns.begin) / kPixelsAStep;  // of the colours
    for (std::size_t p = 0; p < count; ++p) steps += blended_[p].advance(next, ahead);
    ahead.start(steps);
    for (std::size_t p = 0; p < count; ++p) blended_[p].sample(scratch_, ahead);
  }

  Job job_;  // of reduced planes, where that is of use
  Scratch& scratch_;
  // By way.
  std::array<BlendedPlane, 3> blended_;
  std::array<SummedPlane, 3> summed_;
  std::array<QuadPlane, 3> packed_;
};

std::array<float*, 3> PixelRows(const Scratch& scratch) {
  return {scratch.pixel[0].get(), scratch.pixel[1].get(), scratch.pixel[2].get()};
}

// A mean image takes the place of `mean` later.
Normalizer FixedNormalizer(const TensorSpec& spec) {
  Normalizer by;
  for (std::size_t c = 0; c < 3; ++c) {
    by.gain[c] = spec.scale / spec.deviation[c];
    by.bias[c] = spec.mean_image.empty() ? -spec.mean[c] * by.gain[c] : 0;
  }
  return by;
}

Normalizer PerImageNormalizer(const Job& job, Scratch& scratch) {
  Moments moments;
  Rows rows(job, scratch);
  const Colors colors(job.color, rows.unit(), kNoNormalizer);
  for (int y = 0; y < job.spec->size.height; ++y) {
    rows.make(y, colors, PixelRows(scratch));
    for (std::size_t c = 0; c < static_cast<std::size_t>(job.color.outputs); ++c)
      moments.add(scratch.pixel[c].get(), job.spec->size.width);
  }
  const double gain = 1 / std::max(moments.deviation(), 1 / std::sqrt(moments.count));
  Normalizer by;
  by.gain.fill(static_cast<float>(gain));
  by.bias.fill(static_cast<float>(-moments.mean() * gain));
  return by;
}

void Run(const Job& job, Scratch& scratch) {
  const bool per_image = job.spec->normalization == Normalization::kPerImage;
  const Normalizer normalizer =
      per_image ? PerImageNormalizer(job, scratch) : FixedNormalizer(*job.spec);
  Rows rows(job, scratch);
  const Colors colors(job.color, rows.unit(), normalizer);
  const Output output(job);
  for (int y = 0; y < job.spec->size.height; ++y) {
    if (output.direct()) {
      std::array<float*, 3> out{};
      for (std::size_t c = 0; c < static_cast<std::size_t>(job.color.outputs); ++c)
        out[c] = reinterpret_cast<float*>(output.row(c, y));
      rows.make(y, colors, out);
      continue;
    }
    rows.make(y, colors, PixelRows(scratch));
    if (!per_image) output.subtract_mean(y, normalizer, scratch);
    output.store(y, scratch);
  }
}

}  // namespace

void RunJob(const Job& job, Scratch& scratch) { Run(job, scratch); }

}  // namespace HWY_NAMESPACE
}  // namespace sightline::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline {

namespace cpu {

HWY_EXPORT(RunJob);

Scratch& thread_scratch() {
  thread_local Scratch scratch;
  return scratch;
}

void run(const Job& job) { HWY_DYNAMIC_DISPATCH(RunJob)(job, thread_scratch()); }

}  // namespace cpu

// Asked for once, before one of them is forced.
static const std::vector<std::int64_t>& supported_targets() {
  static const std::vector<std::int64_t> targets = hwy::SupportedAndGeneratedTargets();
  return targets;
}

std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (const std::int64_t target : supported_targets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

void force_simd_target(const std::string& name) {
  std::string known;
  for (const std::int64_t target : supported_targets()) {
    if (name == hwy::TargetName(target)) return hwy::SetSupportedTargetsForTest(target);
    known += (known.empty() ? "" : ", ") + std::string(hwy::TargetName(target));
  }
  if (!name.empty())
    throw Error(ErrorCode::kConfig,
                "this machine does not run \"" + name + "\" code. It runs: " + known);
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace sightline
#endif  // HWY_ONCE
