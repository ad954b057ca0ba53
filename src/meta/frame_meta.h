// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The frame of a buffer, for C++.

#pragma once

#include <gst/gst.h>

#include "sightline/frame.h"

namespace sightline {

// The frame of `buffer`, or NULL; unlike sight_buffer_get_frame() this does not seal it, so it is
// for a look before editing and not for keeping.
const SightFrame* peek_frame(GstBuffer* buffer);

// As sight_buffer_edit_frame(). Throws Error(kReadOnly) if `buffer` is not writable.
SightFrame& edit_frame(GstBuffer* buffer);

}  // namespace sightline
