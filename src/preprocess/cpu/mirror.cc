// SPDX-License-Identifier: LGPL-2.1-or-later
//
// This file is compiled once for each instruction set.

#include "preprocess/mirror.h"

#include <algorithm>
#include <array>
#include <cstdint>

#define HWY_WANT_AVX3_DL
#define HWY_BROKEN_EMU128 0
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "preprocess/cpu/mirror.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sightline::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void ReverseRow(const float* HWY_RESTRICT from, std::size_t width, float* HWY_RESTRICT to) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= width; i += lanes)
    hn::StoreU(hn::Reverse(d, hn::LoadU(d, from + width - i - lanes)), d, to + i);
  for (; i < width; ++i) to[i] = from[width - 1 - i];
}

}  // namespace HWY_NAMESPACE
}  // namespace sightline::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline {

namespace cpu {
HWY_EXPORT(ReverseRow);
}  // namespace cpu

namespace {

template <typename Pixel>
void reverse_row(const Pixel* from, std::size_t width, Pixel* to) {
  std::reverse_copy(from, from + width, to);
}

void reverse_row(const float* from, std::size_t width, float* to) {
  using namespace cpu;  // NOLINT: what Highway's macro refers to
  HWY_DYNAMIC_DISPATCH(ReverseRow)(from, width, to);
}

template <typename Pixel>
void reverse_rows(std::span<const std::byte> from, std::span<std::byte> to, std::size_t width) {
  const auto* row = reinterpret_cast<const Pixel*>(from.data());
  const auto* end = row + from.size() / sizeof(Pixel);
  for (auto* out = reinterpret_cast<Pixel*>(to.data()); row != end; row += width, out += width)
    reverse_row(row, width, out);
}

template <typename Element>
void reverse_columns(const TensorSpec& spec, std::span<const std::byte> from,
                     std::span<std::byte> to) {
  const auto width = static_cast<std::size_t>(spec.size.width);
  if (spec.layout == Layout::kNchw || spec.channel_count() == 1)
    reverse_rows<Element>(from, to, width);
  else
    reverse_rows<std::array<Element, 3>>(from, to, width);
}

}  // namespace

bool can_mirror(const TensorSpec& spec) { return spec.mean_image.empty(); }

void mirror_columns(const TensorSpec& spec, std::span<const std::byte> from,
                    std::span<std::byte> to) {
  switch (size_of(spec.type)) {
    case 1:
      return reverse_columns<std::uint8_t>(spec, from, to);
    case 2:
      return reverse_columns<std::uint16_t>(spec, from, to);
    default:
      return reverse_columns<float>(spec, from, to);
  }
}

}  // namespace sightline
#endif  // HWY_ONCE
