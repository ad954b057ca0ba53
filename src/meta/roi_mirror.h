// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Objects and GstVideoRegionOfInterestMeta: other people's regions become objects, and ours become
// regions that other people's elements understand.
//
// The frame is the truth and regions follow it. Which object belongs to which region is known by
// the region's id, which the frame stores; never by equal coordinates.

#pragma once

#include <gst/gst.h>

namespace sightline {

// Makes an object of each region on `buffer` that is neither a mirror of ours nor was imported
// before, and says that stage `stage_id` found it. Returns how many. The frame's size should be set
// before. Throws Error(kReadOnly) if there are such regions and the buffer is not writable.
int import_regions(GstBuffer* buffer, guint stage_id);

// Writes a region for each object that is new or has changed since it was last written, or whose
// region lost what it said in a converter; takes away the regions of objects that are gone or lie
// outside the frame. Returns how many regions were written. Throws Error(kReadOnly) if there is
// something to write and the buffer is not writable. The frame remembers that its objects are
// mirrored.
int mirror_objects(GstBuffer* buffer);

}  // namespace sightline
