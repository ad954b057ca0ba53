// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Boxes as other people's metadata has them: within the frame, in whole pixels.

#pragma once

#include <optional>

#include "core/geometry.h"
#include "meta/frame.h"

namespace sightline {

// The part of `box` that lies in the frame; empty if there is none.
Rect visible(const SightBox& box, const SightFrame& frame);

struct PixelBox {
  guint x, y, width, height;
};

// The whole pixels nearest to `part`, which is not empty: at least one each way.
PixelBox nearest_pixels(const Rect& part);

// `part` with the frame's width and height as 1; nothing if they are not known.
std::optional<Rect> normalised(const Rect& part, const SightFrame& frame);

}  // namespace sightline
