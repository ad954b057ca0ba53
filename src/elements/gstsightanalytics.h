// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightanalytics: says what tracked objects do in the scene.

#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_SIGHT_ANALYTICS (gst_sight_analytics_get_type())
G_DECLARE_FINAL_TYPE(GstSightAnalytics, gst_sight_analytics, GST, SIGHT_ANALYTICS, GstBaseTransform)

G_END_DECLS
