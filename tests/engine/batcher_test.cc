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
using test::floats_writer;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Le;
using testing::SizeIs;

constexpr auto kPatience = 60s;  // for what is expected to happen; sanitizers are slow

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
  void start(int workers, int max_batch) {
    batcher = std::make_shared<Batcher>(session, workers, max_batch);
  }

  // Items whose four numbers are a value, 0, 0, 0.
  std::vector<std::future<RunResult>> submit(const std::vector<float>& values, int priority = 0,
                                             std::uint64_t source = 0) {
    std::vector<test::InputWriter> writers;
    for (const float value : values) writers.push_back(floats_writer({value, 0, 0, 0}));
    return test::submit(*batcher, std::move(writers), priority, source);
  }
  std::future<RunResult> submit_one(float value, int priority = 0) {
    return std::move(submit(std::vector{value}, priority).front());
  }
  std::future<RunResult> submit_patient(float value, std::chrono::nanoseconds may_wait) {
    const auto promise = std::make_shared<std::promise<RunResult>>();
    Request request{floats_writer({value, 0, 0, 0}),
                    [promise](RunResult&& result) { promise->set_value(std::move(result)); },
                    {}};
    request.standing.may_wait = may_wait;
    std::vector<Request> requests;
    requests.push_back(std::move(request));
    batcher->submit(std::move(requests));
    return promise->get_future();
  }
  static float sum(std::future<RunResult>& future) {
    if (future.wait_for(kPatience) != std::future_status::ready) return -1;
    const RunResult result = future.get();
    if (!result.error.empty()) return -2;
    return result.outputs.at(0).floats()[0];
  }
  // Keeps one worker busy until the gate opens.
  std::future<RunResult> occupy_worker() {
    session->close_gate();
    const std::size_t before = session->batches().size();
    auto future = submit_one(1000);
    EXPECT_TRUE(session->wait_for_runs(before + 1));
    return future;
  }

  const std::shared_ptr<FakeSession> session = std::make_shared<FakeSession>();
  std::shared_ptr<Batcher> batcher;
};

TEST_F(BatcherTest, ALoneRequestLeavesAtOnce) {
  start(1, 8);
  auto result = submit_one(5);
  EXPECT_EQ(sum(result), 5);
}

TEST_F(BatcherTest, WhatIsSubmittedTogetherRunsTogether) {
  start(1, 8);
  auto results = submit({1, 2, 3});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(sum(results[i]), static_cast<float>(i + 1));
  EXPECT_THAT(session->batches(), ElementsAre(ElementsAre(1, 2, 3)));
}

TEST_F(BatcherTest, WhatCameWhileTheWorkerWasBusyRunsTogetherToo) {
  start(1, 8);
  auto busy = occupy_worker();
  auto first = submit_one(1), second = submit_one(2);
  session->open_gate();
  EXPECT_EQ(sum(first), 1);
  EXPECT_EQ(sum(second), 2);
  EXPECT_THAT(session->batches(), ElementsAre(ElementsAre(1000), ElementsAre(1, 2)));
}

TEST_F(BatcherTest, MoreThanABatchIsSeveral) {
  start(1, 2);
  auto results = submit({1, 2, 3, 4, 5});
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(sum(results[i]), static_cast<float>(i + 1));
  EXPECT_THAT(session->batches(),
              ElementsAre(ElementsAre(1, 2), ElementsAre(3, 4), ElementsAre(5)));
}

TEST_F(BatcherTest, AWorkerUsesItsMemoryAgain) {
  start(1, 8);
  for (float i = 0; i < 10; ++i) {
    auto result = submit_one(i);
    EXPECT_EQ(sum(result), i);
  }
  EXPECT_THAT(session->addresses(), Each(session->addresses().front()));
}

TEST_F(BatcherTest, HigherPrioritiesGoFirstAndWhoCameFirstWithinOne) {
  start(1, 1);
  auto busy = occupy_worker();
  auto a = submit_one(1, 0), b = submit_one(2, 5), c = submit_one(3, 5);
  session->open_gate();
  for (auto* result : {&a, &b, &c}) EXPECT_GT(sum(*result), 0);
  EXPECT_THAT(session->batches(),
              ElementsAre(ElementsAre(1000), ElementsAre(2), ElementsAre(3), ElementsAre(1)));
}

