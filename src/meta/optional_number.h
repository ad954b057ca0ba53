// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Numbers of the C API that need not be there: NaN where they are kept.

#pragma once

#include <cmath>

#include <glib.h>

namespace sightline {

// Writes `number` to `place`, which may be null, if it is there; returns whether it is.
inline gboolean give(float number, gfloat* place) {
  if (std::isnan(number)) return FALSE;
  if (place != nullptr) *place = number;
  return TRUE;
}

}  // namespace sightline
