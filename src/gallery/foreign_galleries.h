// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Galleries of other programs. None says which model made its embeddings, so whoever imports one
// says it.

#pragma once

#include <filesystem>

#include "gallery/exchange.h"

namespace sightline {

// Of gvaidentify, the element that DL Streamer had until 2020: JSON that names files of raw
// float32,
// {"Ann": {"features": ["ann/1.tensor"]}} or [{"name": "Ann", "features": […]}]. Files are looked
// for as they are named, else beside the JSON. Throws Error(kGallery) that names file and person.
GalleryDocument from_gvaidentify(const std::filesystem::path& path, const ModelFingerprint& model);

// Of face_recognition, whose users keep encodings by themselves: JSON {"Ann": [0.1, …]}, or a list
// of such for each name, or {"names": […], "encodings": [[…]]}; .npz with an array for each name,
// or with the arrays names and encodings. Pickled files are refused, with how to convert them.
// Throws likewise.
GalleryDocument from_face_recognition(const std::filesystem::path& path,
                                      const ModelFingerprint& model);

}  // namespace sightline