// The bound that engine.h states, with every run held until the test lets it go.
TEST_F(BatcherTest, AStreamWithManyFacesDelaysOneWithASingleFaceByOneItem) {
  for (const int max_batch : {1, 4}) {
    start(1, max_batch);
    auto busy = occupy_worker();
    const std::size_t before = session->batches().size();
    auto crowd = submit(std::vector<float>(50, 50), 0, 1);
    auto single = submit(std::vector<float>{1}, 0, 2);
    session->open_gate();
    for (auto& result : crowd) EXPECT_EQ(sum(result), 50);
    EXPECT_EQ(sum(single[0]), 1);
    const auto batches = session->batches();
    if (max_batch == 1)
      EXPECT_THAT(batches.at(before + 1), ElementsAre(1));
    else
      EXPECT_THAT(batches.at(before), ElementsAre(50, 1, 50, 50));
  }
}

TEST_F(BatcherTest, StreamsThatAskWhileTheEngineIsBusyShareABatch) {
  start(1, 8);
  auto busy = occupy_worker();
  std::vector<std::future<RunResult>> results;
  for (float stream = 1; stream <= 8; ++stream)
    results.push_back(std::move(submit({stream}, 0, static_cast<std::uint64_t>(stream)).front()));
  EXPECT_EQ(batcher->statistics().queued, 8u);
  session->open_gate();
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(sum(results[i]), static_cast<float>(i + 1));
  EXPECT_THAT(session->batches(),
              ElementsAre(ElementsAre(1000), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8)));
}

TEST_F(BatcherTest, AnAbandonedRequestIsNeitherWrittenNorRunAndHoldsNobodyUp) {
  start(1, 2);
  auto busy = occupy_worker();
  const auto abandoned = std::make_shared<std::atomic<bool>>(false);
  std::atomic<int> written = 0;
  std::vector<std::string> errors;  // of this thread and of the worker, which is busy meanwhile
  const auto request = [&] {
    return Request{[&](std::span<std::byte>) { ++written; },
                   [&](RunResult&& result) { errors.push_back(result.error); },
                   {0, 1, {}, abandoned}};
  };
  std::vector<Request> requests;
  for (int i = 0; i < 3; ++i) requests.push_back(request());
  batcher->submit(std::move(requests));
  auto other = submit({7}, 0, 2);
  *abandoned = true;
  batcher->drop_abandoned();
  EXPECT_THAT(errors, ElementsAre(kAbandoned, kAbandoned, kAbandoned)) << "at once, not in turn";

  // Nobody calls for those that come afterwards: the worker notices.
  requests.clear();
  requests.push_back(request());
  batcher->submit(std::move(requests));
  session->open_gate();
  EXPECT_EQ(sum(other[0]), 7);
  auto last = submit_one(8);
  EXPECT_EQ(sum(last), 8);
  EXPECT_EQ(written, 0);
  EXPECT_THAT(errors, SizeIs(4));
  EXPECT_THAT(session->batches(), ElementsAre(ElementsAre(1000), ElementsAre(7), ElementsAre(8)));
  EXPECT_EQ(batcher->statistics().abandoned, 4u);
}

TEST_F(BatcherTest, WorkersShareWhatIsQueued) {
  start(2, 8);
  session->close_gate();
  auto results = submit({1, 1, 1, 1, 1, 1, 1, 1});
  ASSERT_TRUE(session->wait_for_runs(2));  // side by side
  EXPECT_THAT(session->batches(), Each(SizeIs(Le(4))));
  session->open_gate();
  for (auto& result : results) EXPECT_EQ(sum(result), 1);
}

TEST_F(BatcherTest, AFailedRunIsEachRequestsError) {
  start(1, 8);
  auto results = submit({1, -1});
  EXPECT_EQ(results[0].get().error, "no negative numbers");
  EXPECT_EQ(results[1].get().error, "no negative numbers");
  auto third = submit_one(3);
  EXPECT_EQ(sum(third), 3);
  const Engine::Statistics statistics = batcher->statistics();
  EXPECT_EQ(statistics.runs, 2u);
  EXPECT_EQ(statistics.items, 3u);
  EXPECT_EQ(statistics.failures, 1u);
  EXPECT_GT(statistics.run_seconds_p50, 0);
  EXPECT_GE(statistics.run_seconds_p95, statistics.run_seconds_p50);
}

