// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A gallery's contents as arrays of NumPy, in an .npz file. docs/gallery.md lists the arrays.

#pragma once

#include <string>
#include <string_view>

#include "gallery/exchange.h"

namespace sightline {

// Without thumbnails and crops, which are no arrays, and without thresholds and calibration.
std::string to_npz(const GalleryDocument& document);

// Throws Error(kGallery) that names the array.
GalleryDocument from_npz(std::string_view bytes);

bool is_npz(std::string_view bytes);

}  // namespace sightline
