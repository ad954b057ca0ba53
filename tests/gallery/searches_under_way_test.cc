// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/searches_under_way.h"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using Search = SearchesUnderWay::Search;

TEST(SearchesUnderWay, AreWaitedForIfTheyBeganBefore) {
  SearchesUnderWay all;
  for (int round = 0; round < 3; ++round) {
    std::optional<Search> earlier(std::in_place, all);
    std::atomic<bool> waited{false};
    std::thread waiting([&] {
      all.wait_for_earlier();
      waited = true;
    });
    for (int i = 0; i < 20; ++i) {
      const Search later(all);  // begins and ends meanwhile
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_FALSE(waited);
    earlier.reset();
    waiting.join();
  }
}

TEST(SearchesUnderWay, AreNotWaitedForIfTheyBeginMeanwhile) {
  SearchesUnderWay all;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i)
    threads.emplace_back([&] {
      std::optional<Search> last;
      while (!stop) last.emplace(all);  // one begins as soon as the other has ended
    });
  for (int i = 0; i < 200; ++i) all.wait_for_earlier();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

// What is shown to searches by turns; what is hidden is written without a lock.
TEST(SearchesUnderWay, ReadNothingThatIsWritten) {
  SearchesUnderWay all;
  std::array<int, 2> values{0, 0};  // equal to each other when they are shown
  std::atomic<bool> shown{true}, stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i)
    threads.emplace_back([&] {
      while (!stop) {
        const Search search(all);
        if (shown) wrong += values[0] != values[1];
      }
    });
  for (int i = 0; i < 300; ++i) {
    shown = false;
    all.wait_for_earlier();
    for (int& value : values) ++value;
    shown = true;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sightline
