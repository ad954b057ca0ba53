// SPDX-License-Identifier: LGPL-2.1-or-later
//
// All other metadata that follows a frame.

#pragma once

#include <gst/gst.h>

namespace sightline {

// For who has changed a frame: mirror_objects(), mirror_relations() and mirror_tensors() of one
// that is mirrored so.
void update_mirrors(GstBuffer* buffer);

}  // namespace sightline
