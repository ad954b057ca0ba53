// SPDX-License-Identifier: LGPL-2.1-or-later
//
// When an input that failed is opened again.

#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace sightline {

struct RestartRule {
  std::optional<int> maximum;  // restarts in a row; none: without end. 0: never
  std::chrono::milliseconds stall_timeout =
      std::chrono::seconds(10);  // without a frame; 0: for ever
};

// Pauses that grow: 1 s, 2 s, 4 s … 30 s. An input that ran well for a while has deserved short
// ones again, and all its restarts.
class RestartPauses {
 public:
  static constexpr std::chrono::seconds kFirst{1}, kLongest{30}, kWell{60};

  explicit RestartPauses(const RestartRule& rule) : rule_(rule) {}

  // How long to wait after a failure; none: it is given up. `ran` is for how long it gave frames.
  std::optional<std::chrono::seconds> after(std::chrono::duration<double> ran) {
    if (ran >= kWell) {
      next_ = kFirst;
      in_a_row_ = 0;
    }
    if (rule_.maximum && in_a_row_ >= *rule_.maximum) return std::nullopt;
    ++in_a_row_;
    const std::chrono::seconds pause = next_;
    next_ = std::min(2 * next_, kLongest);
    return pause;
  }

 private:
  RestartRule rule_;
  std::chrono::seconds next_ = kFirst;
  int in_a_row_ = 0;
};

}  // namespace sightline
