// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What sightanalytics wants drawn: lines with their counts, zones with the objects in them.

#pragma once

#include "analytics/scene.h"
#include "core/geometry.h"
#include "sightline/frame.h"

namespace sightline {

// Adds the shapes to the user data "overlay" of `frame`, which is unsealed and of `size`, behind
// those that are there. A value that is no shapes stays as it is, and nothing is added. Throws
// Error(kReadOnly).
void add_shapes(SightFrame* frame, Size size, const StreamRules& rules, const Findings& findings);

}  // namespace sightline
