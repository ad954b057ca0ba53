// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Views of a person's face become entries of a gallery.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "app/face.h"
#include "gallery/gallery.h"

namespace sightline {

struct FaceView {
  std::string source;  // the picture or clip that it is from
  std::vector<float> embedding;
  std::vector<std::uint8_t> thumbnail;  // JPEG
  FaceCrop crop;                        // for a model that comes later
};

// Of what the networks saw in a picture, which the pixels of the thumbnail and the crop are from.
FaceView view_of(const Face& face, GstSample* picture, std::string source);

// Views of several persons.
struct PersonViews {
  std::string name;
  std::vector<FaceView> views;
};

// Stores them, all or none, without those that are there already: of a picture or clip with the
// same contents (KnownFaces), or of the same source with the same embedding. A known name gets
// more. Gives which were there, counted over all persons: whoever looked before may have been
// overtaken by another program. Throws Error that names the gallery, which is made if it is not
// there.
std::vector<std::size_t> store_views(const std::string& gallery,
                                     const std::vector<PersonViews>& persons,
                                     const ModelFingerprint& model);

// How many a person has.
long pictures_of(const std::string& gallery, const std::string& name);

}  // namespace sightline
