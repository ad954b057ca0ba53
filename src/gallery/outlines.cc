// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/outlines.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>

#include "gallery/dot_products.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gallery/outlines.cc"
#define HWY_WANT_AVX3_DL
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#include "gallery/byte_products-inl.h"

// An outline begins with the squared distance to the centre, a float, whose place in a query is
// zeros; its bytes are each plus 128.

HWY_BEFORE_NAMESPACE();
namespace sightline::HWY_NAMESPACE {

constexpr std::size_t kHead = sizeof(float);

#if HWY_TARGET == HWY_AVX3_DL
HWY_INLINE __m512i Products(const std::byte* outline, const std::int8_t* query, std::size_t bytes) {
  __m512i sums = _mm512_setzero_si512();
  for (std::size_t i = 0; i < bytes; i += 64)
    sums = AddByteProducts(sums, _mm512_load_si512(outline + i), _mm512_loadu_si512(query + i));
  return sums;
}

// Of two registers, neighbours in turn: a b a b …
HWY_INLINE __m512i AddInPairs(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
}

// Four outlines at a time, so that their sums are taken together.
HWY_INLINE __m128i FourProducts(const std::byte* const* outlines, const std::int8_t* query,
                                std::size_t bytes) {
  const __m512i ab =
      AddInPairs(Products(outlines[0], query, bytes), Products(outlines[1], query, bytes));
  const __m512i cd =
      AddInPairs(Products(outlines[2], query, bytes), Products(outlines[3], query, bytes));
  const __m512i all =
      _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}
#endif

void Distances(const OutlineQuery& query, const std::byte* outlines, const std::uint32_t* places,
               std::size_t count, float* distances) {
  const std::size_t bytes = query.bytes.size();
  for (std::size_t i = 0; i < count; i += 4) {
    const std::size_t some = std::min<std::size_t>(4, count - i);
    std::array<const std::byte*, 4> from;
    for (std::size_t j = 0; j < 4; ++j)
      from[j] = outlines + places[i + std::min(j, some - 1)] * bytes;
    std::array<std::int32_t, 4> sums{};
#if HWY_TARGET == HWY_AVX3_DL
    _mm_storeu_si128(reinterpret_cast<__m128i*>(sums.data()),
                     FourProducts(from.data(), query.bytes.data(), bytes));
#else
    for (std::size_t j = 0; j < some; ++j)
      sums[j] =
          SumOfProducts(reinterpret_cast<const std::uint8_t*>(from[j]), query.bytes.data(), bytes);
#endif
    for (std::size_t j = 0; j < some; ++j) {
      float head;
      std::memcpy(&head, from[j], kHead);
      distances[i + j] = head + query.offset + query.factor * static_cast<float>(sums[j]);
    }
  }
}

}  // namespace sightline::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline {

HWY_EXPORT(Distances);

namespace {

constexpr std::size_t kHead = sizeof(float);
constexpr float kLargest = 127;
constexpr int kZero = 128;

float squared_length(std::span<const float> values) { return dot_product(values, values); }

// Makes them orthogonal and of unit length, those that depend on earlier ones zero.
void make_orthogonal(std::vector<float>& axes, std::size_t dimensions) {
  constexpr float kNothing = 1e-5f;  // of the length that an axis had before
  for (std::size_t begin = 0; begin < axes.size(); begin += dimensions) {
    const std::span<float> axis(axes.data() + begin, dimensions);
    const float before = std::sqrt(squared_length(axis));
    for (int twice = 0; twice < 2; ++twice) {  // what rounding has left of the others
      for (std::size_t other = 0; other < begin; other += dimensions) {
        const std::span<const float> earlier(axes.data() + other, dimensions);
        const float part = dot_product(earlier, axis);
        for (std::size_t i = 0; i < dimensions; ++i) axis[i] -= part * earlier[i];
      }
    }
    const float length = std::sqrt(squared_length(axis));
    const float scale = length > kNothing * before && length > 0 ? 1 / length : 0;
    for (float& value : axis) value *= scale;
  }
}

std::size_t most_axes(std::size_t outline_bytes, std::size_t dimensions) {
  return std::min(outline_bytes - kHead, dimensions);
}

}  // namespace

OutlineAxes::OutlineAxes(std::size_t dimensions)
    : dimensions_(dimensions),
      step_(1 / kLargest),
      axes_(most_axes(kLine, dimensions) * dimensions) {
  for (std::size_t axis = 0; axis < axes(); ++axis) axes_[axis * dimensions + axis] = 1;
}

OutlineAxes::OutlineAxes(std::span<const float> centre, std::size_t count,
                         const std::function<std::span<const float>(std::size_t)>& values)
    : OutlineAxes(centre.size()) {
  constexpr std::size_t kLookedAt = 4096;
  const std::size_t looked_at = std::min(count, kLookedAt);
  std::vector<float> rows;
  rows.reserve(looked_at * dimensions_);
  for (std::size_t i = 0; i < looked_at; ++i) {
    const std::span<const float> row = values(i * count / looked_at);
    for (std::size_t d = 0; d < dimensions_; ++d) rows.push_back(row[d] - centre[d]);
  }
  if (!(squared_length(rows) > 0)) return;
  spread_ = squared_length(rows) / static_cast<float>(looked_at);
  while (find(rows) < kHeld && bytes_ < kMostLines * kLine && bytes_ - kHead < dimensions_)
    bytes_ *= 2;
  set_step(rows);
}

