// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/byte_scores.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gallery/byte_scores.cc"
#define HWY_WANT_AVX3_DL
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "gallery/byte_products-inl.h"
#if defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>
#endif

HWY_BEFORE_NAMESPACE();
namespace sightline::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Lanes32 = hn::CappedTag<std::int32_t, kGroupRows>;
using Sums = hn::Vec<Lanes32>;

// Of each query four bytes, in what form this CPU multiplies them.
#if HWY_TARGET == HWY_AVX3_DL || (HWY_TARGET == HWY_NEON && defined(__ARM_FEATURE_DOTPROD))
struct QueryQuads {
  const std::int8_t* bytes;
  explicit QueryQuads(const ByteQuery& query) : bytes(query.bytes.data()) {}
  HWY_INLINE Sums at(std::size_t quad) const {
    std::int32_t four;
    std::memcpy(&four, bytes + quad * 4, sizeof four);
    return hn::Set(Lanes32(), four);
  }
};
// Adds, in each lane, the products of four bytes.
HWY_INLINE Sums AddProducts(Sums sums, Sums rows, const QueryQuads& query, std::size_t quad) {
#if HWY_TARGET == HWY_AVX3_DL
  return Sums{AddByteProducts(sums.raw, rows.raw, query.at(quad).raw)};
#else
  // There is no product of unsigned and signed bytes. 128 is taken off the rows here, and put back
  // into the sum, since who reads it takes it off.
  const int8x16_t ones = vdupq_n_s8(1),
                  signed_rows = vreinterpretq_s8_u32(
                      veorq_u32(vreinterpretq_u32_s32(rows.raw), vdupq_n_u32(0x80808080u)));
  const int8x16_t four = vreinterpretq_s8_s32(query.at(quad).raw);
  const int32x4_t excess = vshlq_n_s32(vdotq_s32(vdupq_n_s32(0), four, ones), 7);
  return Sums{vaddq_s32(vdotq_s32(sums.raw, signed_rows, four), excess)};
#endif
}
#else
struct QueryQuads {
  const std::int32_t* evens;
  const std::int32_t* odds;
  explicit QueryQuads(const ByteQuery& query)
      : evens(query.evens.data()), odds(query.odds.data()) {}
};
HWY_INLINE Sums AddProducts(Sums sums, Sums rows, const QueryQuads& query, std::size_t quad) {
  const Lanes32 d;
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
  const hn::Repartition<std::int16_t, Lanes32> d16;
  const hn::RebindToUnsigned<decltype(d16)> du16;
  const auto pairs = hn::BitCast(du16, rows);
  const auto even = hn::BitCast(d16, hn::And(pairs, hn::Set(du16, 0xff)));
  const auto odd = hn::BitCast(d16, hn::ShiftRight<8>(pairs));
  Sums unused = hn::Zero(d);
  const auto times = [&](auto a, std::int32_t b, Sums sum) HWY_ATTR {
    return hn::ReorderWidenMulAccumulate(d, a, hn::BitCast(d16, hn::Set(d, b)), sum, unused);
  };
  return times(odd, query.odds[quad], times(even, query.evens[quad], sums));
#else
  const auto byte = [&](Sums shifted) HWY_ATTR { return hn::And(shifted, hn::Set(d, 0xff)); };
  const auto low = [&](std::int32_t pair)
                       HWY_ATTR { return hn::Set(d, static_cast<std::int16_t>(pair)); };
  const auto high = [&](std::int32_t pair) HWY_ATTR { return hn::Set(d, pair >> 16); };
  const auto unsigned_rows = hn::BitCast(hn::RebindToUnsigned<Lanes32>(), rows);
  const auto moved = [&](auto bits) HWY_ATTR { return hn::BitCast(d, bits); };
  sums = hn::Add(sums, hn::Mul(byte(rows), low(query.evens[quad])));
  sums =
      hn::Add(sums, hn::Mul(byte(moved(hn::ShiftRight<8>(unsigned_rows))), low(query.odds[quad])));
  sums = hn::Add(sums,
                 hn::Mul(byte(moved(hn::ShiftRight<16>(unsigned_rows))), high(query.evens[quad])));
  return hn::Add(sums,
                 hn::Mul(byte(moved(hn::ShiftRight<24>(unsigned_rows))), high(query.odds[quad])));
#endif
}
#endif

