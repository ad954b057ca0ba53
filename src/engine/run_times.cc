// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/run_times.h"

#include <algorithm>

namespace sightline {

void RunTimes::add(std::size_t items, bool failed, std::chrono::duration<double> duration) {
  seconds_[totals_.runs % kKept] = duration.count();
  ++totals_.runs;
  totals_.items += items;
  totals_.failures += failed ? 1 : 0;
}

Engine::Statistics RunTimes::statistics() const {
  Engine::Statistics statistics = totals_;
  auto sorted = seconds_;
  const std::size_t count = std::min<std::size_t>(totals_.runs, kKept);
  if (count == 0) return statistics;
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(count));
  statistics.run_seconds_p50 = sorted[(count - 1) / 2];
  statistics.run_seconds_p95 = sorted[(count - 1) * 95 / 100];
  return statistics;
}

}  // namespace sightline
