// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/progress.h"

#include <gtest/gtest.h>

#include "app/terminal_area.h"

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

TEST(ProgressBar, WritesALineNowAndThenWhereThereIsNoTerminal) {
  if (is_terminal()) GTEST_SKIP() << "standard error is a terminal";
  testing::internal::CaptureStderr();
  {
    ProgressBar often("check", std::chrono::milliseconds(0)), seldom("check");
    often.update(0.5, "people.db");
    seldom.update(0.7, "people.db");  // it has not taken long so far
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "check [############............] 50 % people.db\n");
}

}  // namespace
}  // namespace sightline