// The lanes of a register that begin at row `row`.
HWY_INLINE const std::int32_t* LanesOf(const ByteGroups& rows, std::size_t row) {
  const std::size_t group = row / kGroupRows * rows.quads * 4 * kGroupRows;
  return reinterpret_cast<const std::int32_t*>(rows.bytes + group + row % kGroupRows * 4);
}

HWY_INLINE void WriteScores(const ByteGroups& rows, std::size_t row, const ByteQuery& query,
                            Sums sums, float* scores) {
  const Lanes32 d;
  const hn::RebindToFloat<Lanes32> df;
  const auto dots = hn::ConvertTo(df, hn::Sub(sums, hn::Set(d, query.excess)));
  const auto scale = hn::Mul(hn::LoadU(df, rows.scales + row), hn::Set(df, query.scale));
  const auto bias = hn::Add(hn::LoadU(df, rows.biases + row), hn::Set(df, query.offset));
  hn::StoreU(hn::MulAdd(dots, scale, bias), df, scores + row);
}

// Rows from `row` on, four registers of them, against one query.
void ScoreFour(const ByteGroups& rows, std::size_t row, const ByteQuery& query, float* scores) {
  const Lanes32 d;
  const std::size_t lanes = hn::Lanes(d);
  const QueryQuads q(query);
  const std::int32_t *a = LanesOf(rows, row), *b = LanesOf(rows, row + lanes),
                     *c = LanesOf(rows, row + 2 * lanes), *e = LanesOf(rows, row + 3 * lanes);
  Sums s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  for (std::size_t quad = 0; quad < rows.quads; ++quad) {
    const std::size_t at = quad * kGroupRows;
    s0 = AddProducts(s0, hn::LoadU(d, a + at), q, quad);
    s1 = AddProducts(s1, hn::LoadU(d, b + at), q, quad);
    s2 = AddProducts(s2, hn::LoadU(d, c + at), q, quad);
    s3 = AddProducts(s3, hn::LoadU(d, e + at), q, quad);
  }
  WriteScores(rows, row, query, s0, scores);
  WriteScores(rows, row + lanes, query, s1, scores);
  WriteScores(rows, row + 2 * lanes, query, s2, scores);
  WriteScores(rows, row + 3 * lanes, query, s3, scores);
}

// The same against two queries: each row is loaded once for both.
void ScoreFourOfTwo(const ByteGroups& rows, std::size_t row, const ByteQuery* queries,
                    float* scores, float* next_scores) {
  const Lanes32 d;
  const std::size_t lanes = hn::Lanes(d);
  const QueryQuads q(queries[0]), r(queries[1]);
  const std::int32_t *a = LanesOf(rows, row), *b = LanesOf(rows, row + lanes),
                     *c = LanesOf(rows, row + 2 * lanes), *e = LanesOf(rows, row + 3 * lanes);
  Sums s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
  for (std::size_t quad = 0; quad < rows.quads; ++quad) {
    const std::size_t at = quad * kGroupRows;
    const Sums v0 = hn::LoadU(d, a + at), v1 = hn::LoadU(d, b + at), v2 = hn::LoadU(d, c + at),
               v3 = hn::LoadU(d, e + at);
    s0 = AddProducts(s0, v0, q, quad);
    s1 = AddProducts(s1, v1, q, quad);
    s2 = AddProducts(s2, v2, q, quad);
    s3 = AddProducts(s3, v3, q, quad);
    t0 = AddProducts(t0, v0, r, quad);
    t1 = AddProducts(t1, v1, r, quad);
    t2 = AddProducts(t2, v2, r, quad);
    t3 = AddProducts(t3, v3, r, quad);
  }
  WriteScores(rows, row, queries[0], s0, scores);
  WriteScores(rows, row + lanes, queries[0], s1, scores);
  WriteScores(rows, row + 2 * lanes, queries[0], s2, scores);
  WriteScores(rows, row + 3 * lanes, queries[0], s3, scores);
  WriteScores(rows, row, queries[1], t0, next_scores);
  WriteScores(rows, row + lanes, queries[1], t1, next_scores);
  WriteScores(rows, row + 2 * lanes, queries[1], t2, next_scores);
  WriteScores(rows, row + 3 * lanes, queries[1], t3, next_scores);
}

