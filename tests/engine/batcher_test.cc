// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The batcher with a session that is written here: no runtime, so that ThreadSanitizer sees all of
// it.

#include "engine/batcher.h"

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <random>
#include <thread>

#include <climits>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "networks.h"

namespace sightline {
namespace {

using namespace std::chrono_literals;
using test::complaint;
using test::submit;
using test::write_floats;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

constexpr auto kFar = 1h;        // a deadline that plays no part
constexpr auto kPatience = 20s;  // for what is expected to happen; sanitizers are slow

// Items of 4 floats → "sum" (1 float) and "large" (2048 floats: sum, sum + 1, …). A negative first
// number makes the run fail. Runs wait while the gate is closed.
class FakeSession final : public Session {
 public:
  const TensorInfo& input() const override { return input_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  int max_batch() const override { return INT_MAX; }

  std::vector<Tensor> run(const std::byte* items, int count,
                          std::span<const std::span<std::byte>> memory) const override {
    std::unique_lock lock(mutex_);
    batches_.emplace_back();
    addresses_.push_back(items);
    const auto* const values = reinterpret_cast<const float*>(items);
    for (int i = 0; i < count; ++i) batches_.back().push_back(values[i * 4]);
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    lock.unlock();

    std::vector<Tensor> results;
    for (std::size_t o = 0; o < 2; ++o) {
      auto* const out = reinterpret_cast<float*>(memory[o].data());
      const int size = o == 0 ? 1 : 2048;
      for (int i = 0; i < count; ++i) {
        if (values[i * 4] < 0) throw std::runtime_error("no negative numbers");
        const float sum = std::accumulate(values + i * 4, values + i * 4 + 4, 0.f);
        for (int k = 0; k < size; ++k) out[i * size + k] = sum + static_cast<float>(k);
      }
      results.push_back({outputs_[o].name, ElementType::kFloat32, {count, size}});
      results.back().data = memory[o].data();
    }
    return results;
  }

  void close_gate() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void open_gate() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool wait_for_runs(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return batches_.size() >= count; });
  }
  // The first number of each item, batch by batch, in the order in which they began.
  std::vector<std::vector<float>> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  std::vector<const std::byte*> addresses() const {
    const std::lock_guard lock(mutex_);
    return addresses_;
  }

 private:
  TensorInfo input_{"x", ElementType::kFloat32, {4}};
  std::vector<TensorInfo> outputs_{{"sum", ElementType::kFloat32, {1}},
                                   {"large", ElementType::kFloat32, {2048}}};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::vector<std::vector<float>> batches_;
  mutable std::vector<const std::byte*> addresses_;
  bool open_ = true;
};

class BatcherTest : public testing::Test {
 protected:
  void start(int workers, int max_batch) { batcher = Batcher::start(session, workers, max_batch); }

  Slot claim_one(Clock::duration deadline = kFar, int priority = 0) {
    return std::move(batcher->claim(1, Clock::now() + deadline, priority).front());
  }
  // A slot whose four numbers are `value`, 0, 0, 0.
  Slot written(float value, Clock::duration deadline = kFar, int priority = 0) {
    Slot slot = claim_one(deadline, priority);
    write_floats(slot, {value, 0, 0, 0});
    return slot;
  }
  static float sum(std::future<SlotResult>& future) {
    if (future.wait_for(kPatience) != std::future_status::ready) return -1;
    const SlotResult result = future.get();
    if (!result.error.empty()) return -2;
    return result.outputs.at(0).floats()[0];
  }
  // Keeps one worker busy until the gate opens.
  std::future<SlotResult> occupy_worker() {
    session->close_gate();
    const std::size_t before = session->batches().size();
    auto future = submit(written(1000));
    EXPECT_TRUE(session->wait_for_runs(before + 1));
    return future;
  }

