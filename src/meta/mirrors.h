// SPDX-License-Identifier: LGPL-2.1-or-later
//
// All other metadata that follows a frame.

#pragma once

#include <gst/gst.h>

namespace sightline {

// For who has changed objects: mirror_objects() and mirror_relations() of a frame whose objects are
// mirrored so.
void update_mirrors(GstBuffer* buffer);

}  // namespace sightline
