// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Waiting for what another thread or process does. What is to happen within a second does so on a
// machine that is not busy; on one that is, nothing is wrong with what comes later. A test fails
// when it does not come at all, and says how long it took where that is promised.

#pragma once

#include <chrono>
#include <functional>
#include <thread>

namespace sightline {

inline constexpr std::chrono::seconds kPatience(120);  // under sanitizers and beside others, too

// Whether it becomes true.
inline bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace sightline
