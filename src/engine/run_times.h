// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How long the last runs took, and how many there were.

#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "engine/engine.h"

namespace sightline {

// Not guarded: its owner's lock is.
class RunTimes {
 public:
  void add(std::size_t items, bool failed, std::chrono::duration<double> duration);
  Engine::Statistics statistics() const;

 private:
  static constexpr std::size_t kKept = 512;

  Engine::Statistics totals_;
  std::array<double, kKept> seconds_{};  // a ring
};

}  // namespace sightline
