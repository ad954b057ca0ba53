// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sighttrack: the same object has one number over time.

#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_SIGHT_TRACK (gst_sight_track_get_type())
G_DECLARE_FINAL_TYPE(GstSightTrack, gst_sight_track, GST, SIGHT_TRACK, GstBaseTransform)

G_END_DECLS
