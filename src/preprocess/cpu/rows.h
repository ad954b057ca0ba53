// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include "preprocess/job.h"

namespace sightline::cpu {

// Executes a job on the best instruction set, or the one that was forced.
void run(const sampling::Job& job);

}  // namespace sightline::cpu
