// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lines and polygons as sprites. What a blend costs is the area of its sprites, so a long line is
// drawn into the small tiles that it crosses and not into its bounding box.

#pragma once

#include <span>
#include <vector>

#include "core/segment.h"
#include "elements/overlay/color.h"
#include "elements/overlay/sprite.h"

namespace sightline {

struct Polyline {
  std::vector<Point> points;  // pixels of the frame, finite
  bool closed = false;
  float width = 1;  // pixels
  Color color;
};

Sprites draw_polyline(const Polyline& line, Size frame);
// Lines that need not hang together, in pixels of the frame and finite, drawn at once.
Sprites draw_segments(std::span<const Segment> segments, float width, Color color, Size frame);

}  // namespace sightline