  const std::shared_ptr<FakeSession> session = std::make_shared<FakeSession>();
  std::shared_ptr<Batcher> batcher;
};

TEST_F(BatcherTest, ALoneRequestLeavesAtOnce) {
  start(1, 8);
  auto result = submit(written(5));
  EXPECT_EQ(sum(result), 5);
}

TEST_F(BatcherTest, ASlotThatIsBeingWrittenIsWaitedFor) {
  start(1, 8);
  auto slots = batcher->claim(2, Clock::now() + kFar, 0);
  write_floats(slots[0], {1, 0, 0, 0});
  auto first = submit(std::move(slots[0]));
  EXPECT_EQ(first.wait_for(50ms), std::future_status::timeout);
  write_floats(slots[1], {2, 0, 0, 0});
  auto second = submit(std::move(slots[1]));
  EXPECT_EQ(sum(first), 1);
  EXPECT_EQ(sum(second), 2);
  EXPECT_THAT(session->batches(), ElementsAre(ElementsAre(1, 2)));
}

TEST_F(BatcherTest, AnAbandonedSlotIsNotWaitedFor) {
  start(1, 8);
  auto slots = batcher->claim(2, Clock::now() + kFar, 0);
  write_floats(slots[0], {1, 0, 0, 0});
  auto first = submit(std::move(slots[0]));
  slots.clear();
  EXPECT_EQ(sum(first), 1);
}

TEST_F(BatcherTest, AtTheDeadlineWrittenSlotsLeaveAndTheOthersStayValid) {
  start(1, 8);
  auto slots = batcher->claim(3, Clock::now() + 30ms, 0);
  write_floats(slots[0], {1, 0, 0, 0});
  write_floats(slots[2], {3, 0, 0, 0});
  std::byte* const unwritten = slots[1].input().data();
  auto first = submit(std::move(slots[0]));
  auto third = submit(std::move(slots[2]));
  EXPECT_EQ(sum(first), 1);
  EXPECT_EQ(sum(third), 3);
  EXPECT_EQ(slots[1].input().data(), unwritten);
  write_floats(slots[1], {2, 1, 1, 1});
  auto second = submit(std::move(slots[1]));
  EXPECT_EQ(sum(second), 5);
}

TEST_F(BatcherTest, AFullBatchLeavesThoughAnotherSlotIsBeingWritten) {
  start(1, 2);
  const Slot unwritten = claim_one();
  auto slots = batcher->claim(2, Clock::now() + kFar, 0);
  write_floats(slots[0], {1, 0, 0, 0});
  write_floats(slots[1], {2, 0, 0, 0});
  auto first = submit(std::move(slots[0]));
  auto second = submit(std::move(slots[1]));
  EXPECT_EQ(sum(first), 1);
  EXPECT_EQ(sum(second), 2);
}

TEST_F(BatcherTest, AFullBatchLeavesWholeThoughWorkersShareIt) {
  start(2, 4);
  const Slot unwritten = claim_one();
  auto slots = batcher->claim(4, Clock::now() + kFar, 0);
  std::vector<std::future<SlotResult>> results;
  for (Slot& slot : slots) {
    write_floats(slot, {1, 0, 0, 0});
    results.push_back(submit(std::move(slot)));
  }
  for (auto& result : results) EXPECT_EQ(sum(result), 1);
  EXPECT_THAT(session->batches(), Each(SizeIs(Le(2))));
}

TEST_F(BatcherTest, RowsThatLieTogetherRunWhereTheyWereWritten) {
  start(1, 8);
  auto busy = occupy_worker();
  auto slots = batcher->claim(3, Clock::now() + kFar, 0);
  const std::byte* const where = slots[0].input().data();
  std::vector<std::future<SlotResult>> results;
  for (const std::size_t i : {2, 0, 1}) {  // in whatever order they are submitted
    write_floats(slots[i], {static_cast<float>(i), 0, 0, 0});
    results.push_back(submit(std::move(slots[i])));
  }
  session->open_gate();
  for (auto& result : results) EXPECT_GE(sum(result), 0);
  EXPECT_THAT(session->batches().at(1), ElementsAre(0, 1, 2));
  EXPECT_EQ(session->addresses().at(1), where);
}

TEST_F(BatcherTest, HolesAreClosedByACopy) {
  start(1, 8);
  auto busy = occupy_worker();
  auto slots = batcher->claim(5, Clock::now() + kFar, 0);
  for (std::size_t i = 0; i < 5; ++i) write_floats(slots[i], {static_cast<float>(i), 1, 1, 1});
  std::vector<std::future<SlotResult>> results;
  for (const std::size_t i : {0, 2, 4}) results.push_back(submit(std::move(slots[i])));
  slots.clear();  // 1 and 3
  session->open_gate();
  EXPECT_EQ(sum(results[0]), 3);
  EXPECT_EQ(sum(results[1]), 5);
  EXPECT_EQ(sum(results[2]), 7);
  EXPECT_THAT(session->batches().at(1), ElementsAre(0, 2, 4));
}

TEST_F(BatcherTest, HigherPrioritiesGoFirstAndWhoCameFirstWithinOne) {
  start(1, 1);
  auto busy = occupy_worker();
  auto a = submit(written(1, kFar, 0));
  auto b = submit(written(2, kFar, 5));
  session->open_gate();
  EXPECT_EQ(sum(a), 1);
  EXPECT_EQ(sum(b), 2);
  EXPECT_THAT(session->batches(), ElementsAre(ElementsAre(1000), ElementsAre(2), ElementsAre(1)));
}

TEST_F(BatcherTest, WorkersShareWhatIsQueued) {
  start(2, 8);
  session->close_gate();
  auto slots = batcher->claim(8, Clock::now() + kFar, 0);
  std::vector<std::future<SlotResult>> results;
  for (Slot& slot : slots) {
    write_floats(slot, {1, 1, 0, 0});
    results.push_back(submit(std::move(slot)));
  }
  ASSERT_TRUE(session->wait_for_runs(2));  // side by side
  EXPECT_THAT(session->batches(), Each(SizeIs(Le(4))));
  session->open_gate();
  for (auto& result : results) EXPECT_EQ(sum(result), 2);
}

TEST_F(BatcherTest, AFailedRunIsEachSlotsError) {
  start(1, 8);
  auto slots = batcher->claim(2, Clock::now() + kFar, 0);
  write_floats(slots[0], {1, 0, 0, 0});
  write_floats(slots[1], {-1, 0, 0, 0});
  auto first = submit(std::move(slots[0]));
  auto second = submit(std::move(slots[1]));
  EXPECT_EQ(first.get().error, "no negative numbers");
  EXPECT_EQ(second.get().error, "no negative numbers");
  auto third = submit(written(3));
  EXPECT_EQ(sum(third), 3);
  const Engine::Statistics statistics = batcher->statistics();
  EXPECT_EQ(statistics.runs, 2u);
  EXPECT_EQ(statistics.items, 3u);
  EXPECT_EQ(statistics.failures, 1u);
  EXPECT_GT(statistics.run_seconds_p50, 0);
  EXPECT_GE(statistics.run_seconds_p95, statistics.run_seconds_p50);
}

TEST_F(BatcherTest, ClaimersWaitForMemoryAndGoOnWhenItIsFree) {
  start(1, 2);
  auto busy = occupy_worker();  // one of three blocks of two
  std::vector<std::future<SlotResult>> queued;
  for (float i = 0; i < 5; ++i) queued.push_back(submit(written(i)));
  std::atomic<bool> claimed = false;
  std::jthread claimer([&] {
    auto slots = batcher->claim(2, Clock::now() + kFar, 0);
    claimed = true;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(claimed);
  session->open_gate();
  claimer.join();
  EXPECT_TRUE(claimed);
  for (float i = 0; i < 5; ++i) EXPECT_EQ(sum(queued[static_cast<std::size_t>(i)]), i);
}

TEST_F(BatcherTest, WhoWaitsForMemoryIsNotWaitedForAsCompany) {
  start(1, 2);
  auto one = batcher->claim(2, Clock::now() + kFar, 0);
  auto two = batcher->claim(2, Clock::now() + kFar, 0);
  auto three = batcher->claim(2, Clock::now() + kFar, 0);
  write_floats(one[0], {1, 0, 0, 0});
  auto result = submit(std::move(one[0]));  // neither full, nor due, and five are being written
  EXPECT_EQ(result.wait_for(50ms), std::future_status::timeout);
  one.clear();
  std::jthread claimer([&] { batcher->claim(2, Clock::now() + kFar, 0); });
  EXPECT_EQ(sum(result), 1);
}

TEST_F(BatcherTest, WrongUseIsAnError) {
  start(1, 2);
  EXPECT_THAT(complaint([&] { batcher->claim(3, Clock::now(), 0); }, ErrorCode::kInput),
              HasSubstr("a batch has 1 to 2"));
  EXPECT_THAT(complaint([&] { batcher->claim(0, Clock::now(), 0); }, ErrorCode::kInput),
              HasSubstr("1 to 2"));
  Slot slot = written(1);
  EXPECT_THROW(slot.submit(nullptr), Error);
  slot.submit([](SlotResult&&) {});
  EXPECT_THROW(slot.submit([](SlotResult&&) {}), Error);
  EXPECT_TRUE(slot.input().empty());
  EXPECT_TRUE(Slot().input().empty());
}

TEST_F(BatcherTest, SmallOutputsAreCopiesAndLargeOnesHoldTheirBlock) {
  start(1, 2);
  const SlotResult kept = submit(written(7)).get();
  for (float i = 0; i < 100; ++i) {  // what was kept is not written over
    const SlotResult other = submit(written(i)).get();
    EXPECT_EQ(other.outputs[1].floats()[2047], i + 2047);
  }
  EXPECT_EQ(kept.outputs[0].floats()[0], 7);
  EXPECT_EQ(kept.outputs[1].floats()[2047], 7 + 2047);
  EXPECT_EQ(kept.outputs[0].shape, Shape{1});
  EXPECT_EQ(kept.outputs[1].shape, Shape{2048});
  EXPECT_NE(kept.outputs[0].owner, kept.outputs[1].owner);
  batcher.reset();
  EXPECT_EQ(kept.outputs[1].floats()[0], 7) << "results outlive the batcher";
}

TEST_F(BatcherTest, GrowsWhileSlotsAreClaimed) {
  start(1, 1);
  Slot before = written(1);
  batcher->grow(4);
  batcher->grow(2);  // the largest wins
  EXPECT_EQ(batcher->max_batch(), 4);
  auto slots = batcher->claim(4, Clock::now() + kFar, 0);
  std::vector<std::future<SlotResult>> results;
  results.push_back(submit(std::move(before)));
  for (Slot& slot : slots) {
    write_floats(slot, {1, 0, 0, 0});
    results.push_back(submit(std::move(slot)));
  }
  for (auto& result : results) EXPECT_EQ(sum(result), 1);
}

TEST_F(BatcherTest, TheEndAnswersWhatIsQueuedAndNoCallbackRunsAfterIt) {
  start(1, 1);
  std::atomic<int> answered = 0;
  std::vector<std::string> errors(3);
  session->close_gate();
  for (std::size_t i = 0; i < 3; ++i)
    written(1).submit([&, i](SlotResult&& result) {
      errors[i] = result.error;
      ++answered;
    });
  ASSERT_TRUE(session->wait_for_runs(1));
  std::jthread opener([&] {
    std::this_thread::sleep_for(30ms);
    session->open_gate();
  });
  batcher.reset();
  EXPECT_EQ(answered, 3);
  EXPECT_EQ(errors[0], "");
  EXPECT_THAT(errors[2], HasSubstr("was closed"));
}

TEST_F(BatcherTest, ASlotKeepsTheBatcherAlive) {
  start(1, 2);
  Slot slot = written(4);
  batcher.reset();
  std::atomic<float> found = 0;
  std::atomic<bool> done = false;
  slot.submit([&](SlotResult&& result) {
    if (result.error.empty()) found = result.outputs[0].floats()[0];
    done = true;
  });
  EXPECT_TRUE(done) << "the last owner waits for the answer";
}

TEST_F(BatcherTest, TheLastOwnerMayLetGoInACallback) {
  start(2, 1);
  auto ended = std::make_shared<std::promise<void>>();
  Slot slot = written(1);
  session->close_gate();
  slot.submit([owner = batcher, ended](SlotResult&&) mutable {
    owner.reset();
    ended->set_value();
  });
  batcher.reset();
  session->open_gate();
  EXPECT_EQ(ended->get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(BatcherTest, ManyThreadsThatAlsoAbandonGetEachTheirOwn) {
  start(3, 4);
  std::atomic<int> wrong = 0, answered = 0, expected = 0;
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        std::mt19937 random(t);
        for (int round = 0; round < 300; ++round) {
          const auto wait = std::chrono::microseconds(random() % 500);
          auto slots = batcher->claim(static_cast<int>(random() % 4) + 1, Clock::now() + wait,
                                      static_cast<int>(random() % 3));
          for (Slot& slot : slots) {
            if (random() % 4 == 0) continue;  // abandoned at the end of the round
            const auto value = static_cast<float>(random() % 10000);
            write_floats(slot, {value, 1, 2, 3});
            ++expected;
            slot.submit([&, value](SlotResult&& result) {
              if (!result.error.empty() || result.outputs[0].floats()[0] != value + 6 ||
                  result.outputs[1].floats()[2047] != value + 6 + 2047)
                ++wrong;
              ++answered;
            });
          }
        }
      });
  }
  const auto patience = Clock::now() + kPatience;
  while (answered < expected && Clock::now() < patience) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(answered, expected);
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace sightline
