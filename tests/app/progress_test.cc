// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/progress.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(ProgressBar, ShowsTheShareThatIsDone) {
  EXPECT_EQ(ProgressBar::line("run", 0.5, "12 frames", 80),
            "run [############............] 50 % 12 frames");
  EXPECT_EQ(ProgressBar::line("run", 7, "", 80), "run [########################] 100 % ");
}

TEST(ProgressBar, ShowsNoBarWhereTheEndIsNotKnown) {
  EXPECT_EQ(ProgressBar::line("run", -1, "12 frames", 80), "run 12 frames");
}

TEST(ProgressBar, NeverFillsTheLine) {
  EXPECT_EQ(ProgressBar::line("run", -1, "a long word", 8), "run a l");
}

}  // namespace
}  // namespace sightline
