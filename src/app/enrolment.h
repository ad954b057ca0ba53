// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Views of a person's face become entries of a gallery.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gallery/gallery.h"

namespace sightline {

struct FaceView {
  std::string source;  // the picture or clip that it is from
  std::vector<float> embedding;
  std::vector<std::uint8_t> thumbnail;  // JPEG
};

// Stores all of them or none, and gives how many the person has then. A known name gets more.
// Throws Error that names the gallery, which is made if it is not there.
long store_views(const std::filesystem::path& gallery, const std::string& name,
                 const std::vector<FaceView>& views, const ModelFingerprint& model);

}  // namespace sightline
