// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/mirror.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace sightline {

namespace {

template <typename Pixel>
void reverse_rows(std::span<const std::byte> from, std::span<std::byte> to, std::size_t width) {
  const auto* row = reinterpret_cast<const Pixel*>(from.data());
  const auto* end = row + from.size() / sizeof(Pixel);
  for (auto* out = reinterpret_cast<Pixel*>(to.data()); row != end; row += width, out += width)
    std::reverse_copy(row, row + width, out);
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
