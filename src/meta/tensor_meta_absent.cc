// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Built where GStreamer is older than 1.26.

#include "meta/tensor_meta.h"

namespace sightline {

bool has_tensor_meta() { return false; }

void mirror_tensors(GstBuffer*) {}

bool has_foreign_tensors(GstBuffer*) { return false; }

int import_tensors(GstBuffer*, guint) { return 0; }

}  // namespace sightline
