// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A picture on disk as a video frame, decoded by the same elements that decode clips.

#pragma once

#include <string>

#include "app/gst_pointer.h"

namespace sightline {

// One frame with its caps, upright, in the format that the decoder gives, or converted if
// sightinfer does not take that. Throws Error that names the file: not there, empty, no picture,
// broken, too small, too large. Thread-safe.
SamplePtr read_picture(const std::string& path);

}  // namespace sightline
