// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Boxes that are turned.

#pragma once

#include <array>

#include "core/geometry.h"

namespace sightline {

// Corners, clockwise as they are seen: top left, top right, bottom right and bottom left of what it
// would be upright.
using OrientedBox = std::array<Point, 4>;

// `upright` turned about its centre, clockwise as it is seen.
OrientedBox turned(const Rect& upright, double radians);

// The upright box around it.
Rect bounds(const OrientedBox& box);

// Intersection over union, 0 where either is empty.
float iou(const OrientedBox& a, const OrientedBox& b);

}  // namespace sightline
