// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightreplay: puts results that were written as JSON back onto the frames.

#pragma once

#include <gst/base/gstbasetransform.h>

G_BEGIN_DECLS

#define GST_TYPE_SIGHT_REPLAY (gst_sight_replay_get_type())
G_DECLARE_FINAL_TYPE(GstSightReplay, gst_sight_replay, GST, SIGHT_REPLAY, GstBaseTransform)

G_END_DECLS
