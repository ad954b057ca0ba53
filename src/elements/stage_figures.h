// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a stage did with its frames, and how long that took.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "engine/engine.h"

namespace sightline {

// Any thread; a frame costs a short lock.
class StageFigures {
 public:
  enum class Fate { kLookedAt, kSkipped, kLate, kFailed };

  struct Counts {
    std::uint64_t frames = 0;  // that left, whatever their fate
    std::uint64_t failures = 0;
    std::uint64_t skipped = 0;
    std::uint64_t late = 0;
  };
  struct Snapshot {
    Counts counts;
    double frames_per_second = 0;    // over the last five seconds
    double latency_seconds_p50 = 0;  // of the frames that were looked at, among the last 512
    double latency_seconds_p95 = 0;
    double latency_seconds_p99 = 0;
  };

  void frame_left(Fate fate, Clock::time_point entered, Clock::time_point now);
  Counts counts() const;
  Snapshot snapshot(Clock::time_point now) const;

 private:
  static constexpr std::size_t kKept = 512;
  struct Departure {
    Clock::time_point at;
    float latency_seconds;  // negative: no network saw it
  };

  mutable std::mutex mutex_;
  Counts totals_;
  std::array<Departure, kKept> last_{};  // a ring
};

}  // namespace sightline
