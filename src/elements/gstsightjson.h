// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightjson: writes a line of JSON a frame.

#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_SIGHT_JSON (gst_sight_json_get_type())
G_DECLARE_FINAL_TYPE(GstSightJson, gst_sight_json, GST, SIGHT_JSON, GstBaseTransform)

G_END_DECLS
