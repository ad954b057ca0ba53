// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lines to a receiver that is slow, away, or refuses: no push waits for it, and every line is
// accounted for.

#include "elements/line_sender.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

// A receiver that does as the test says.
class Receiver {
 public:
  enum class Mood { kTakes, kHangs, kIsAway, kRefuses };

  void set(Mood mood) {
    const std::lock_guard lock(mutex_);
    mood_ = mood;
    changed_.notify_all();
  }
  std::size_t take(std::span<const std::string> lines) {
    std::unique_lock lock(mutex_);
    ++calls_;
    largest_ = std::max(largest_, lines.size());
    changed_.notify_all();
    changed_.wait(lock, [&] { return mood_ != Mood::kHangs || interrupted_; });
    if (interrupted_) throw DeliveryError("interrupted", true);
    if (mood_ == Mood::kIsAway) throw DeliveryError("nobody there", true);
    if (mood_ == Mood::kRefuses) throw DeliveryError("not wanted", false);
    got_.insert(got_.end(), lines.begin(), lines.end());
    changed_.notify_all();
    return lines.size();
  }
  void interrupt() {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }
  void wait_for_call() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return calls_ > 0; });
  }
  std::vector<std::string> got() {
    const std::lock_guard lock(mutex_);
    return got_;
  }
  std::size_t largest() {
    const std::lock_guard lock(mutex_);
    return largest_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  Mood mood_ = Mood::kTakes;
  std::vector<std::string> got_;
  std::size_t calls_ = 0, largest_ = 0;
  bool interrupted_ = false;
};

class ToReceiver : public LineTransport {
 public:
  explicit ToReceiver(Receiver& receiver) : receiver_(receiver) {}
  std::size_t deliver(std::span<const std::string> lines) override { return receiver_.take(lines); }
  void interrupt() override { receiver_.interrupt(); }

 private:
  Receiver& receiver_;
};

class LineSenderTest : public ::testing::Test {
 protected:
  void open(LineSenderOptions options = {}) {
    options.first_pause = 1ms;
    options.longest_pause = 4ms;
    sender_ = std::make_unique<LineSender>(std::make_unique<ToReceiver>(receiver_), options,
                                           [this](const std::string& complaint) {
                                             const std::lock_guard lock(mutex_);
                                             complaints_.push_back(complaint);
                                           });
  }
  // The receiver hangs with one line in its hands, so that what is pushed now stays in the queue.
  void hang() {
    receiver_.set(Receiver::Mood::kHangs);
    sender_->push("in delivery");
    receiver_.wait_for_call();
  }
  std::vector<std::string> complaints() {
    const std::lock_guard lock(mutex_);
    return complaints_;
  }

  Receiver receiver_;
  std::mutex mutex_;
  std::vector<std::string> complaints_;
  std::unique_ptr<LineSender> sender_;  // the last: its thread uses the others
};

TEST_F(LineSenderTest, DeliversInOrder) {
  open();
  std::vector<std::string> lines;
  for (int i = 0; i < 200; ++i) sender_->push(lines.emplace_back(std::to_string(i)));
  EXPECT_EQ(sender_->flush(10s), 0u);
  EXPECT_EQ(receiver_.got(), lines);
  EXPECT_EQ(sender_->counts().delivered, 200u);
  EXPECT_EQ(receiver_.largest(), 1u);
  EXPECT_TRUE(complaints().empty());
}

TEST_F(LineSenderTest, GivesSeveralAtOnceIfItMay) {
  open({.most_at_once = 3});
  hang();
  for (int i = 0; i < 7; ++i) sender_->push(std::to_string(i));
  receiver_.set(Receiver::Mood::kTakes);
  EXPECT_EQ(sender_->flush(10s), 0u);
  EXPECT_EQ(receiver_.largest(), 3u);
  EXPECT_THAT(receiver_.got(), ElementsAre("in delivery", "0", "1", "2", "3", "4", "5", "6"));
}

TEST_F(LineSenderTest, DropsTheOldestAndNeverWaits) {
  open({.most_lines = 2});
  hang();
  for (int i = 0; i < 1000; ++i) sender_->push(std::to_string(i));  // while the receiver hangs
  EXPECT_EQ(sender_->counts().dropped, 998u);
  EXPECT_EQ(sender_->counts().waiting, 3u);
  receiver_.set(Receiver::Mood::kTakes);
  EXPECT_EQ(sender_->flush(10s), 0u);
  EXPECT_THAT(receiver_.got(), ElementsAre("in delivery", "998", "999"));
  ASSERT_EQ(complaints().size(), 1u) << "at most once in a while";
  EXPECT_THAT(complaints()[0], HasSubstr("1 lines were dropped"));
}

TEST_F(LineSenderTest, DropsTheNewestIfToldTo) {
  open({.most_lines = 2, .overflow = Overflow::kDropNewest});
  hang();
  for (int i = 0; i < 5; ++i) sender_->push(std::to_string(i));
  EXPECT_EQ(sender_->counts().dropped, 3u);
  receiver_.set(Receiver::Mood::kTakes);
  EXPECT_EQ(sender_->flush(10s), 0u);
  EXPECT_THAT(receiver_.got(), ElementsAre("in delivery", "0", "1"));
}

