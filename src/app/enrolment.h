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

// Stores all of them or none, and gives how many the person has then. A known name gets more.
// Throws Error that names the gallery, which is made if it is not there.
long store_views(const std::string& gallery, const std::string& name,
                 const std::vector<FaceView>& views, const ModelFingerprint& model);

// Views of several persons, all of them or none.
struct PersonViews {
  std::string name;
  std::vector<FaceView> views;
};
void store_views(const std::string& gallery, const std::vector<PersonViews>& persons,
                 const ModelFingerprint& model);

}  // namespace sightline
