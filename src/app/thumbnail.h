// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Pictures of a face: a small one for people who look through a gallery, and a larger one for a
// model that comes later.

#pragma once

#include <cstdint>
#include <vector>

#include <gst/gst.h>

#include "app/face.h"
#include "core/geometry.h"
#include "gallery/gallery.h"

namespace sightline {

// A JPEG file of the face and what is around it, at most 128 pixels a side. Throws Error(kFailed)
// if it can't be encoded.
std::vector<std::uint8_t> thumbnail(GstSample* picture, const Rect& face);

// The face with so much around it that it can be found again and aligned as any model wants it, at
// most 256 pixels a side: more than models for faces look at. Throws likewise.
FaceCrop face_crop(GstSample* picture, const Face& face);

}  // namespace sightline
