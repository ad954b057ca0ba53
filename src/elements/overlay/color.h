// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Colours of what is drawn.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sightline {

struct Color {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  std::uint8_t alpha = 255;

  friend bool operator==(const Color&, const Color&) = default;
};

constexpr Color kNeutral{192, 192, 192};  // of unknown persons, and of what has no class

// One of 24 colours that are easy to tell apart. The same key has the same colour in every run and
// on every machine; neighbouring numbers have very different ones.
Color palette_color(std::uint64_t key);
Color palette_color(std::string_view key);

// "#rrggbb" or "#rrggbbaa".
std::optional<Color> parse_color(std::string_view text);

// Black or white, whichever can be read on `background`.
Color text_color(Color background);

// As one pixel of GStreamer's overlays: native-endian ARGB, premultiplied.
std::uint32_t premultiplied_argb(Color color);

}  // namespace sightline
