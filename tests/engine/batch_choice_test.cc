// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/batch_choice.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include <climits>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/run_rate.h"

namespace sightline {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// A network whose run of so many items takes so long, whoever else runs.
class TimedSession final : public Session {
 public:
  explicit TimedSession(std::function<milliseconds(int)> time) : time_(std::move(time)) {
    input_.shape = {4};
  }

  const TensorInfo& input() const override { return input_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  int max_batch() const override { return INT_MAX; }
  std::vector<Tensor> run(const std::byte*, int count,
                          std::span<const std::span<std::byte>>) const override {
    int largest = largest_;
    while (count > largest && !largest_.compare_exchange_weak(largest, count)) continue;
    std::this_thread::sleep_for(time_(count));
    return {};
  }
  int largest() const { return largest_; }

 private:
  std::function<milliseconds(int)> time_;
  TensorInfo input_;
  std::vector<TensorInfo> outputs_;
  mutable std::atomic<int> largest_ = 0;
};

TEST(BatchChoice, RunsThatCostTheSameWhateverTheirSizeGetTheLargest) {
  const TimedSession session([](int) { return milliseconds(4); });
  const BatchChoice choice = choose_batch(session, 2, 8);
  EXPECT_EQ(choice.size, 8);
  EXPECT_EQ(session.largest(), 8);
  EXPECT_THAT(choice.why, HasSubstr("items/s by 4"));
}

TEST(BatchChoice, LargerRunsThatAreSlowerAnItemAreNotMade) {
  const TimedSession session([](int count) { return milliseconds(count == 1 ? 4 : 6 * count); });
  EXPECT_EQ(choose_batch(session, 2, 8).size, 1);
  EXPECT_EQ(session.largest(), 2) << "what is not chosen is not tried further";
}

TEST(BatchChoice, EndsWhereTheGainEnds) {
  const TimedSession session([](int count) { return milliseconds(count <= 2 ? 6 : 6 * count); });
  EXPECT_EQ(choose_batch(session, 1, 8).size, 2);
  EXPECT_EQ(session.largest(), 4);
}

TEST(BatchChoice, NothingIsMeasuredWhereThereIsNoChoice) {
  const TimedSession session([](int) { return milliseconds(4); });
  EXPECT_EQ(choose_batch(session, 2, 1).size, 1);
  EXPECT_EQ(session.largest(), 0);
}

TEST(RunRate, CountsItemsOfAllWorkers) {
  const TimedSession session([](int) { return milliseconds(10); });
  const std::vector<double> rates = items_per_second({{&session, 1, 1}, {&session, 3, 2}});
  // Sleeping may take longer than asked, never shorter.
  EXPECT_LE(rates[0], 100);
  EXPECT_LE(rates[1], 600);
  EXPECT_GT(rates[1], 2 * rates[0]);
}

TEST(RunRate, AFailedRunIsThrown) {
  const TimedSession session([](int) -> milliseconds { throw std::runtime_error("no"); });
  EXPECT_THROW(items_per_second({{&session, 2, 1}}), std::runtime_error);
}

}  // namespace
}  // namespace sightline
