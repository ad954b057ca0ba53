// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/request_queue.h"

#include <algorithm>
#include <deque>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr Clock::time_point kStart{};

struct Named {
  std::string name;
  std::uint64_t source = 0;
  int priority = 0;
  std::optional<Clock::time_point> deadline = {};
  std::shared_ptr<std::atomic<bool>> abandoned = nullptr;

  Request request() const {
    return {
        [](std::span<std::byte>) {}, [](RunResult&&) {}, {priority, source, deadline, abandoned}};
  }
};

// The queue, with a name for each request: its source's letter and how many of it came before.
class RequestQueueTest : public testing::Test {
 protected:
  void add(Named who) {
    Request request = who.request();
    request.on_result = [this, name = who.name](RunResult&&) { last_ = name; };
    queue_.add(std::move(request));
  }
  void add_many(const std::string& letter, std::uint64_t source, int count) {
    for (int i = 0; i < count; ++i) add({letter + std::to_string(i), source});
  }
  std::string take(Clock::time_point now = kStart) {
    queue_.take(now).on_result({});
    return last_;
  }
  std::vector<std::string> take_all(Clock::time_point now = kStart) {
    std::vector<std::string> order;
    while (!queue_.empty()) order.push_back(take(now));
    return order;
  }

  RequestQueue queue_;
  std::string last_;
};

TEST_F(RequestQueueTest, SourcesTakeTurns) {
  add_many("a", 1, 4);
  add_many("b", 2, 2);
  add_many("c", 3, 1);
  EXPECT_THAT(take_all(), ElementsAre("a0", "b0", "c0", "a1", "b1", "a2", "a3"));
}

TEST_F(RequestQueueTest, WhoComesAnewWaitsForOneRequestOfEachOther) {
  add_many("a", 1, 50);
  add_many("b", 2, 50);
  for (int i = 0; i < 7; ++i) take();
  add_many("c", 3, 1);
  std::vector<std::string> before;
  for (std::string name = take(); name != "c0"; name = take()) before.push_back(name);
  EXPECT_THAT(before, ElementsAre("b3", "a4"));
}

TEST_F(RequestQueueTest, WhoAsksForOneAtATimeIsNoSoonerDueThanWhoAsksForMany) {
  add_many("a", 1, 3);
  add({"b0", 2});
  EXPECT_EQ(take(), "a0");
  EXPECT_EQ(take(), "b0");
  add({"b1", 2});
  EXPECT_EQ(take(), "a1");
  EXPECT_EQ(take(), "b1");
  add({"b2", 2});
  EXPECT_THAT(take_all(), ElementsAre("a2", "b2"));
}

TEST_F(RequestQueueTest, HigherPrioritiesGoFirst) {
  add({"low", 1, -1});
  add({"a", 1, 0});
  add({"b", 2, 7});
  add({"c", 1, 7});
  EXPECT_THAT(take_all(), ElementsAre("b", "c", "a", "low"));
}

TEST_F(RequestQueueTest, WhoseDeadlineHasPassedGoesBeforeOthersOfItsPriority) {
  add_many("a", 1, 3);
  add({"b0", 2, 0, kStart + 10ms});
  add({"b1", 2, 0, kStart + 10ms});
  add({"c0", 3, 0, kStart + 5ms});
  add({"urgent", 4, 1});
  EXPECT_EQ(take(kStart + 20ms), "urgent");
  EXPECT_EQ(take(kStart + 20ms), "c0");  // the earliest
  EXPECT_THAT(take_all(kStart + 20ms), ElementsAre("b0", "b1", "a0", "a1", "a2"));
}

TEST_F(RequestQueueTest, WhoseDeadlinesHavePassedTakeTurns) {
  for (int i = 0; i < 3; ++i) add({"a" + std::to_string(i), 1, 0, kStart});
  for (int i = 0; i < 2; ++i) add({"b" + std::to_string(i), 2, 0, kStart + 1ms});
  EXPECT_THAT(take_all(kStart + 2ms), ElementsAre("a0", "b0", "a1", "b1", "a2"));
}

TEST_F(RequestQueueTest, ADeadlineAheadChangesNothing) {
  add({"a", 1});
  add({"b", 2, 0, kStart + 1ms});
  EXPECT_THAT(take_all(kStart), ElementsAre("a", "b"));
}

