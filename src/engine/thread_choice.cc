// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/thread_choice.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>

#include "engine/engine.h"

namespace sightline {

namespace {

constexpr int kRounds = 3;
constexpr std::chrono::milliseconds kRound(35);  // of each arrangement

// Runs a second over items of zeros, `workers` at a time; each makes at least one run.
double runs_per_second(const Session& session, int workers) {
  const std::vector<std::byte> item(item_bytes(session.input()).value());
  const auto started = Clock::now();
  std::atomic<int> runs = 0;
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(workers));
  const auto loop = [&](std::size_t worker) {
    try {
      do {
        session.run(item.data(), 1, {});
        ++runs;
      } while (Clock::now() - started < kRound);
    } catch (...) {
      failures[worker] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < failures.size(); ++i) threads.emplace_back(loop, i);
    loop(0);
  }
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
  return runs / std::chrono::duration<double>(Clock::now() - started).count();
}

std::string rounded(double number) {
  char text[32];
  std::snprintf(text, sizeof text, number < 100 ? "%.1f" : "%.0f", number);
  return text;
}

}  // namespace

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
    double best_wide = 0, best_narrow = 0;  // the best round: others disturb, nobody helps
    for (int round = 0; round < kRounds; ++round) {
      best_wide = std::max(best_wide, runs_per_second(*wide, 1));
      best_narrow = std::max(best_narrow, runs_per_second(*single, cores));
    }
    const std::string why = "measured: " + rounded(best_narrow) + " runs/s with " +
                            std::to_string(cores) + " × 1, " + rounded(best_wide) + " with 1 × " +
                            std::to_string(cores);
    if (best_wide > best_narrow) return {wide, 1, cores, why};
    return {std::move(single), cores, 1, why};
  }
  const std::string why = workers == 0 && threads == 0 ? "one core" : "as set";
  if (workers == 0) workers = std::max(cores / std::max(threads, 1), 1);
  if (threads == 0) threads = std::max(cores / workers, 1);
  return {threads == 1 ? std::move(single) : load(threads), workers, threads, why};
}

}  // namespace sightline