// As many axes as the bytes have room for: any are turned, again and again, towards where the rows
// lie (orthogonal iteration). Returns which part of the rows' squared lengths they hold.
double OutlineAxes::find(std::span<const float> rows) {
  constexpr int kTurns = 8;
  axes_.resize(most_axes(bytes_, dimensions_) * dimensions_);
  std::mt19937 random(1);  // NOLINT: the same axes each time
  for (float& value : axes_) value = static_cast<float>(random()) * 0x1p-31f - 1;
  make_orthogonal(axes_, dimensions_);
  double held = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    held = 0;
    std::vector<float> turned(axes_.size());
    for (std::size_t row = 0; row < rows.size(); row += dimensions_) {
      const float* from = rows.data() + row;
      const std::vector<float> parts = along({from, dimensions_});
      for (std::size_t axis = 0; axis < parts.size(); ++axis) {
        float* into = turned.data() + axis * dimensions_;
        for (std::size_t d = 0; d < dimensions_; ++d) into[d] += parts[axis] * from[d];
        held += static_cast<double>(parts[axis]) * static_cast<double>(parts[axis]);
      }
    }
    make_orthogonal(turned, dimensions_);
    axes_ = std::move(turned);
  }
  double all = 0;
  for (const float value : rows) all += static_cast<double>(value) * static_cast<double>(value);
  return held / all;
}

void OutlineAxes::set_step(std::span<const float> rows) {
  float largest = 0;
  for (std::size_t row = 0; row < rows.size(); row += dimensions_)
    for (const float part : along(rows.subspan(row, dimensions_)))
      largest = std::max(largest, std::abs(part));
  if (largest > 0) step_ = largest / kLargest;
}

std::vector<float> OutlineAxes::along(std::span<const float> differences) const {
  std::vector<float> parts(axes());
  dot_products(axes_, differences, parts);
  return parts;
}

void OutlineAxes::write_outline(std::span<const float> differences, std::byte* into) const {
  const std::vector<float> parts = along(differences);
  const float squared = squared_length(differences);
  std::fill_n(into, bytes_, static_cast<std::byte>(kZero));
  std::memcpy(into, &squared, kHead);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const float byte = std::clamp(parts[i] / step_, -kLargest, kLargest);
    into[kHead + i] = static_cast<std::byte>(std::lrintf(byte) + kZero);
  }
}

// With a = q − c and b = x − c, the squared distance is a² + b² − 2 ab, of which b² is in the
// outline.
OutlineQuery OutlineAxes::query(std::span<const float> differences) const {
  const std::vector<float> parts = along(differences);
  float largest = 0;
  for (const float part : parts) largest = std::max(largest, std::abs(part));
  const float step = largest > 0 ? largest / kLargest : 1;
  OutlineQuery query;
  query.bytes.resize(bytes_);
  int sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    query.bytes[kHead + i] = static_cast<std::int8_t>(std::lrintf(parts[i] / step));
    sum += query.bytes[kHead + i];
  }
  query.factor = -2 * step * step_;
  query.usual = squared_length(differences) + spread_;
  query.offset = squared_length(differences) - query.factor * static_cast<float>(kZero * sum);
  return query;
}

std::size_t OutlineAxes::written_size(std::size_t dimensions, std::size_t outline_bytes) {
  return sizeof(float) * (2 + most_axes(outline_bytes, dimensions) * dimensions);
}

std::vector<std::byte> OutlineAxes::written() const {
  std::vector<float> numbers{step_, spread_};
  numbers.insert(numbers.end(), axes_.begin(), axes_.end());
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

bool OutlineAxes::read(std::span<const std::byte> written, std::size_t outline_bytes) {
  if (outline_bytes % kLine != 0 || outline_bytes == 0 || outline_bytes > kMostLines * kLine ||
      written.size() != written_size(dimensions_, outline_bytes))
    return false;
  std::vector<float> numbers(written.size() / sizeof(float));
  std::memcpy(numbers.data(), written.data(), written.size());
  const auto is_number = [](float value) { return std::isfinite(value); };
  if (!std::ranges::all_of(numbers, is_number) || !(numbers[0] > 0) || numbers[1] < 0) return false;
  bytes_ = outline_bytes;
  step_ = numbers[0];
  spread_ = numbers[1];
  axes_.assign(numbers.begin() + 2, numbers.end());
  return true;
}

void outline_distances(const OutlineQuery& query, const std::byte* outlines,
                       std::span<const std::uint32_t> places, std::span<float> distances) {
  HWY_DYNAMIC_DISPATCH(Distances)
  (query, outlines, places.data(), places.size(), distances.data());
}

}  // namespace sightline
#endif
