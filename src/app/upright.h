// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Frames that lie on their side, as those of many telephones do, and a tag that says so.

#pragma once

#include <gst/gst.h>

namespace sightline {

// Whether it is a tag that says that frames do not lie as they are to be seen.
bool asks_for_turning(GstEvent* event);

// Puts what turns frames behind `element`, a part of a pipeline, once a tag says that they have to
// be turned. Frames that are upright never meet it, so that they can stay in a GPU's memory.
void turn_upright_behind(GstElement* element);

}  // namespace sightline
