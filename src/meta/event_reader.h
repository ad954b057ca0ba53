// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A line of an events file becomes a frame again: what json.cc writes, read.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "meta/handles.h"

namespace sightline {

struct Event {
  FrameHandle frame;  // not sealed; objects, and their tracks, have the numbers that the line says
  std::optional<GstClockTime> pts;
  std::optional<std::string> late;  // no frame of its own, for this reason
};

// Objects that are made afterwards get larger ids than those that were read.
//
// Throws Error(kInput): no JSON, a key that is unknown or missing, a value that is not what
// docs/events.md says; the text begins with where in the line that is, as "objects[2].box".
Event read_event(std::string_view line);

}  // namespace sightline
