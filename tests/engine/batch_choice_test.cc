// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/batch_choice.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <utility>

#include <climits>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/run_rate.h"

namespace sightline {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// A network whose run of so many items takes so long, whoever else runs, on a clock of its own:
// so many runs side by side take the time of one.
class TimedSession final : public Session {
 public:
  explicit TimedSession(std::function<milliseconds(int)> time, int side_by_side = 1)
      : time_(std::move(time)), side_by_side_(side_by_side) {
    input_.shape = {4};
  }

  const TensorInfo& input() const override { return input_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  int max_batch() const override { return INT_MAX; }
  std::vector<Tensor> run(const std::byte*, int count,
                          std::span<const std::span<std::byte>>) const override {
    int largest = largest_;
    while (count > largest && !largest_.compare_exchange_weak(largest, count)) continue;
    passed_ += std::chrono::nanoseconds(time_(count)).count() / side_by_side_;
    return {};
  }
  int largest() const { return largest_; }
  Watch watch() const {
    return [this] { return Clock::time_point(std::chrono::nanoseconds(passed_)); };
  }

 private:
  std::function<milliseconds(int)> time_;
  TensorInfo input_;
  std::vector<TensorInfo> outputs_;
  int side_by_side_;
  mutable std::atomic<int> largest_ = 0;
  mutable std::atomic<std::int64_t> passed_ = 0;
};

TEST(BatchChoice, RunsThatCostTheSameWhateverTheirSizeGetTheLargest) {
  const TimedSession session([](int) { return milliseconds(4); }, 2);
  const BatchChoice choice = choose_batch(session, 2, 8, session.watch());
  EXPECT_EQ(choice.size, 8);
  EXPECT_EQ(session.largest(), 8);
  EXPECT_THAT(choice.why, HasSubstr("items/s by 4"));
}

TEST(BatchChoice, LargerRunsThatAreSlowerAnItemAreNotMade) {
  const TimedSession session([](int count) { return milliseconds(count == 1 ? 4 : 6 * count); }, 2);
  EXPECT_EQ(choose_batch(session, 2, 8, session.watch()).size, 1);
  EXPECT_EQ(session.largest(), 2) << "what is not chosen is not tried further";
}

TEST(BatchChoice, EndsWhereTheGainEnds) {
  const TimedSession session([](int count) { return milliseconds(count <= 2 ? 6 : 6 * count); });
  EXPECT_EQ(choose_batch(session, 1, 8, session.watch()).size, 2);
  EXPECT_EQ(session.largest(), 4);
}

TEST(BatchChoice, NothingIsMeasuredWhereThereIsNoChoice) {
  const TimedSession session([](int) { return milliseconds(4); });
  EXPECT_EQ(choose_batch(session, 2, 1, session.watch()).size, 1);
  EXPECT_EQ(session.largest(), 0);
}

TEST(RunRate, CountsItemsOfAllWorkers) {
  const TimedSession alone([](int) { return milliseconds(10); });
  const TimedSession three([](int) { return milliseconds(10); }, 3);
  EXPECT_DOUBLE_EQ(items_per_second({{&alone, 1, 1}}, alone.watch()).at(0), 100);
  // Three workers' runs of two items; a nanosecond is lost to each third of ten milliseconds.
  EXPECT_NEAR(items_per_second({{&three, 3, 2}}, three.watch()).at(0), 600, 1e-3);
}

TEST(RunRate, AFailedRunIsThrown) {
  const TimedSession session([](int) -> milliseconds { throw std::runtime_error("no"); });
  EXPECT_THROW(items_per_second({{&session, 2, 1}}), std::runtime_error);
}

}  // namespace
}  // namespace sightline
