// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A sprite that Cairo draws into.

#pragma once

#include <functional>
#include <memory>

#include <cairo.h>

#include "elements/overlay/color.h"
#include "elements/overlay/sprite.h"

namespace sightline {

// Starts transparent; the origin of `draw` is the sprite's left top corner.
std::shared_ptr<Sprite> draw_sprite(Size size, const std::function<void(cairo_t*)>& draw);

void set_source(cairo_t* cairo, Color color);

}  // namespace sightline
