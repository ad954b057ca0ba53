// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Objects as GstAnalyticsRelationMeta, which GStreamer has from 1.24 on.
//
// Entries of that meta can be neither changed nor taken away. As long as all are ours the meta is
// made anew when an object has changed; where somebody else has added to it, objects stay as they
// were first written, and only new ones are added.

#pragma once

#include <gst/gst.h>

namespace sightline {

bool has_relations();  // whether this build knows that meta

// Writes each object of `buffer` that is new or has changed: an object detection with its label;
// related to it a class for the person that a gallery has named (by id) and for each of its
// classifications, and its track. The frame remembers that its objects are mirrored so. Throws
// Error(kReadOnly) if there is something to write and the buffer is not writable.
void mirror_relations(GstBuffer* buffer);

}  // namespace sightline