TEST_F(LineSenderTest, BlocksIfToldToUntilThereIsRoom) {
  open({.most_lines = 1, .overflow = Overflow::kBlock});
  hang();
  std::atomic<int> pushed = 0;
  std::thread pusher([&] {
    for (int i = 0; i < 3; ++i) sender_->push(std::to_string(i)), ++pushed;
  });
  while (pushed < 1) std::this_thread::yield();
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(pushed, 1) << "there is room for one";
  receiver_.set(Receiver::Mood::kTakes);
  pusher.join();
  EXPECT_EQ(sender_->flush(10s), 0u);
  EXPECT_THAT(receiver_.got(), ElementsAre("in delivery", "0", "1", "2"));
}

TEST_F(LineSenderTest, AFlushEndsTheWaitForRoom) {
  open({.most_lines = 1, .overflow = Overflow::kBlock});
  hang();
  sender_->push("0");
  std::thread pusher([&] { sender_->push("1"); });
  sender_->set_flushing(true);
  pusher.join();
  EXPECT_EQ(sender_->counts().dropped, 1u);
  EXPECT_EQ(sender_->flush(10s), 2u) << "at once";
  sender_->set_flushing(false);
}

TEST_F(LineSenderTest, TriesAgainWhatMayPass) {
  open();
  receiver_.set(Receiver::Mood::kIsAway);
  sender_->push("a");
  sender_->push("b");
  while (sender_->counts().failures < 5) std::this_thread::yield();
  EXPECT_EQ(sender_->counts().waiting, 2u);
  receiver_.set(Receiver::Mood::kTakes);
  EXPECT_EQ(sender_->flush(10s), 0u);
  EXPECT_THAT(receiver_.got(), ElementsAre("a", "b"));
  ASSERT_EQ(complaints().size(), 1u);
  EXPECT_THAT(complaints()[0], HasSubstr("nobody there. It is tried again in 0.001 s; up to 256"));
}

TEST_F(LineSenderTest, LosesWhatIsRefusedAndGoesOn) {
  open();
  receiver_.set(Receiver::Mood::kRefuses);
  sender_->push("a");
  EXPECT_EQ(sender_->flush(10s), 0u);
  EXPECT_EQ(sender_->counts().failed, 1u);
  receiver_.set(Receiver::Mood::kTakes);
  sender_->push("b");
  EXPECT_EQ(sender_->flush(10s), 0u);
  EXPECT_THAT(receiver_.got(), ElementsAre("b"));
}

TEST_F(LineSenderTest, FlushesNoLongerThanItsPatience) {
  open();
  hang();
  const auto begin = Clock::now();
  EXPECT_EQ(sender_->flush(30ms), 1u);
  EXPECT_GE(Clock::now() - begin, 30ms);
}

TEST_F(LineSenderTest, EndsAtOnceAndSaysWhatIsLost) {
  open({.most_lines = 1, .overflow = Overflow::kBlock});
  hang();
  sender_->push("0");
  std::thread pusher([&] { sender_->push("1"); });
  std::thread flusher([&] { sender_->flush(1h); });
  std::this_thread::sleep_for(10ms);
  sender_->end();
  pusher.join();
  flusher.join();
  const LineCounts counts = sender_->counts();
  EXPECT_EQ(counts.waiting, 0u);
  EXPECT_EQ(counts.delivered + counts.dropped, 0u);
  EXPECT_EQ(counts.failed, 3u);
}

TEST_F(LineSenderTest, IsBoundedInBytesToo) {
  open({.most_lines = 100});
  hang();
  const std::string large(kMostQueuedBytes / 4 + 1, 'x');
  for (int i = 0; i < 6; ++i) sender_->push(large);
  EXPECT_EQ(sender_->counts().dropped, 3u);
}

// For ThreadSanitizer: everything at the same time, and every line ends somewhere.
TEST_F(LineSenderTest, AccountsForEveryLineOfManyThreads) {
  open({.most_lines = 8, .most_at_once = 2});
  std::atomic<bool> done = false;
  std::thread moods([&] {
    while (!done)
      for (const auto mood : {Receiver::Mood::kIsAway, Receiver::Mood::kRefuses,
                              Receiver::Mood::kHangs, Receiver::Mood::kTakes}) {
        receiver_.set(mood);
        std::this_thread::sleep_for(1ms);
      }
  });
  std::vector<std::thread> pushers;
  for (int i = 0; i < 4; ++i)
    pushers.emplace_back([&] {
      for (int k = 0; k < 500; ++k) {
        sender_->push("line");
        if (k % 100 == 0) sender_->flush(1ms);
      }
    });
  for (std::thread& pusher : pushers) pusher.join();
  done = true;
  moods.join();
  sender_->end();
  const LineCounts counts = sender_->counts();
  EXPECT_EQ(counts.delivered + counts.dropped + counts.failed, 2000u);
  EXPECT_EQ(counts.waiting, 0u);
  EXPECT_EQ(receiver_.got().size(), counts.delivered);
}

}  // namespace
}  // namespace sightline
