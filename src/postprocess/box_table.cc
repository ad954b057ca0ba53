// SPDX-License-Identifier: LGPL-2.1-or-later
//
// This file is compiled once for each instruction set.

#include "postprocess/box_table.h"

#include <algorithm>
#include <limits>

#define HWY_BROKEN_EMU128 0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "postprocess/box_table.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sightline {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

const hn::ScalableTag<float> df;
using VF = hn::Vec<decltype(df)>;

// Boxes whose scores are looked at together: they stay in the first cache while the classes go by.
constexpr std::size_t kBlock = 512;

// best[i] = the largest of scores[i], scores[i + stride], …, `classes` of them. A NaN leaves it.
void LargestScores(const float* HWY_RESTRICT scores, std::size_t stride, std::size_t classes,
                   std::size_t count, float* HWY_RESTRICT best) {
  const std::size_t lanes = hn::Lanes(df);
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    VF b0 = hn::Set(df, -1), b1 = b0, b2 = b0, b3 = b0;
    const float* from = scores + i;
    // Larger or kept: Max() with a NaN is not the same on all machines.
    const auto better = [](VF best, VF score)
                            HWY_ATTR { return hn::IfThenElse(hn::Gt(score, best), score, best); };
    for (std::size_t c = 0; c < classes; ++c, from += stride) {
      b0 = better(b0, hn::LoadU(df, from));
      b1 = better(b1, hn::LoadU(df, from + lanes));
      b2 = better(b2, hn::LoadU(df, from + 2 * lanes));
      b3 = better(b3, hn::LoadU(df, from + 3 * lanes));
    }
    hn::StoreU(b0, df, best + i);
    hn::StoreU(b1, df, best + i + lanes);
    hn::StoreU(b2, df, best + i + 2 * lanes);
    hn::StoreU(b3, df, best + i + 3 * lanes);
  }
  for (; i < count; ++i) {
    best[i] = -1;
    for (std::size_t c = 0; c < classes; ++c)
      if (scores[c * stride + i] > best[i]) best[i] = scores[c * stride + i];
  }
}

}  // namespace

// Calls for each box whose best score reaches `least`, in order.
void ForEachPromising(const float* scores, std::size_t boxes, std::size_t classes, float least,
                      void (*act)(void* context, std::size_t box), void* context) {
  float best[kBlock];
  const std::size_t lanes = hn::Lanes(df);
  for (std::size_t begin = 0; begin < boxes; begin += kBlock) {
    const std::size_t count = std::min(kBlock, boxes - begin);
    LargestScores(scores + begin, boxes, classes, count, best);
    std::fill(best + count, best + kBlock, -1.0f);
    for (std::size_t i = 0; i < count; i += lanes) {
      if (hn::AllFalse(df, hn::Ge(hn::LoadU(df, best + i), hn::Set(df, least)))) continue;
      for (std::size_t k = i; k < std::min(i + lanes, count); ++k)
        if (best[k] >= least) act(context, begin + k);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline {

HWY_EXPORT(ForEachPromising);

namespace {

struct Search {
  const BoxTable& table;
  std::span<const float> values;
  std::size_t first;
  std::span<const float> thresholds;
  std::vector<Candidate>& found;

  void look_at(std::size_t box) const {
    float best = -1;
    std::size_t best_class = 0;
    for (std::size_t c = 0; c < thresholds.size(); ++c) {
      const float score = table.at(values, box, first + c);
      if (score > best) best = score, best_class = c;
    }
    constexpr float kLargest = std::numeric_limits<float>::max();
    if (best >= thresholds[best_class] && best <= kLargest)
      found.push_back({best, static_cast<int>(best_class), static_cast<int>(box), {}});
  }
};

}  // namespace

std::optional<BoxTable> find_box_table(const Shape& shape, std::size_t least_columns) {
  constexpr std::int64_t kMostBoxes = 1 << 24;
  constexpr std::size_t kMostColumns = 1 << 16;
  if (shape.size() != 2 || std::min(shape[0], shape[1]) < 1 ||
      std::max(shape[0], shape[1]) > kMostBoxes)
    return std::nullopt;
  const auto a = static_cast<std::size_t>(shape[0]), b = static_cast<std::size_t>(shape[1]);
  const BoxTable table = a < b ? BoxTable{b, a, true} : BoxTable{a, b, false};
  if (table.columns < least_columns || table.columns > kMostColumns) return std::nullopt;
  return table;
}

Strided columns_of(const BoxTable& table, std::size_t output, std::size_t first,
                   std::size_t columns) {
  const std::size_t step = table.by_column ? table.boxes : 1;
  return {output, first * step, table.by_column ? 1 : table.columns, 0, step, columns};
}

ScreenPart best_classes(const BoxTable& table, std::size_t output, std::size_t first,
                        std::span<const float> thresholds) {
  constexpr std::size_t kBox = 4;
  ScreenPart part;
  part.rows = table.boxes;
  part.scores = columns_of(table, output, first, 1);
  part.scores.per_class = part.scores.column;
  part.least.assign(thresholds.begin(), thresholds.end());
  part.best_only = true;
  part.beside = {columns_of(table, output, 0, kBox)};
  return part;
}

void find_best_classes(const BoxTable& table, std::span<const float> values, std::size_t first,
                       std::span<const float> thresholds, std::vector<Candidate>& found) {
  const Search search{table, values, first, thresholds, found};
  if (thresholds.empty()) return;
  if (!table.by_column) {
    for (std::size_t box = 0; box < table.boxes; ++box) search.look_at(box);
    return;
  }
  const float least = std::max(*std::ranges::min_element(thresholds), 0.0f);
  HWY_DYNAMIC_DISPATCH(ForEachPromising)
  (
      values.data() + first * table.boxes, table.boxes, thresholds.size(), least,
      [](void* context, std::size_t box) { static_cast<const Search*>(context)->look_at(box); },
      const_cast<Search*>(&search));
}

}  // namespace sightline
#endif  // HWY_ONCE
