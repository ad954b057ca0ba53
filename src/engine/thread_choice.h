// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How many runs side by side, and how many threads within a run: measured, or as set.

#pragma once

#include <functional>
#include <memory>
#include <string>

#include "engine/session.h"

namespace sightline {

struct ThreadChoice {
  std::shared_ptr<const Session> session;
  int workers = 1;
  int threads = 1;
  std::string why;  // for people
};

int available_cores();  // that this process may run on

// What is 0 of `workers` and `threads` is chosen. If both are, one run on all cores and a
// single-threaded run on each core are measured for about a quarter of a second, or for a few runs
// of a network that is slower. `single` has one thread; `load` makes a session with more.
ThreadChoice choose_threads(std::shared_ptr<const Session> single, int workers, int threads,
                            const std::function<std::shared_ptr<const Session>(int threads)>& load);

}  // namespace sightline