#if HWY_TARGET == HWY_AVX3_DL
// Four registers of rows and four queries: 16 sums that do not wait for each other, where a product
// takes five cycles and two can begin in each. This target alone has registers for them.
struct FourSums {
  Sums a, b, c, e;

  HWY_INLINE void Add(Sums v0, Sums v1, Sums v2, Sums v3, const ByteQuery& query,
                      std::size_t quad) {
    const QueryQuads q(query);
    a = AddProducts(a, v0, q, quad);
    b = AddProducts(b, v1, q, quad);
    c = AddProducts(c, v2, q, quad);
    e = AddProducts(e, v3, q, quad);
  }
  HWY_INLINE void Write(const ByteGroups& rows, std::size_t row, const ByteQuery& query,
                        float* scores) const {
    const std::size_t lanes = hn::Lanes(Lanes32());
    WriteScores(rows, row, query, a, scores);
    WriteScores(rows, row + lanes, query, b, scores);
    WriteScores(rows, row + 2 * lanes, query, c, scores);
    WriteScores(rows, row + 3 * lanes, query, e, scores);
  }
};

void ScoreFourOfFour(const ByteGroups& rows, std::size_t row, const ByteQuery* queries,
                     float* scores, std::size_t stride) {
  const Lanes32 d;
  const std::size_t lanes = hn::Lanes(d);
  const std::int32_t *a = LanesOf(rows, row), *b = LanesOf(rows, row + lanes),
                     *c = LanesOf(rows, row + 2 * lanes), *e = LanesOf(rows, row + 3 * lanes);
  const Sums zero = hn::Zero(d);
  FourSums s{zero, zero, zero, zero}, t = s, u = s, v = s;
  for (std::size_t quad = 0; quad < rows.quads; ++quad) {
    const std::size_t at = quad * kGroupRows;
    const Sums v0 = hn::LoadU(d, a + at), v1 = hn::LoadU(d, b + at), v2 = hn::LoadU(d, c + at),
               v3 = hn::LoadU(d, e + at);
    s.Add(v0, v1, v2, v3, queries[0], quad);
    t.Add(v0, v1, v2, v3, queries[1], quad);
    u.Add(v0, v1, v2, v3, queries[2], quad);
    v.Add(v0, v1, v2, v3, queries[3], quad);
  }
  s.Write(rows, row, queries[0], scores);
  t.Write(rows, row, queries[1], scores + stride);
  u.Write(rows, row, queries[2], scores + 2 * stride);
  v.Write(rows, row, queries[3], scores + 3 * stride);
}
#endif

void ScoreOne(const ByteGroups& rows, std::size_t row, const ByteQuery& query, float* scores) {
  const Lanes32 d;
  const QueryQuads q(query);
  const std::int32_t* a = LanesOf(rows, row);
  Sums sums = hn::Zero(d);
  for (std::size_t quad = 0; quad < rows.quads; ++quad)
    sums = AddProducts(sums, hn::LoadU(d, a + quad * kGroupRows), q, quad);
  WriteScores(rows, row, query, sums, scores);
}

