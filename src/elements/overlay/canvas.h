// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Two ways for sprites onto a frame: into its pixels, or along with it for whoever shows it.

#pragma once

#include <gst/video/video.h>

#include "elements/overlay/sprite.h"

namespace sightline {

// Every sprite must lie in the frame at least with one pixel.

// Lays `sprites` over the pixels of `frame`, which is mapped for reading and writing, in its own
// format, with GStreamer's blending. Pixels under no sprite stay as they are and are not looked at.
// False: GStreamer cannot blend onto that format.
bool blend(const Sprites& sprites, GstVideoFrame* frame);

// Adds `sprites` to the overlay composition of `buffer`, which is writable.
void attach(const Sprites& sprites, GstBuffer* buffer);

}  // namespace sightline
