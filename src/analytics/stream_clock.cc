// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/stream_clock.h"

#include <algorithm>

namespace sightline {
namespace {

using std::chrono::nanoseconds;

constexpr double kLongestStep = 1e17;  // nanoseconds, three years

// Of wild times and numbers too, without overflow.
nanoseconds step_of(double length) {
  return nanoseconds(static_cast<std::int64_t>(std::clamp(length, 0.0, kLongestStep)));
}

double difference(std::uint64_t later, std::uint64_t earlier) {
  return later > earlier ? static_cast<double>(later - earlier) : 0;
}

}  // namespace

nanoseconds StreamClock::advance(std::optional<nanoseconds> time, std::uint64_t number,
                                 nanoseconds frame_duration) {
  nanoseconds step{0};
  if (time && last_time_)
    step = step_of(static_cast<double>(time->count()) - static_cast<double>(last_time_->count()));
  else if (last_number_)
    step = step_of(difference(number, *last_number_) * static_cast<double>(frame_duration.count()));
  if (time)
    last_time_ = time;
  else if (last_time_)
    *last_time_ = std::min(*last_time_, nanoseconds::max() - step) + step;
  last_number_ = number;
  now_ = std::min(now_, nanoseconds::max() - step) + step;
  return now_;
}

}  // namespace sightline