// Tile by tile: its rows stay in the nearest cache while all queries look at them.
void ByteScores(const ByteGroups& rows, const ByteQuery* queries, std::size_t count,
                float* scores) {
  const std::size_t lanes = hn::Lanes(Lanes32()), all = rows.groups * kGroupRows;
  std::size_t row = 0;
  for (; row + 4 * lanes <= all; row += 4 * lanes) {
    std::size_t i = 0;
#if HWY_TARGET == HWY_AVX3_DL
    for (; i + 4 <= count; i += 4) ScoreFourOfFour(rows, row, queries + i, scores + i * all, all);
#endif
    for (; i + 2 <= count; i += 2)
      ScoreFourOfTwo(rows, row, queries + i, scores + i * all, scores + (i + 1) * all);
    if (i < count) ScoreFour(rows, row, queries[i], scores + i * all);
  }
  for (; row < all; row += lanes)
    for (std::size_t i = 0; i < count; ++i) ScoreOne(rows, row, queries[i], scores + i * all);
}

std::size_t FindAbove(const float* scores, std::size_t count, float floor, std::uint32_t* places) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto limit = hn::Set(d, floor);
  std::size_t found = 0, i = 0;
  const auto look = [&](std::size_t first) HWY_ATTR {
    std::uint8_t bytes[sizeof(std::uint64_t)] = {};
    hn::StoreMaskBits(d, hn::Gt(hn::LoadU(d, scores + first), limit), bytes);
    std::uint64_t bits;  // the first lane's is the lowest
    std::memcpy(&bits, bytes, sizeof bits);
    for (; bits != 0; bits &= bits - 1)
      places[found++] =
          static_cast<std::uint32_t>(first + hwy::Num0BitsBelowLS1Bit_Nonzero64(bits));
  };
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    const auto ab = hn::Max(hn::LoadU(d, scores + i), hn::LoadU(d, scores + i + lanes));
    const auto ce =
        hn::Max(hn::LoadU(d, scores + i + 2 * lanes), hn::LoadU(d, scores + i + 3 * lanes));
    if (hn::AllFalse(d, hn::Gt(hn::Max(ab, ce), limit))) continue;
    for (std::size_t vector = 0; vector < 4; ++vector) look(i + vector * lanes);
  }
  for (; i < count; ++i)
    if (scores[i] > floor) places[found++] = static_cast<std::uint32_t>(i);
  return found;
}

// Signed bytes times signed bytes.
std::int32_t ByteProduct(const std::int8_t* a, const std::int8_t* b,
                         [[maybe_unused]] std::int32_t sum_of_b, std::size_t count) {
#if HWY_TARGET == HWY_AVX3_DL
  const __m512i flip = _mm512_set1_epi8(static_cast<char>(0x80));
  __m512i sums = _mm512_setzero_si512();
  for (std::size_t i = 0; i < count; i += 64) {
    const __mmask64 rest = count - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (count - i)) - 1;
    const __m512i left = _mm512_xor_si512(_mm512_maskz_loadu_epi8(rest, a + i), flip);
    sums = AddByteProducts(sums, left, _mm512_maskz_loadu_epi8(rest, b + i));
  }
  return _mm512_reduce_add_epi32(sums) - 128 * sum_of_b;
#else
  return SumOfProducts(a, b, count);
#endif
}

float Distance(const void* a, const void* b, const void* count) {
  ByteVector left, right;
  std::memcpy(&left, a, sizeof left);
  std::memcpy(&right, b, sizeof right);
  std::size_t bytes;
  std::memcpy(&bytes, count, sizeof bytes);
  const std::int32_t product =
      ByteProduct(static_cast<const std::int8_t*>(a) + sizeof left,
                  static_cast<const std::int8_t*>(b) + sizeof right, right.sum, bytes);
  return left.squared_length + right.squared_length -
         2 * left.scale * right.scale * static_cast<float>(product);
}

}  // namespace sightline::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline {

