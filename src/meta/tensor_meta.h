// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A frame's tensors as GstTensorMeta, which GStreamer has from 1.26 on, and the other way round. No
// element is copied either way. An object's tensors have no place there.

#pragma once

#include <gst/gst.h>

namespace sightline {

bool has_tensor_meta();  // whether this build knows that meta

// Writes each tensor of the frame on `buffer` that is not there yet, under its name, beside those
// of others; empty ones are left out. The frame remembers that its tensors are mirrored so. Throws
// Error(kReadOnly) if there is something to write and the buffer is not writable.
void mirror_tensors(GstBuffer* buffer);

// Whether somebody's tensors are on `buffer`. Never in a build that does not know that meta.
bool has_foreign_tensors(GstBuffer* buffer);

// Adds them to the frame, and says that stage `stage_id` made them. Those in column-major order
// become row-major with their dimensions reversed, which is how they lie. Left out are element
// types that SightTensor does not have (4 bits, bfloat16) and tensors whose memory is not what
// their dimensions say. Returns how many were added. To be called once. Throws Error(kReadOnly) if
// there are some and the buffer is not writable.
int import_tensors(GstBuffer* buffer, guint stage_id);

}  // namespace sightline
