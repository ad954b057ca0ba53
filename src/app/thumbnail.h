// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A small picture of a face, for people who look through a gallery.

#pragma once

#include <cstdint>
#include <vector>

#include <gst/gst.h>

#include "core/geometry.h"

namespace sightline {

// A JPEG file of the face and what is around it, at most 128 pixels a side. Throws Error(kFailed)
// if it can't be encoded.
std::vector<std::uint8_t> thumbnail(GstSample* picture, const Rect& face);

}  // namespace sightline