TEST_F(RequestQueueTest, AbandonedOnesLeaveAndTheOthersKeepTheirPlaces) {
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  add({"a0", 1, 0, {}, gone});
  add({"b0", 2});
  add({"a1", 1});
  add({"c0", 3, 0, kStart + 1ms, gone});
  add({"c1", 3, 0, kStart + 2ms});
  EXPECT_TRUE(queue_.remove_abandoned().empty());
  *gone = true;
  EXPECT_EQ(queue_.remove_abandoned().size(), 2u);
  EXPECT_EQ(queue_.size(), 3u);
  EXPECT_EQ(take(kStart + 3ms), "c1");
  EXPECT_THAT(take_all(kStart + 3ms), ElementsAre("a1", "b0"));
}

// The same by looking at everything each time.
class SlowQueue {
 public:
  void add(const Named& who) {
    waiting_.push_back({who, arrivals_++});
    join(who, false);
  }

  std::string take(Clock::time_point now) {
    make_overdue(now);
    auto best = waiting_.begin();
    for (auto it = waiting_.begin(); it != waiting_.end(); ++it)
      if (before(*it, *best)) best = it;
    const Entry taken = *best;
    waiting_.erase(best);
    turns_[{taken.who.priority, taken.overdue, taken.who.source}] = ++places_;
    forget_who_has_none();
    return taken.who.name;
  }

 private:
  struct Entry {
    Named who;
    std::uint64_t arrival;
    bool overdue = false;
  };
  using Seat = std::tuple<int, bool, std::uint64_t>;

  // Where a source stands in its line: since it joined, or had its last turn.
  void join(const Named& who, bool overdue) {
    if (turns_.try_emplace({who.priority, overdue, who.source}, places_ + 1).second) ++places_;
  }
  std::uint64_t turn(const Entry& e) const {
    return turns_.at({e.who.priority, e.overdue, e.who.source});
  }
  bool before(const Entry& a, const Entry& b) const {
    if (a.who.priority != b.who.priority) return a.who.priority > b.who.priority;
    if (a.overdue != b.overdue) return a.overdue;
    if (turn(a) != turn(b)) return turn(a) < turn(b);
    return a.arrival < b.arrival;
  }
  void make_overdue(Clock::time_point now) {
    std::vector<Entry*> due;
    for (Entry& e : waiting_)
      if (!e.overdue && e.who.deadline && *e.who.deadline <= now) due.push_back(&e);
    std::sort(due.begin(), due.end(), [](const Entry* a, const Entry* b) {
      return std::tie(*a->who.deadline, a->who.priority, a->who.source, a->arrival) <
             std::tie(*b->who.deadline, b->who.priority, b->who.source, b->arrival);
    });
    for (Entry* e : due) {
      e->overdue = true;
      join(e->who, true);
    }
    forget_who_has_none();
  }
  void forget_who_has_none() {
    std::erase_if(turns_, [&](const auto& entry) {
      return std::none_of(waiting_.begin(), waiting_.end(), [&](const Entry& e) {
        return Seat{e.who.priority, e.overdue, e.who.source} == entry.first;
      });
    });
  }

  std::deque<Entry> waiting_;
  std::map<Seat, std::uint64_t> turns_;
  std::uint64_t arrivals_ = 0, places_ = 0;
};

TEST_F(RequestQueueTest, EqualsTheSlowQueueInAnyOrderOfEvents) {
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    SlowQueue slow;
    Clock::time_point now = kStart;
    for (int step = 0; step < 400; ++step) {
      now += std::chrono::milliseconds(random() % 3);
      if (random() % 5 < 3 || queue_.empty()) {
        Named who{std::to_string(step), random() % 5, static_cast<int>(random() % 3)};
        if (random() % 3 == 0) who.deadline = now + std::chrono::milliseconds(random() % 40);
        add(who);
        slow.add(who);
      } else {
        ASSERT_EQ(take(now), slow.take(now)) << "round " << round << ", step " << step;
      }
    }
    queue_.remove_all();
    EXPECT_TRUE(queue_.empty());
  }
}

// A queue that looks at all of them for each would take minutes.
TEST_F(RequestQueueTest, HoldsManyRequestsOfManySources) {
  constexpr int kRequests = 50000;
  for (int i = 0; i < kRequests; ++i)
    queue_.add(Named{"", static_cast<std::uint64_t>(i % 1000), 0, kStart + i % 7 * 1s}.request());
  for (int i = 0; i < kRequests; ++i) queue_.take(kStart + 3s);
  EXPECT_TRUE(queue_.empty());
}

}  // namespace
}  // namespace sightline
