// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/cpu/taps.h"

#include <algorithm>
#include <cmath>

namespace sightline::cpu {

AreaTap area_tap(double position, double width, int size) {
  const double begin = position - width / 2, end = position + width / 2;
  const double last_sample = size - 1.0;
  const double first = std::clamp(std::floor(begin), 0.0, last_sample);
  const double last = std::clamp(std::ceil(end) - 1, first, last_sample);
  AreaTap tap{static_cast<int>(first), static_cast<int>(last), static_cast<float>(1 / width), {}};
  if (first == last) {
    tap.edge = {1, 0};
  } else {
    tap.edge = {static_cast<float>((first + 1 - begin) / width),
                static_cast<float>((end - last) / width)};
  }
  return tap;
}

double footprint(double step) { return std::max(1.0, std::abs(step)); }

Span bilinear_columns(const SamplePlane& plane, const Affine2& to_plane, Span columns,
                      PlaneScratch& scratch) {
  const auto position = [&](int x) { return to_plane.xx * (x + 0.5) + to_plane.x0; };
  const Tap one_end = bilinear_tap(position(columns.begin), plane.size.width);
  const Tap other_end = bilinear_tap(position(columns.end - 1), plane.size.width);
  const int first = std::min(one_end.first, other_end.first);
  const int last = std::min(std::max(one_end.first, other_end.first) + 1, plane.size.width - 1);

  const std::size_t count = static_cast<std::size_t>(columns.end);
  std::int32_t* index = scratch.index.reserve(count);
  std::uint32_t* weights = scratch.weights.reserve(count);
  std::uint32_t* twice = scratch.weights_twice.reserve(count * 2);
  for (int x = columns.begin; x < columns.end; ++x) {
    const Tap tap = bilinear_tap(position(x), plane.size.width);
    // NOLINTNEXTLINE(bugprone-incorrect-roundings): a weight is from 0 to 1
    const auto second = static_cast<std::uint32_t>(tap.weight * (1 << kColumnBits) + 0.5f);
    index[x] = (tap.first - first) * plane.step;
    weights[x] = ((1u << kColumnBits) - second) | second << 16;
    twice[2 * x] = twice[2 * x + 1] = weights[x];
  }
  return {first, last + 1};
}

Span area_columns(const SamplePlane& plane, const Affine2& to_plane, Span columns,
                  AreaScratch& taps, int& taps_a_column) {
  const auto tap_of = [&](int x) {
    return area_tap(to_plane.xx * (x + 0.5) + to_plane.x0, footprint(to_plane.xx),
                    plane.size.width);
  };
  const AreaTap one_end = tap_of(columns.begin), other_end = tap_of(columns.end - 1);
  const Span samples{std::min(one_end.first, other_end.first),
                     std::max(one_end.last, other_end.last) + 1};
  taps_a_column = 0;
  for (int x = columns.begin; x < columns.end; ++x) {
    const AreaTap tap = tap_of(x);
    taps_a_column = std::max(taps_a_column, tap.last - tap.first + 1);
  }

  // For whole vectors of columns.
  constexpr int kMostLanes = 16;
  const int end = columns.end + kMostLanes;
  std::int32_t* index = taps.index.reserve(static_cast<std::size_t>(end));
  taps.weights_a_tap = static_cast<std::size_t>(end);
  float* weights =
      taps.weights.reserve(taps.weights_a_tap * static_cast<std::size_t>(taps_a_column));
  for (int x = columns.begin; x < end; ++x) {
    const AreaTap tap = tap_of(std::min(x, columns.end - 1));
    const int first = std::min(tap.first, samples.end - taps_a_column);  // no tap behind the last
    index[x] = (first - samples.begin) * plane.step;
    for (int i = 0; i < taps_a_column; ++i) {
      const int sample = first + i;
      weights[static_cast<std::size_t>(i) * taps.weights_a_tap + static_cast<std::size_t>(x)] =
          sample < tap.first || sample > tap.last ? 0 : tap.weight(sample);
    }
  }
  return samples;
}

namespace {

constexpr int kTableBytes = 2 * kTableWords;
constexpr int kLanes = 32;  // 16-bit words of a vector

// Blocks of `a_block` columns, and one more for kernels that take two at a time.
struct Blocks {
  int a_block, count;
  std::int32_t* origin;
  std::uint16_t* lanes;

