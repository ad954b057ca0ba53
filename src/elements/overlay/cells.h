// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What networks say of each cell of a grid over a part of the frame, as one translucent sprite.

#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/geometry.h"
#include "elements/overlay/color.h"
#include "elements/overlay/sprite.h"

namespace sightline {

// How much of what lies under masks and maps is hidden.
constexpr std::uint8_t kVeil = 112;  // of 255

struct CellMask {
  std::span<const float> likely;  // size.width · size.height of them, by lines
  Size size;                      // cells
  Rect area;                      // of the frame, in pixels
  Color color;
};

struct CellMap {
  std::span<const std::int32_t> classes;  // likewise; below 0: none
  Size size;
  Affine2 to_frame;             // of the grid, a cell being 1 wide and high
  std::optional<Rect> content;  // of the grid; the rest is padding
};

// The pixels that are more likely than not the object's, by bilinear interpolation between the
// cells' centres. Nothing if none of them is in the frame.
std::optional<PlacedSprite> draw_mask(const CellMask& mask, Size frame);

// Each pixel in its class's colour of the palette. Likewise.
std::optional<PlacedSprite> draw_map(const CellMap& map, Size frame);

}  // namespace sightline
