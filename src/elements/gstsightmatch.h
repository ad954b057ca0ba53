// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightmatch: asks a gallery who an object is.

#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_SIGHT_MATCH (gst_sight_match_get_type())
G_DECLARE_FINAL_TYPE(GstSightMatch, gst_sight_match, GST, SIGHT_MATCH, GstBaseTransform)

G_END_DECLS
