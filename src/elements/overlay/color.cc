// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/color.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace sightline {
namespace {

constexpr std::size_t kPaletteSize = 24;

std::uint8_t byte(double unit) {
  return static_cast<std::uint8_t>(std::lround(255 * std::clamp(unit, 0.0, 1.0)));
}

Color from_hsv(double hue, double saturation, double value) {
  const auto channel = [&](double offset) {
    const double k = std::fmod(offset + hue / 60, 6.0);
    return byte(value - value * saturation * std::clamp(std::min(k, 4 - k), 0.0, 1.0));
  };
  return {channel(5), channel(3), channel(1)};
}

// Hues a golden angle apart never crowd, however many of them are used; saturation and value
// alternate so that near hues differ in another way.
std::array<Color, kPaletteSize> make_palette() {
  constexpr double kGoldenAngle = 137.50776;
  std::array<Color, kPaletteSize> palette;
  for (std::size_t i = 0; i < kPaletteSize; ++i)
    palette[i] = from_hsv(std::fmod(static_cast<double>(i) * kGoldenAngle + 145, 360.0),
                          i % 3 == 1 ? 0.55 : 0.9, i % 3 == 2 ? 0.75 : 1.0);
  return palette;
}

// FNV-1a, 64 bits.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3u;
  return hash;
}

}  // namespace

Color palette_color(std::uint64_t key) {
  static const std::array<Color, kPaletteSize> palette = make_palette();
  return palette[key % kPaletteSize];
}

Color palette_color(std::string_view key) { return palette_color(stable_hash(key)); }

std::optional<Color> parse_color(std::string_view text) {
  if ((text.size() != 7 && text.size() != 9) || text[0] != '#') return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() == 7) value = value << 8 | 0xff;
  return Color{static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
               static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

Color text_color(Color background) {
  const int luma = 299 * background.red + 587 * background.green + 114 * background.blue;
  return luma > 128 * 1000 ? Color{0, 0, 0} : Color{255, 255, 255};
}

std::uint32_t premultiplied_argb(Color color) {
  const auto scaled = [&](std::uint8_t c) -> std::uint32_t {
    return (c * color.alpha + 127) / 255;
  };
  return static_cast<std::uint32_t>(color.alpha) << 24 | scaled(color.red) << 16 |
         scaled(color.green) << 8 | scaled(color.blue);
}

}  // namespace sightline
