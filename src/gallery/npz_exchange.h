// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A gallery's contents as arrays of NumPy, in an .npz file. docs/gallery.md lists the arrays.

#pragma once

#include <string>
#include <string_view>

#include "gallery/contents.h"

namespace sightline {

// Without thumbnails and crops, which are no arrays, and without rules and calibration. The rows of
// one person follow each other.
std::string to_npz(GalleryContents& contents);

// Throws Error(kGallery) that names the array.
GalleryDocument from_npz(std::string_view bytes);

bool is_npz(std::string_view bytes);

}  // namespace sightline
