// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A frame with every kind of result that there is.

#pragma once

#include "meta/handles.h"

namespace sightline::testing {

// Values are chosen to be hard: negative, not round, not finite where tensors may be.
FrameHandle frame_with_every_result();

}  // namespace sightline::testing
