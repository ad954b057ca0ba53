// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Other people's detections in GstAnalyticsRelationMeta, which GStreamer has from 1.24 on, become
// objects. relation_mirror.h is the other way.

#pragma once

#include <gst/gst.h>

namespace sightline {

// Whether there are any. Never in a build that does not know that meta.
bool has_detections(GstBuffer* buffer);

// Makes an object of each detection on `buffer`, with its class, its track and its classifications
// as GStreamer's own decoders and DL Streamer relate them, and says that stage `stage_id` found it.
// Returns how many. To be called once, and before import_regions(), which then knows regions that
// say the same. The frame's size should be set before. Throws Error(kReadOnly) if there are some
// and the buffer is not writable.
int import_detections(GstBuffer* buffer, guint stage_id);

}  // namespace sightline
