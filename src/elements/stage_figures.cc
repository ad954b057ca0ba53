// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/stage_figures.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace sightline {

namespace {

constexpr std::chrono::seconds kRecent(5);

double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

void StageFigures::frame_left(Fate fate, Clock::time_point entered, Clock::time_point now) {
  const bool looked = fate == Fate::kLookedAt;
  const std::lock_guard lock(mutex_);
  last_[totals_.frames % kKept] = {now, looked ? static_cast<float>(seconds(now - entered)) : -1};
  ++totals_.frames;
  totals_.failures += fate == Fate::kFailed ? 1 : 0;
  totals_.skipped += fate == Fate::kSkipped ? 1 : 0;
  totals_.late += fate == Fate::kLate ? 1 : 0;
}

StageFigures::Counts StageFigures::counts() const {
  const std::lock_guard lock(mutex_);
  return totals_;
}

StageFigures::Snapshot StageFigures::snapshot(Clock::time_point now) const {
  std::unique_lock lock(mutex_);
  Snapshot result;
  result.counts = totals_;
  const auto departures = last_;
  lock.unlock();

  const std::size_t kept = std::min<std::size_t>(result.counts.frames, kKept);
  Clock::time_point oldest = now;
  std::size_t recent = 0;
  std::vector<float> latencies;
  for (std::size_t i = 0; i < kept; ++i) {
    const Departure& departure = departures[i];
    if (departure.latency_seconds >= 0) latencies.push_back(departure.latency_seconds);
    if (now - departure.at > kRecent) continue;
    ++recent;
    oldest = std::min(oldest, departure.at);
  }
  // Where the time begins with a frame, the steps between frames count.
  const bool begins_with_a_frame = recent == kept;
  const double span = begins_with_a_frame ? seconds(now - oldest) : seconds(kRecent);
  if (recent > 0 && span > 0)
    result.frames_per_second = static_cast<double>(recent - (begins_with_a_frame ? 1 : 0)) / span;
  if (latencies.empty()) return result;
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](std::size_t percent) {
    return static_cast<double>(latencies[(latencies.size() - 1) * percent / 100]);
  };
  result.latency_seconds_p50 = at(50);
  result.latency_seconds_p95 = at(95);
  result.latency_seconds_p99 = at(99);
  return result;
}

}  // namespace sightline
