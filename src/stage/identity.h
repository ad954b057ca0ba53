// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a gallery decides, as metadata.

#pragma once

#include "gallery/gallery.h"
#include "sightline/frame.h"

namespace sightline {

// The caller owns the identity. `votes`: how many embeddings of a track decided; 0: this one alone.
SightIdentity* make_identity(const Decision& decision, int votes = 0);

}  // namespace sightline
