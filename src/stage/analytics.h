// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Joins the analytics of scenes to frames: objects become sightings, findings become metadata.

#pragma once

#include <vector>

#include "analytics/scene.h"
#include "sightline/frame.h"

namespace sightline {

// The objects of `frame`, in their order; valid as long as they are.
std::vector<Sighting> sightings_of(const SightFrame* frame);

// Adds `findings`, which are of the objects of `frame` in their order, to it and to them. `frame`
// must be unsealed.
void attach(SightFrame* frame, const StreamRules& rules, const Findings& findings);

}  // namespace sightline
