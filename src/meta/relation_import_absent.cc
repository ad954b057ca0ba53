// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Built where GStreamer is older than 1.24.

#include "meta/relation_import.h"

namespace sightline {

bool has_detections(GstBuffer*) { return false; }

int import_detections(GstBuffer*, guint) { return 0; }

}  // namespace sightline
