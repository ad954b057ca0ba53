// SPDX-License-Identifier: LGPL-2.1-or-later

#pragma once

#include <cstdint>

#include <gtest/gtest.h>
#include <hwy/targets.h>

namespace sightline {

// Calls test() once for each instruction set that this CPU has and the code was compiled for.
template <typename Test>
void on_every_target(Test test) {
  for (std::int64_t targets = hwy::SupportedTargets(); targets != 0; targets &= targets - 1) {
    hwy::SetSupportedTargetsForTest(targets & -targets);
    SCOPED_TRACE(hwy::TargetName(targets & -targets));
    test();
  }
  hwy::SetSupportedTargetsForTest(0);
}

}  // namespace sightline
