// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/thread_choice.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>

#include "engine/run_rate.h"

namespace sightline {

int available_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) == 0) return std::max(CPU_COUNT(&cores), 1);
  return static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
}

ThreadChoice choose_threads(
    std::shared_ptr<const Session> single, int workers, int threads,
    const std::function<std::shared_ptr<const Session>(int threads)>& load) {
  const int cores = available_cores();
  if (workers == 0 && threads == 0 && cores > 1) {
    const std::shared_ptr<const Session> wide = load(cores);
    const std::vector<double> rates =
        items_per_second({{wide.get(), 1, 1}, {single.get(), cores, 1}});
    const std::string why = "measured: " + rounded(rates[1]) + " runs/s with " +
                            std::to_string(cores) + " × 1, " + rounded(rates[0]) + " with 1 × " +
                            std::to_string(cores);
    if (rates[0] > rates[1]) return {wide, 1, cores, why};
    return {std::move(single), cores, 1, why};
  }
  const std::string why = workers == 0 && threads == 0 ? "one core" : "as set";
  if (workers == 0) workers = std::max(cores / std::max(threads, 1), 1);
  if (threads == 0) threads = std::max(cores / workers, 1);
  return {threads == 1 ? std::move(single) : load(threads), workers, threads, why};
}

}  // namespace sightline
