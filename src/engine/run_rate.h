// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How fast a network runs here, for choices that are made by measurement.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/session.h"

namespace sightline {

// Runs of batches of `batch` items, `workers` side by side.
struct Arrangement {
  const Session* session;
  int workers;
  int batch;
};

// What tells the time of a measurement: whoever tests choices has one of their own, since how long
// a thread sleeps or computes on a busy machine is anybody's guess.
using Watch = std::function<Clock::time_point()>;

// Items a second of each arrangement, by its best of a few short rounds in which they take turns:
// others disturb, nobody helps. Each worker makes at least one run a round. Throws what a run
// throws.
std::vector<double> items_per_second(const std::vector<Arrangement>& arrangements,
                                     const Watch& now = Clock::now);

std::string rounded(double rate);  // for people

}  // namespace sightline
