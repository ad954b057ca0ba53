// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include "core/geometry.h"

namespace sightline {

struct Segment {  // has a direction
  Point from;
  Point to;
};

}  // namespace sightline