TEST_F(BatcherTest, WhoCannotWriteFailsAlone) {
  start(1, 8);
  const auto fails = [](std::span<std::byte>) { throw std::runtime_error("no picture"); };
  auto results =
      test::submit(*batcher, {floats_writer({1, 0, 0, 0}), fails, floats_writer({3, 0, 0, 0})});
  EXPECT_EQ(sum(results[0]), 1);
  EXPECT_EQ(results[1].get().error, "no picture");
  EXPECT_EQ(sum(results[2]), 3);
  EXPECT_THAT(session->batches(), ElementsAre(ElementsAre(1, 3)));

  auto none = test::submit(*batcher, {fails});
  EXPECT_EQ(none[0].get().error, "no picture");
  EXPECT_THAT(session->batches(), SizeIs(1)) << "nothing to run";
}

// An element unmaps its frame there, and with the result the frame leaves.
TEST_F(BatcherTest, WhatWritesIsGoneBeforeTheResultComes) {
  start(2, 4);
  std::atomic<int> alive_at_result = 0, answered = 0;
  for (const bool fails : {false, true}) {
    auto frame = std::make_shared<int>(0);
    Request request{[frame, fails](std::span<std::byte> item) {
                      std::fill(item.begin(), item.end(), std::byte{0});
                      if (fails) throw std::runtime_error("no picture");
                    },
                    [&, frame = std::weak_ptr(frame)](RunResult&&) {
                      if (!frame.expired()) ++alive_at_result;
                      ++answered;
                    }};
    frame.reset();
    std::vector<Request> requests;
    requests.push_back(std::move(request));
    batcher->submit(std::move(requests));
  }
  batcher.reset();
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(alive_at_result, 0);
}

TEST_F(BatcherTest, WrongUseIsAnError) {
  start(1, 2);
  const auto submit_two = [&](Request wrong) {
    std::vector<Request> requests;
    requests.push_back({floats_writer({1}), [](RunResult&&) { FAIL() << "none is queued"; }});
    requests.push_back(std::move(wrong));
    batcher->submit(std::move(requests));
  };
  EXPECT_THAT(complaint(
                  [&] {
                    submit_two({floats_writer({1}), nullptr});
                  },
                  ErrorCode::kInput),
              HasSubstr("who wants the result"));
  EXPECT_THAT(complaint(
                  [&] {
                    submit_two({nullptr, [](RunResult&&) {}});
                  },
                  ErrorCode::kInput),
              HasSubstr("how its item is written"));
  batcher->submit({});
}

