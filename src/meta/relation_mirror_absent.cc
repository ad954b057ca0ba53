// SPDX-License-Identifier: LGPL-2.1-or-later
//
// In place of relation_mirror.cc in builds with a GStreamer before 1.24.

#include "meta/relation_mirror.h"

namespace sightline {

bool has_relations() { return false; }

void mirror_relations(GstBuffer*) {}

}  // namespace sightline
