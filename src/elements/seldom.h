// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is worth saying, but not each time.

#pragma once

#include <chrono>
#include <optional>

namespace sightline {

class Seldom {
 public:
  explicit Seldom(std::chrono::milliseconds interval = std::chrono::seconds(10))
      : interval_(interval) {}

  // Whether the last time is long enough ago; if so, this is the last time.
  bool due() {
    const auto now = Clock::now();
    if (last_ && now < *last_ + interval_) return false;
    last_ = now;
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::chrono::milliseconds interval_;
  std::optional<Clock::time_point> last_;
};

}  // namespace sightline
