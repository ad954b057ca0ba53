// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The area filter of a warp that shrinks a lot: averaging blocks of samples first, which reads each
// sample once and in order, leaves a factor of less than two for the warp itself.

#pragma once

#include "preprocess/cpu/job.h"
#include "preprocess/cpu/scratch.h"

namespace sightline::cpu {

// The side of the blocks, 1 (none), 2, 4, 8 or 16: the largest that a tensor pixel covers whole,
// whichever way it is turned. `to_plane` maps tensor coordinates to the plane's.
int block_side(const Affine2& to_plane);

// `plane` with a sample for each block of side × side samples: their mean, rounded. Blocks begin at
// the plane's origin; those that reach over its edge repeat the outermost samples. Holds, in
// `scratch`, the samples that the tensor pixels of `job` can touch.
SamplePlane reduce(const Job& job, const SamplePlane& plane, int side, ReducedScratch& scratch);

}  // namespace sightline::cpu
