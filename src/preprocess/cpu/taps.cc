// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/cpu/taps.h"

#include <algorithm>
#include <cmath>

namespace sightline::cpu {

Tap bilinear_tap(double position, int size) {
  const double f = position - 0.5;
  const int first = static_cast<int>(std::clamp(f, 0.0, std::max(size - 2.0, 0.0)));
  return {first, static_cast<float>(std::clamp(f - first, 0.0, 1.0))};
}

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

Grid supersampling(const Affine2& to_frame) {
  static constexpr double kMost = 32;  // a side; more changes little and costs its square
  const auto samples = [](double dx, double dy) {
    return static_cast<int>(std::clamp(std::ceil(std::hypot(dx, dy)), 1.0, kMost));
  };
  return {samples(to_frame.xx, to_frame.yx), samples(to_frame.xy, to_frame.yy)};
}

Span bilinear_columns(const SamplePlane& plane, const Affine2& to_plane, Span columns, bool twice,
                      PlaneScratch& scratch) {
  const auto position = [&](int x) { return to_plane.xx * (x + 0.5) + to_plane.x0; };
  const Tap one_end = bilinear_tap(position(columns.begin), plane.size.width);
  const Tap other_end = bilinear_tap(position(columns.end - 1), plane.size.width);
  const int first = std::min(one_end.first, other_end.first);
  const int last = std::min(std::max(one_end.first, other_end.first) + 1, plane.size.width - 1);

  std::int32_t* index = scratch.index.reserve(static_cast<std::size_t>(columns.end));
  std::uint32_t* weights = scratch.weights.reserve(static_cast<std::size_t>(columns.end) * 2);
  for (int x = columns.begin; x < columns.end; ++x) {
    const Tap tap = bilinear_tap(position(x), plane.size.width);
    const auto second = static_cast<std::uint32_t>(std::lrint(tap.weight * (1 << kColumnBits)));
    const std::uint32_t both = ((1u << kColumnBits) - second) | second << 16;
    index[x] = (tap.first - first) * plane.step;
    if (twice) {
      weights[2 * x] = weights[2 * x + 1] = both;
    } else {
      weights[x] = both;
    }
  }
  return {first, last + 1};
}

int permutation_tables(const SamplePlane& plane, Span columns, bool pairs, PlaneScratch& scratch) {
  constexpr int kTable = 64, kLanes = 32, kMostTables = 8;
  const int block_columns = pairs ? 8 : 16, lanes_per_column = kLanes / block_columns;
  const int blocks = (columns.end - columns.begin + block_columns - 1) / block_columns;
  const std::int32_t* index = scratch.index.get();
  // Two blocks may be taken at a time, the second of which need not be one.
  std::int32_t* origin = scratch.origin.reserve(static_cast<std::size_t>(blocks) + 1);
  std::uint16_t* lanes = scratch.lanes.reserve(static_cast<std::size_t>(blocks + 1) * kLanes);

  origin[blocks] = 0;

  int most = 0;
  for (int block = 0; block < blocks; ++block) {
    const int begin = columns.begin + block * block_columns;
    const int end = std::min(begin + block_columns, columns.end);
    origin[block] = std::min(index[begin], index[end - 1]);
    for (int x = begin; x < end; ++x, lanes += lanes_per_column) {
      const int first = index[x] - origin[block], second = first + plane.step;
      most = std::max(most, second + 1);
      lanes[0] = static_cast<std::uint16_t>(first);
      lanes[1] = static_cast<std::uint16_t>(second);
      if (!pairs) continue;
      lanes[2] = static_cast<std::uint16_t>(first + 1);
      lanes[3] = static_cast<std::uint16_t>(second + 1);
    }
  }
  if (pairs) ++most;
  const int tables = (most + kTable - 1) / kTable;
  return tables <= kMostTables ? tables : 0;
}

}  // namespace sightline::cpu