TEST_F(BatcherTest, SmallOutputsAreCopiesAndLargeOnesHoldTheirBlock) {
  start(1, 2);
  const RunResult kept = submit_one(7).get();
  for (float i = 0; i < 100; ++i) {  // what was kept is not written over
    const RunResult other = submit_one(i).get();
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

TEST_F(BatcherTest, GrowsWhileItRuns) {
  start(1, 1);
  auto busy = occupy_worker();
  auto before = submit_one(1);
  batcher->grow(4);
  batcher->grow(2);  // the largest wins
  EXPECT_EQ(batcher->max_batch(), 4);
  auto results = submit({1, 1, 1});
  session->open_gate();
  EXPECT_EQ(sum(before), 1);
  for (auto& result : results) EXPECT_EQ(sum(result), 1);
  EXPECT_THAT(session->batches().at(1), SizeIs(4));
}

TEST_F(BatcherTest, TheEndAnswersWhatIsQueuedAndNoCallbackRunsAfterIt) {
  // Nobody outside sees that the end has begun: on a busy machine the gate may open before it.
  bool was_closed = false;
  for (auto opens_after = 30ms; !was_closed && opens_after < kPatience; opens_after *= 2) {
    start(1, 1);
    session->close_gate();
    const std::size_t before = session->batches().size();
    auto results = submit({1, 1, 1});
    ASSERT_TRUE(session->wait_for_runs(before + 1));
    std::jthread opener([&] {
      std::this_thread::sleep_for(opens_after);
      session->open_gate();
    });
    batcher.reset();
    for (auto& result : results) ASSERT_EQ(result.wait_for(0s), std::future_status::ready);
    EXPECT_EQ(results[0].get().error, "");
    const std::string last = results[2].get().error;
    was_closed = last.find("was closed") != std::string::npos;
    EXPECT_TRUE(was_closed || last.empty()) << last;
  }
  EXPECT_TRUE(was_closed);
}

TEST_F(BatcherTest, TheLastOwnerMayLetGoInACallback) {
  start(2, 1);
  auto ended = std::make_shared<std::promise<void>>();
  session->close_gate();
  std::vector<Request> requests;
  requests.push_back({floats_writer({1, 0, 0, 0}), [owner = batcher, ended](RunResult&&) mutable {
                        owner.reset();
                        ended->set_value();
                      }});
  batcher->submit(std::move(requests));
  batcher.reset();
  session->open_gate();
  EXPECT_EQ(ended->get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(BatcherTest, WhoMayWaitAndComesAloneDoesNot) {
  start(2, 8);
  auto alone = submit_patient(1, 1h);
  EXPECT_EQ(sum(alone), 1);
}

TEST_F(BatcherTest, WhoMayWaitHasCompanyInTheNextBatch) {
  start(1, 2);
  auto first = submit_patient(1, 1h);
  EXPECT_EQ(sum(first), 1);
  auto waits = submit_patient(2, 1h);
  EXPECT_EQ(waits.wait_for(20ms), std::future_status::timeout);
  auto fills = submit_patient(3, 1h);
  EXPECT_EQ(sum(waits), 2);
  EXPECT_EQ(sum(fills), 3);
  EXPECT_THAT(session->batches(), ElementsAre(ElementsAre(1), ElementsAre(2, 3)));
}

TEST_F(BatcherTest, WhoMayNotWaitTakesThoseAlongWhoMay) {
  start(1, 8);
  auto first = submit_patient(1, 1h);
  EXPECT_EQ(sum(first), 1);
  auto waits = submit_patient(2, 1h);
  auto urgent = submit_one(3);
  EXPECT_EQ(sum(waits), 2);
  EXPECT_EQ(sum(urgent), 3);
  EXPECT_THAT(session->batches(), ElementsAre(ElementsAre(1), ElementsAre(2, 3)));
}

TEST_F(BatcherTest, WhoMayWaitLeastSaysWhenTheNextBatchBegins) {
  start(1, 8);
  const auto before = Clock::now();
  auto first = submit_patient(1, 1h);
  EXPECT_EQ(sum(first), 1);
  auto waits = submit_patient(2, 1h);
  auto shorter = submit_patient(3, 30ms);
  EXPECT_EQ(sum(waits), 2);
  EXPECT_EQ(sum(shorter), 3);
  EXPECT_GE(Clock::now() - before, 30ms);
  EXPECT_THAT(session->batches(), ElementsAre(ElementsAre(1), ElementsAre(2, 3)));
}

TEST_F(BatcherTest, WorkersShareWhatWaited) {
  start(2, 4);
  auto first = submit_patient(1, 1h);
  EXPECT_EQ(sum(first), 1);
  std::vector<std::future<RunResult>> results;
  for (int i = 2; i < 6; ++i) results.push_back(submit_patient(static_cast<float>(i), 1h));
  for (int i = 2; i < 6; ++i) EXPECT_EQ(sum(results[static_cast<std::size_t>(i - 2)]), i);
}

TEST_F(BatcherTest, TheEndAnswersThoseWhoStillWait) {
  start(2, 8);
  auto first = submit_patient(1, 1h);
  EXPECT_EQ(sum(first), 1);
  auto waits = submit_patient(2, 1h);
  batcher.reset();
  ASSERT_EQ(waits.wait_for(kPatience), std::future_status::ready);
  EXPECT_THAT(waits.get().error, HasSubstr("closed"));
}

TEST_F(BatcherTest, ManyThreadsGetEachTheirOwn) {
  start(3, 4);
  std::atomic<int> wrong = 0, answered = 0, expected = 0;
  const auto request = [&](float value, bool fails, int priority, std::chrono::nanoseconds wait) {
    return Request{[value, fails](std::span<std::byte> item) {
                     if (fails) throw std::runtime_error("no picture");
                     floats_writer({value, 1, 2, 3})(item);
                   },
                   [&, value, fails](RunResult&& result) {
                     if (fails ? result.error != "no picture"
                               : !result.error.empty() ||
                                     result.outputs[0].floats()[0] != value + 6 ||
                                     result.outputs[1].floats()[2047] != value + 6 + 2047)
                       ++wrong;
                     ++answered;
                   },
                   {priority, 0, {}, {}, wait}};
  };
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        std::mt19937 random(t);
        for (int round = 0; round < 300; ++round) {
          std::vector<Request> requests;
          for (auto left = random() % 6 + 1; left > 0; --left, ++expected)
            requests.push_back(request(static_cast<float>(random() % 10000), random() % 4 == 0,
                                       static_cast<int>(random() % 3),
                                       std::chrono::microseconds(random() % 3 * 200)));
          batcher->submit(std::move(requests));
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
