// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/run_rate.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>

namespace sightline {

namespace {

constexpr int kRounds = 3;
constexpr std::chrono::milliseconds kRound(35);  // of each arrangement, at most
constexpr int kRunsARound = 64;                  // of each worker, at most: enough to know

// On a GPU items are measured as if they had been written there: what the way from the host costs
// is another question.
class WritesNothing final : public DeviceWriter {
 public:
  void write(std::span<DeviceItem* const>, cuda::Address, std::size_t,
             const cuda::Stream&) override {}
};

void run_once(const Session& session, const std::vector<std::byte>& items, int batch) {
  if (session.gpu() == nullptr) {
    session.run(items.data(), batch, {});
    return;
  }
  WritesNothing writer;
  BatchWork work;
  work.written = {{&writer, std::vector<DeviceItem*>(static_cast<std::size_t>(batch))}};
  work.count = batch;
  session.run_batch(work);
}

// Over items of zeros.
double one_round(const Arrangement& arranged, const Watch& now) {
  const auto batch = static_cast<std::size_t>(arranged.batch);
  const std::vector<std::byte> items(item_bytes(arranged.session->input()).value() * batch);
  const auto started = now();
  std::atomic<int> runs = 0;
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(arranged.workers));
  const auto loop = [&](std::size_t worker) {
    try {
      for (int run = 0; run < kRunsARound; ++run) {
        run_once(*arranged.session, items, arranged.batch);
        ++runs;
        if (now() - started > kRound) break;
      }
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
  return runs * arranged.batch / std::chrono::duration<double>(now() - started).count();
}

}  // namespace

std::vector<double> items_per_second(const std::vector<Arrangement>& arrangements,
                                     const Watch& now) {
  std::vector<double> best(arrangements.size());
  for (int round = 0; round < kRounds; ++round)
    for (std::size_t i = 0; i < best.size(); ++i)
      best[i] = std::max(best[i], one_round(arrangements[i], now));
  return best;
}

std::string rounded(double rate) {
  char text[32];
  std::snprintf(text, sizeof text, rate < 100 ? "%.1f" : "%.0f", rate);
  return text;
}

}  // namespace sightline
