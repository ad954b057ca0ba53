// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How many items a run is to have at most, where nobody said so: measured. On a CPU a larger batch
// saves the runtime's own work for each run, and pushes the network's values out of the cache;
// which weighs more depends on the network.

#pragma once

#include <string>

#include "engine/run_rate.h"
#include "engine/session.h"

namespace sightline {

struct BatchChoice {
  int size = 1;
  std::string why;  // for people
};

// Doubles the batch up to `limit` as long as that makes `workers` runs side by side noticeably
// faster an item. Takes up to half a second, or a few runs of a network that is slower. What the
// runs took of memory is given back.
BatchChoice choose_batch(const Session& session, int workers, int limit,
                         const Watch& now = Clock::now);

}  // namespace sightline
