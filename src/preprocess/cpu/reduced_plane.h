// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The area filter of a warp that shrinks a lot: averaging blocks of samples first, which reads each
// sample once and in order, leaves a factor of less than two for the warp itself.

#pragma once

#include "preprocess/cpu/scratch.h"
#include "preprocess/job.h"

namespace sightline::cpu {

using sampling::Job;
using sampling::SamplePlane;
using sampling::Span;

// `plane` with a sample for each block of side × side samples: their mean, rounded. Blocks begin at
// the plane's origin; those that reach over its edge repeat the outermost samples. Holds, in
// `scratch`, the samples that the tensor pixels of `job` can touch.
SamplePlane reduce(const Job& job, const SamplePlane& plane, int side, ReducedScratch& scratch);

}  // namespace sightline::cpu