HWY_EXPORT(ByteScores);
HWY_EXPORT(FindAbove);
HWY_EXPORT(Distance);

namespace {

constexpr float kLargest = 127;

// The differences to the centre, and what they are multiplied with to become bytes.
struct Differences {
  std::vector<float> values;
  float largest = 0;

  Differences(std::span<const float> from, std::span<const float> centre) : values(from.size()) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      values[i] = from[i] - centre[i];
      largest = std::max(largest, std::abs(values[i]));
    }
  }
  float scale() const { return largest / kLargest; }
  std::int8_t byte(std::size_t i) const {
    if (i >= values.size() || largest == 0) return 0;
    return static_cast<std::int8_t>(std::lrintf(values[i] * (kLargest / largest)));
  }
};

double product(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

std::int32_t pair(std::int8_t low, std::int8_t high) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(high) << 16 |
                                   (static_cast<std::uint32_t>(low) & 0xffffu));
}

}  // namespace

ByteRow write_byte_row(std::span<const float> values, std::span<const float> centre,
                       std::uint8_t* group, std::size_t lane) {
  const Differences differences(values, centre);
  for (std::size_t i = 0; i < quads(values.size()) * 4; ++i)
    group[(i / 4 * kGroupRows + lane) * 4 + i % 4] =
        static_cast<std::uint8_t>(differences.byte(i) + 128);
  return {differences.scale(), static_cast<float>(product(differences.values, centre))};
}

ByteQuery byte_query(std::span<const float> values, std::span<const float> centre) {
  const Differences differences(values, centre);
  ByteQuery query;
  query.scale = differences.scale();
  query.offset = static_cast<float>(product(values, centre));
  for (std::size_t i = 0; i < quads(values.size()) * 4; ++i) {
    query.bytes.push_back(differences.byte(i));
    query.excess += 128 * query.bytes.back();
  }
  for (std::size_t i = 0; i < query.bytes.size(); i += 4) {
    query.evens.push_back(pair(query.bytes[i], query.bytes[i + 2]));
    query.odds.push_back(pair(query.bytes[i + 1], query.bytes[i + 3]));
  }
  return query;
}

void byte_scores(const ByteGroups& rows, std::span<const ByteQuery> queries,
                 std::span<float> scores) {
  HWY_DYNAMIC_DISPATCH(ByteScores)(rows, queries.data(), queries.size(), scores.data());
}

std::size_t find_above(std::span<const float> scores, float floor,
                       std::span<std::uint32_t> places) {
  return HWY_DYNAMIC_DISPATCH(FindAbove)(scores.data(), scores.size(), floor, places.data());
}

void write_byte_vector(std::span<const float> values, std::span<const float> centre,
                       std::byte* into) {
  const Differences differences(values, centre);
  ByteVector head{differences.scale(),
                  static_cast<float>(product(differences.values, differences.values)), 0};
  for (std::size_t i = 0; i < quads(values.size()) * 4; ++i) {
    const std::int8_t byte = differences.byte(i);
    into[sizeof head + i] = static_cast<std::byte>(byte);
    head.sum += byte;
  }
  std::memcpy(into, &head, sizeof head);
}

void add_byte_vector(const std::byte* from, std::span<float> sums) {
  ByteVector head;
  std::memcpy(&head, from, sizeof head);
  for (std::size_t i = 0; i < sums.size(); ++i)
    sums[i] += head.scale * static_cast<float>(static_cast<std::int8_t>(from[sizeof head + i]));
}

// A first call has Highway choose; before, the pointer would be to a function that asks the CPU
// each time, which takes a thousand times as long.
ByteDistance byte_distance() {
  HWY_DYNAMIC_DISPATCH(FindAbove)(nullptr, 0, 0, nullptr);
  return HWY_DYNAMIC_DISPATCH(Distance);
}

}  // namespace sightline
#endif
