// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/turns.h"

#include <atomic>
#include <condition_variable>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using testing::ElementsAre;

class Waiter final : public Turns::Seat {
 public:
  Waiter(int name, std::vector<int>& offered, bool takes = true)
      : name_(name), offered_(offered), takes_(takes) {}
  bool offer() override {
    offered_.push_back(name_);
    return takes_;
  }

 private:
  const int name_;
  std::vector<int>& offered_;
  const bool takes_;
};

TEST(Turns, SoManyAreTakenAtOnceAndTheOthersComeInTheirOrder) {
  std::vector<int> offered;
  Turns turns(2);
  std::vector<std::shared_ptr<Waiter>> seats;
  for (int i = 0; i < 4; ++i) seats.push_back(std::make_shared<Waiter>(i, offered));
  EXPECT_TRUE(turns.take(seats[0]));
  EXPECT_TRUE(turns.take(seats[1]));
  EXPECT_FALSE(turns.take(seats[3]));
  EXPECT_FALSE(turns.take(seats[2]));
  EXPECT_FALSE(turns.take(seats[3])) << "asked again";
  for (int i = 0; i < 4; ++i) turns.give_back();
  EXPECT_THAT(offered, ElementsAre(3, 2)) << "each once";
  EXPECT_TRUE(turns.take(seats[0]));
  EXPECT_TRUE(turns.take(seats[1]));
  EXPECT_FALSE(turns.take(seats[2]));
}

TEST(Turns, WhoDoesNotWantATurnOrIsGonePassesItOn) {
  std::vector<int> offered;
  Turns turns(1);
  const auto first = std::make_shared<Waiter>(0, offered);
  auto gone = std::make_shared<Waiter>(1, offered);
  const auto unwilling = std::make_shared<Waiter>(2, offered, false);
  const auto last = std::make_shared<Waiter>(3, offered);
  EXPECT_TRUE(turns.take(first));
  EXPECT_FALSE(turns.take(gone));
  EXPECT_FALSE(turns.take(unwilling));
  EXPECT_FALSE(turns.take(last));
  gone.reset();
  turns.give_back();
  EXPECT_THAT(offered, ElementsAre(2, 3));
  EXPECT_FALSE(turns.take(first)) << "the last has it";
}

// Takes turns over and over, as a thread that may wait for each.
class Taker final : public Turns::Seat {
 public:
  bool offer() override {
    const std::lock_guard lock(mutex_);
    ++offered_;
    changed_.notify_one();
    return true;
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return offered_ > 0; });
    --offered_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int offered_ = 0;
};

TEST(Turns, NoneIsLostOrThereTwiceAmongThreads) {
  constexpr int kThreads = 6, kTimes = 2000;
  Turns turns(2);
  std::atomic<int> inside = 0, most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      const auto seat = std::make_shared<Taker>();
      for (int time = 0; time < kTimes; ++time) {
        if (!turns.take(seat)) seat->wait();
        const int now = ++inside;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        --inside;
        turns.give_back();
      }
    });
  for (std::thread& thread : threads) thread.join();  // or the test runs out of time
  EXPECT_LE(most, 2);
}

}  // namespace
}  // namespace sightline
