// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/restart_rule.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

std::vector<long> pauses(RestartPauses& restarts, int count, std::chrono::duration<double> ran) {
  std::vector<long> list;
  for (int i = 0; i < count; ++i)
    if (const auto pause = restarts.after(ran)) list.push_back(pause->count());
  return list;
}

TEST(RestartPauses, GrowToHalfAMinute) {
  RestartPauses restarts({});
  EXPECT_THAT(pauses(restarts, 8, 0s), ElementsAre(1, 2, 4, 8, 16, 30, 30, 30));
}

TEST(RestartPauses, AreShortAgainForAnInputThatRanWell) {
  RestartPauses restarts({});
  pauses(restarts, 5, 0s);
  EXPECT_THAT(pauses(restarts, 2, 59s), ElementsAre(30, 30));
  EXPECT_EQ(restarts.after(60s), 1s);
  EXPECT_EQ(restarts.after(0s), 2s);
}

TEST(RestartPauses, EndWithTheMaximumInARow) {
  RestartPauses restarts({2, 10s});
  EXPECT_THAT(pauses(restarts, 5, 1s), ElementsAre(1, 2));
  EXPECT_EQ(restarts.after(90s), 1s) << "it ran well, so it may fail again";
  EXPECT_EQ(RestartPauses({0, 10s}).after(0s), std::nullopt);
}

}  // namespace
}  // namespace sightline
