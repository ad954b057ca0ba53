// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What preprocess() must compute, written to be obvious: one tensor pixel after the other, in
// double precision, straight from the definitions in the headers. Shares no code with it.

#pragma once

#include <vector>

#include "preprocess/preprocess.h"

namespace sightline::reference {

// The elements of one region's tensor in the order of `spec.layout`, before they are rounded and
// saturated to `spec.type`.
std::vector<double> preprocess(const FrameView& frame, const Region& region,
                               const TensorSpec& spec);

}  // namespace sightline::reference