  Blocks(Span columns, int columns_a_block, PlaneScratch& scratch)
      : a_block(columns_a_block),
        count((columns.end - columns.begin + a_block - 1) / a_block),
        origin(scratch.origin.reserve(static_cast<std::size_t>(count) + 1)),
        lanes(scratch.lanes.reserve(static_cast<std::size_t>(count + 1) * kLanes)) {
    origin[count] = 0;
  }
  Span columns_of(int block, Span columns) const {
    const int begin = columns.begin + block * a_block;
    return {begin, std::min(begin + a_block, columns.end)};
  }
};

}  // namespace

int source_tables(const SamplePlane& plane, Span columns, Span samples, PlaneScratch& scratch) {
  if (plane.step != plane.channels || plane.step > 2) return 0;
  const Blocks blocks(columns, 16, scratch);
  std::uint8_t* shuffle =
      scratch.shuffle.reserve(static_cast<std::size_t>(blocks.count) * 2 * kLanes);
  const std::int32_t* index = scratch.index.get();
  const int row_bytes = (samples.end - samples.begin) * plane.step;

  int widest = 0;
  for (int block = 0; block < blocks.count; ++block) {
    const Span of = blocks.columns_of(block, columns);
    const int one_end = index[of.begin], other_end = index[of.end - 1];
    blocks.origin[block] = std::min(one_end, other_end);
    widest = std::max(widest, std::abs(one_end - other_end) + 2 * plane.step);
  }
  const int tables = (widest + kTableBytes - 1) / kTableBytes;
  if (tables > 2 || row_bytes < tables * kTableBytes) return 0;

  for (int block = 0; block < blocks.count; ++block) {
    // No table may end behind the row.
    std::int32_t& origin = blocks.origin[block];
    origin = std::min(origin, row_bytes - tables * kTableBytes);
    const Span of = blocks.columns_of(block, columns);
    for (int x = of.begin, i = 0; x < of.end; ++x, ++i) {
      const int offset = index[x] - origin, odd = offset % 2;
      std::uint16_t* lanes = blocks.lanes + block * kLanes + 2 * i;
      lanes[0] = static_cast<std::uint16_t>(offset / 2);
      lanes[1] = static_cast<std::uint16_t>(offset / 2 + 1);
      constexpr std::uint8_t kZero = 0x80;
      const int at = 4 * (i % 4) + odd;  // of the 16 bytes that a shuffle is confined to
      std::uint8_t* bytes = shuffle + (block * kLanes + 2 * i) * 2;
      bytes[0] = static_cast<std::uint8_t>(at);
      bytes[2] = static_cast<std::uint8_t>(at + 1);
      bytes[1] = bytes[3] = kZero;
    }
  }
  return tables;
}

int blended_tables(const SamplePlane& plane, Span columns, PlaneScratch& scratch) {
  constexpr int kMostTables = 8;
  const bool pairs = plane.channels == 2 && plane.step == 2;
  const Blocks blocks(columns, pairs ? 8 : 16, scratch);
  const std::int32_t* index = scratch.index.get();

  int widest = 0;
  for (int block = 0; block < blocks.count; ++block) {
    const Span of = blocks.columns_of(block, columns);
    const int origin = std::min(index[of.begin], index[of.end - 1]);
    blocks.origin[block] = origin;
    std::uint16_t* lanes = blocks.lanes + block * kLanes;
    for (int x = of.begin; x < of.end; ++x) {
      const int first = index[x] - origin, second = first + plane.step;
      widest = std::max(widest, second + (pairs ? 2 : 1));
      *lanes++ = static_cast<std::uint16_t>(first);
      *lanes++ = static_cast<std::uint16_t>(second);
      if (!pairs) continue;
      *lanes++ = static_cast<std::uint16_t>(first + 1);
      *lanes++ = static_cast<std::uint16_t>(second + 1);
    }
  }
  const int tables = (widest + kTableWords - 1) / kTableWords;
  return tables <= kMostTables ? tables : 0;
}

}  // namespace sightline::cpu
