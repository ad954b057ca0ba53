// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a user wants drawn: user data of the name "overlay" on a frame or an object. README.md of
// src/elements describes it.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "core/geometry.h"
#include "elements/overlay/color.h"

namespace sightline {

constexpr const char* kOverlayUserData = "overlay";

struct UserShape {
  bool closed = false;         // a polygon
  std::vector<Point> points;   // pixels of the frame, finite, at least one
  std::optional<Color> color;  // else that of its owner
  std::optional<float> width;  // pixels, else the property line-width
  std::string label;           // drawn at the first point
};

// The shapes in `value`. `unit` is what "relative" coordinates are relative to. Throws
// Error(kInput) that says what is wrong with the first shape that is.
std::vector<UserShape> read_shapes(const GValue& value, const Rect& unit);

}  // namespace sightline
