// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/infer_window.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

using namespace std::chrono_literals;

class InferWindowTest : public ::testing::Test {
 protected:
  using Work = std::shared_ptr<FrameWork>;
  using Callback = std::function<void(RunResult&&)>;

  void SetUp() override { start(2); }
  void start(int limit) {
    window_.set_limit(limit);
    window_.set_flushing(false);
  }

  // A frame whose buffer says which one it is.
  static Work frame(guint64 number, std::size_t runs = 1) {
    GstBuffer* buffer = gst_buffer_new();
    GST_BUFFER_OFFSET(buffer) = number;
    auto work = std::make_shared<FrameWork>(buffer, GstVideoInfo{});
    work->runs.resize(runs);
    return work;
  }
  Callback enter(const Work& work) {
    window_.enqueue(work);
    return window_.on_result(work, 0);
  }
  static guint64 number_of(const QueueItem& item) {
    return GST_BUFFER_OFFSET(std::get<Work>(item)->buffer());
  }

  InferWindow window_;
};

TEST_F(InferWindowTest, FramesLeaveInOrderWhateverEndsFirst) {
  const Callback first = enter(frame(1)), second = enter(frame(2));
  second({});
  std::atomic<bool> left = false;
  std::jthread pusher([&] {
    const auto item = window_.next();
    left = true;
    EXPECT_EQ(number_of(*item), 1u);
    window_.pushed();
    EXPECT_EQ(number_of(*window_.next()), 2u);
    window_.pushed();
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(left);
  first({});
}

TEST_F(InferWindowTest, AFrameThatIsPutBackLeavesFirstAndAfterItsSecondRun) {
  const Work work = frame(1);
  enter(work)({});
  enter(frame(2))({});
  ASSERT_EQ(number_of(*window_.next()), 1u);
  ASSERT_TRUE(window_.put_back(work));
  const Callback again = window_.on_result(work, 0);
  window_.pushed();
  std::atomic<bool> left = false;
  std::jthread pusher([&] {
    const auto item = window_.next();
    left = true;
    EXPECT_EQ(number_of(*item), 1u);
    window_.pushed();
    EXPECT_EQ(number_of(*window_.next()), 2u);
    window_.pushed();
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(left);
  EXPECT_EQ(window_.frames(), 2);
  again({});
}

TEST_F(InferWindowTest, AFlushDoesNotWaitForAFrameThatWasPutBack) {
  const Work work = frame(1);
  enter(work)({});
  ASSERT_TRUE(window_.next());
  ASSERT_TRUE(window_.put_back(work));
  const Callback again = window_.on_result(work, 0);
  window_.pushed();
  std::jthread pusher([&] { EXPECT_FALSE(window_.next()); });
  window_.set_flushing(true);
  pusher.join();
  EXPECT_TRUE(work->standing.is_abandoned());
  EXPECT_EQ(window_.frames(), 0);
  again({});
  window_.wait_for_callbacks();
}

TEST_F(InferWindowTest, WhatAFlushAbandonedIsNotPutBack) {
  const Work work = frame(1);
  enter(work)({});
  ASSERT_TRUE(window_.next());
  window_.set_flushing(true);
  EXPECT_FALSE(window_.put_back(work));
  window_.set_flushing(false);
  EXPECT_FALSE(window_.put_back(work));
  EXPECT_EQ(window_.frames(), 0);
  window_.wait_for_callbacks();
}

TEST_F(InferWindowTest, AFrameOfNoRunsLeavesAtOnce) {
  window_.enqueue(frame(7, 0));
  EXPECT_EQ(number_of(*window_.next()), 7u);
}

TEST_F(InferWindowTest, TheStreamingThreadPushesWhatIsReadyWhileItHasNoRoom) {
  const Callback first = enter(frame(1)), second = enter(frame(2));
  std::jthread engine([&] {
    std::this_thread::sleep_for(20ms);
    first({});
  });
  InferWindow::Admission admission = window_.admit();
  ASSERT_TRUE(admission.to_push);
  EXPECT_FALSE(admission.admitted);
  EXPECT_EQ(number_of(*admission.to_push), 1u);
  window_.pushed();
  EXPECT_TRUE(window_.admit().admitted);
  second({});
}

TEST_F(InferWindowTest, NothingOvertakesWhatIsBeingPushed) {
  const Callback first = enter(frame(1)), second = enter(frame(2));
  first({});
  second({});
  EXPECT_EQ(number_of(*window_.next()), 1u);  // and is not pushed yet
  EXPECT_TRUE(window_.admit().admitted);      // there is room
  window_.enqueue(frame(3, 0));
  std::atomic<bool> taken = false;
  std::jthread streaming([&] {
    InferWindow::Admission admission = window_.admit();
    taken = true;
    EXPECT_EQ(number_of(*admission.to_push), 2u);
    window_.pushed();
  });
  std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(taken);
  window_.pushed();
}

TEST_F(InferWindowTest, WhoWaitsForRoomIsLetInWhenAFrameLeaves) {
  const Callback first = enter(frame(1)), second = enter(frame(2));
  std::jthread streaming([&] {
    InferWindow::Admission admission = window_.admit();
    while (admission.to_push) {
      window_.pushed();
      admission = window_.admit();
    }
    EXPECT_TRUE(admission.admitted);
  });
  std::this_thread::sleep_for(20ms);
  first({});
  streaming.join();
  second({});
}

TEST_F(InferWindowTest, AFlushDropsWhatIsInsideAndWakesEverybody) {
  const Callback first = enter(frame(1)), second = enter(frame(2));
  std::jthread pusher([&] { EXPECT_FALSE(window_.next()); });
  std::jthread streaming([&] {
    const InferWindow::Admission admission = window_.admit();
    EXPECT_FALSE(admission.admitted);
    EXPECT_FALSE(admission.to_push);
  });
  std::this_thread::sleep_for(20ms);
  window_.set_flushing(true);
  pusher.join();
  streaming.join();
  EXPECT_EQ(window_.flow(), GST_FLOW_FLUSHING);
  start(2);
  window_.enqueue(frame(3, 0));
  first({});  // of a frame that nobody waits for any more
  EXPECT_EQ(number_of(*window_.next()), 3u);
  window_.pushed();
  second({});
  window_.wait_for_callbacks();
}

TEST_F(InferWindowTest, AFlowThatEndedLetsNobodyIn) {
  window_.set_flow(GST_FLOW_EOS);
  EXPECT_FALSE(window_.admit().admitted);
  EXPECT_EQ(window_.flow(), GST_FLOW_EOS);
  window_.resume_after(GST_FLOW_NOT_LINKED);
  EXPECT_EQ(window_.flow(), GST_FLOW_EOS) << "it ended otherwise";
  window_.resume_after(GST_FLOW_EOS);
  EXPECT_TRUE(window_.admit().admitted);
}

TEST_F(InferWindowTest, FramesAreAbandonedByAFlushAndByTheEndOfTheFlow) {
  const Work first = frame(1), second = frame(2), too_late = frame(3);
  const Callback first_done = enter(first);
  EXPECT_FALSE(first->standing.is_abandoned());
  window_.set_flushing(true);
  EXPECT_TRUE(first->standing.is_abandoned());
  start(2);
  const Callback second_done = enter(second);
  EXPECT_FALSE(second->standing.is_abandoned());
  window_.enqueue(gst_event_new_eos());
  window_.set_flow(GST_FLOW_ERROR);
  EXPECT_TRUE(second->standing.is_abandoned());
  EXPECT_EQ(window_.frames(), 0);
  const Callback too_late_done = enter(too_late);
  EXPECT_TRUE(too_late->standing.is_abandoned());
  // What is no frame still leaves.
  const auto item = window_.next();
  ASSERT_TRUE(item && std::holds_alternative<QueuedEvent>(*item));
  gst_event_unref(std::get<QueuedEvent>(*item).event);
  window_.pushed();
  first_done({});
  second_done({});
  too_late_done({});
}

TEST_F(InferWindowTest, AQueryIsAnsweredInItsTurn) {
  const Callback first = enter(frame(1));
  GstQuery* query = gst_query_new_drain();
  std::jthread streaming([&] { EXPECT_TRUE(window_.run_query(query)); });
  first({});
  EXPECT_EQ(number_of(*window_.next()), 1u);
  window_.pushed();
  EXPECT_EQ(std::get<QueuedQuery>(*window_.next()).query, query);
  window_.answer(true);
  window_.pushed();
  streaming.join();
  gst_query_unref(query);
}

TEST_F(InferWindowTest, AQueryThatNobodyTookEndsWithTheFlush) {
  const Callback first = enter(frame(1));
  GstQuery* query = gst_query_new_drain();
  std::jthread streaming([&] { EXPECT_FALSE(window_.run_query(query)); });
  std::this_thread::sleep_for(20ms);
  window_.set_flushing(true);
  streaming.join();
  gst_query_unref(query);
  first({});
}

// Engine threads that take their time, a pusher, and a streaming thread that helps.
TEST_F(InferWindowTest, EverythingLeavesOnceAndInOrder) {
  constexpr guint64 kFrames = 3000;
  start(4);
  std::mutex mutex;
  std::vector<Callback> queue;
  std::atomic<bool> stop = false;
  std::vector<std::jthread> engine;
  for (unsigned worker = 0; worker < 3; ++worker)
    engine.emplace_back([&, worker] {
      std::mt19937 random(worker);
      while (!stop) {
        Callback callback;
        {
          const std::lock_guard lock(mutex);
          if (!queue.empty()) {
            callback = std::move(queue.front());
            queue.erase(queue.begin());
          }
        }
        if (!callback) {
          std::this_thread::yield();
          continue;
        }
        if (random() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
        callback({});
      }
    });

  std::vector<std::string> left;  // only one thread pushes at a time
  const auto push = [&](const QueueItem& item) {
    left.push_back(std::holds_alternative<Work>(item)          ? std::to_string(number_of(item))
                   : std::holds_alternative<QueuedEvent>(item) ? "event"
                                                               : "query");
    if (const auto* event = std::get_if<QueuedEvent>(&item)) gst_event_unref(event->event);
    if (std::holds_alternative<QueuedQuery>(item)) window_.answer(true);
    window_.pushed();
  };
  std::jthread pusher([&] {
    while (const auto item = window_.next()) push(*item);
  });
  std::vector<std::string> expected;
  for (guint64 i = 0; i < kFrames; ++i) {
    for (;;) {
      InferWindow::Admission admission = window_.admit();
      if (admission.admitted) break;
      ASSERT_TRUE(admission.to_push);
      push(*admission.to_push);
    }
    const Work work = frame(i);
    window_.enqueue(work);
    const std::lock_guard lock(mutex);
    queue.push_back(window_.on_result(work, 0));
    expected.push_back(std::to_string(i));
    if (i % 7 == 0) {
      window_.enqueue(gst_event_new_gap(i, 1));
      expected.emplace_back("event");
    }
  }
  GstQuery* query = gst_query_new_drain();
  EXPECT_TRUE(window_.run_query(query));  // behind everything
  window_.wait_for_callbacks();
  window_.set_flushing(true);
  pusher.join();
  stop = true;
  gst_query_unref(query);
  expected.emplace_back("query");
  EXPECT_EQ(left, expected);
}

}  // namespace
}  // namespace sightline
