// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A frame as a line of JSON. docs/events.md describes it; absent is left out, never null.

#pragma once

#include <string>

#include <gst/gst.h>

#include "sightline/frame.h"

namespace sightline {

enum class TensorsAs { kNothing, kBase64, kArray };

// As sight_frame_to_json(), with the tensors of the frame and its objects. Throws Error(kFailed) if
// those of a GPU cannot be read.
std::string event_line(const SightFrame& frame, GstClockTime pts, TensorsAs tensors);

// The same results as DL Streamer's gvametaconvert writes them.
std::string gvametaconvert_line(const SightFrame& frame, GstClockTime pts, bool with_tensors);

}  // namespace sightline
