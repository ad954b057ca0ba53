// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/stream_figures.h"

#include <algorithm>
#include <utility>

namespace sightline {

namespace {

using namespace std::chrono_literals;

constexpr auto kPeriod = 5s;                 // "recent" are the current period and the one before
constexpr std::size_t kMostUnderWay = 1024;  // more entries than any pipeline holds frames

}  // namespace

const char* name_of(StreamState state) {
  switch (state) {
    case StreamState::kWaiting:
      return "waiting";
    case StreamState::kOpening:
      return "opening";
    case StreamState::kRunning:
      return "running";
    case StreamState::kPausing:
      return "pausing";
    case StreamState::kEnded:
      return "ended";
    case StreamState::kFailed:
      return "failed";
  }
  return "";
}

StreamFigures::StreamFigures(std::string name, bool live) {
  totals_.name = std::move(name);
  totals_.live = live;
  previous_.begin = current_.begin = Clock::now();
}

void StreamFigures::open() {
  const std::lock_guard lock(mutex_);
  under_way_.clear();
  last_entered_ = Clock::now();
  totals_.state = StreamState::kOpening;
}

void StreamFigures::enter(std::uint64_t timestamp, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  last_entered_ = now;
  totals_.state = StreamState::kRunning;
  under_way_.push_back({timestamp, now});
  if (under_way_.size() > kMostUnderWay) under_way_.pop_front();
}

void StreamFigures::leave(std::uint64_t timestamp, const FaceCounts& found, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  roll(now);
  ++totals_.frames;
  ++current_.frames;
  totals_.counts.faces += found.faces;
  totals_.counts.unknown += found.unknown;
  for (const auto& [name, times] : found.named) totals_.counts.named[name] += times;

  const auto entered = std::ranges::find(under_way_, timestamp, &Entered::timestamp);
  if (entered == under_way_.end()) return;
  const double seconds = std::chrono::duration<double>(now - entered->at).count();
  totals_.latency.add(seconds);
  current_.latency.add(seconds);
  totals_.dropped += entered - under_way_.begin();
  under_way_.erase(under_way_.begin(), entered + 1);
}

void StreamFigures::roll(Clock::time_point now) {
  if (now - current_.begin < kPeriod) return;
  previous_ = now - current_.begin < 2 * kPeriod ? current_ : Period{now - kPeriod, {}, 0};
  current_ = {now, {}, 0};
}

void StreamFigures::set_state(StreamState state) {
  const std::lock_guard lock(mutex_);
  totals_.state = state;
}

void StreamFigures::add_restart() {
  const std::lock_guard lock(mutex_);
  ++totals_.restarts;
}

void StreamFigures::set_problem(const std::string& problem) {
  const std::lock_guard lock(mutex_);
  totals_.problem = problem;
}

long StreamFigures::frames() const {
  const std::lock_guard lock(mutex_);
  return totals_.frames;
}

StreamFigures::Clock::time_point StreamFigures::last_entered() const {
  const std::lock_guard lock(mutex_);
  return last_entered_;
}

StreamSnapshot StreamFigures::snapshot(Clock::time_point now) const {
  const std::lock_guard lock(mutex_);
  StreamSnapshot snapshot = totals_;
  if (now - current_.begin >= 2 * kPeriod) return snapshot;  // nothing is recent
  snapshot.recent = previous_.latency;
  snapshot.recent.add(current_.latency);
  const double seconds = std::chrono::duration<double>(now - previous_.begin).count();
  if (seconds > 0)
    snapshot.frames_per_second = static_cast<double>(previous_.frames + current_.frames) / seconds;
  return snapshot;
}

}  // namespace sightline
