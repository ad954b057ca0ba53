// SPDX-License-Identifier: LGPL-2.1-or-later
//
// An event of a scene as the structure of an element message. docs/analytics.md describes its
// fields.

#pragma once

#include <gst/gst.h>

#include "analytics/scene.h"
#include "sightline/frame.h"

namespace sightline {

// The caller owns it. `time` is the running time of the frame, GST_CLOCK_TIME_NONE if it has none.
GstStructure* to_structure(const SceneEvent& event, const StreamRules& rules,
                           const SightFrame* frame, GstClockTime time);

}  // namespace sightline
