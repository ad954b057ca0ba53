// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightoverlay: draws what a buffer carries.

#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_SIGHT_OVERLAY (gst_sight_overlay_get_type())
G_DECLARE_FINAL_TYPE(GstSightOverlay, gst_sight_overlay, GST, SIGHT_OVERLAY, GstBaseTransform)

G_END_DECLS
