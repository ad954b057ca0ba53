// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Requests whose items are written on a device, with a session that stands in for one: what writers
// are asked for, when items are let go of, and which batches are made.

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <limits>
#include <mutex>

#include <climits>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/batcher.h"
#include "engine/device_reader.h"
#include "engine/device_writer.h"
#include "networks.h"

namespace sightline {
namespace {

using namespace std::chrono_literals;
using test::complaint;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr auto kPatience = 60s;

// "Device" memory is the host's here.
class FloatItem final : public DeviceItem {
 public:
  FloatItem(float item, std::vector<std::string>* log) : value(item), log_(log) {}
  ~FloatItem() override { note("gone"); }
  void finished() override { note("finished"); }

  const float value;

 private:
  void note(const char* what) {
    if (log_ != nullptr) log_->push_back(what);
  }
  std::vector<std::string>* log_;
};

class FloatWriter final : public DeviceWriter {
 public:
  explicit FloatWriter(float factor) : factor_(factor) {}

  void write(std::span<DeviceItem* const> items, cuda::Address output, std::size_t bytes,
             const cuda::Stream&) override {
    EXPECT_EQ(bytes, items.size() * sizeof(float));
    auto* to = reinterpret_cast<float*>(output);
    for (const DeviceItem* item : items) {
      const float value = static_cast<const FloatItem*>(item)->value;
      if (value < 0) throw std::runtime_error("no negative numbers");
      *to++ = value * factor_;
    }
    sizes.push_back(items.size());
  }

  std::vector<std::size_t> sizes;  // of what was written at a time

 private:
  const float factor_;
};

// Adds a number to what the network gives.
class AddingReader final : public DeviceReader {
 public:
  explicit AddingReader(float number) : number_(number) {}

  const std::vector<TensorInfo>& results() const override { return results_; }
  void read(std::span<const Tensor> outputs, int count, std::span<const cuda::Address> results,
            cuda::Address, const cuda::Stream&) override {
    const auto* from = reinterpret_cast<const float*>(outputs[0].data);
    auto* to = reinterpret_cast<float*>(results[0]);
    for (int i = 0; i < count; ++i) to[i] = from[i] + number_;
    sizes.push_back(count);
  }
  bool is_complete(std::span<const Tensor> found) const override {
    return found[0].floats()[0] < too_much;
  }

  float too_much = std::numeric_limits<float>::infinity();

  std::vector<int> sizes;  // of what was read at a time

 private:
  const float number_;
  const std::vector<TensorInfo> results_{{"found", ElementType::kFloat32, {1}}};
};

// Gives what it is given. Runs wait while the gate is closed.
class GpuSession final : public Session {
 public:
  const TensorInfo& input() const override { return info_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  int max_batch() const override { return INT_MAX; }
  // Not null, and nobody looks at it.
  cuda::DevicePtr gpu() const override {
    return {std::shared_ptr<void>(), reinterpret_cast<const cuda::Device*>(this)};
  }
  int preferred_count(int waiting) const override { return std::min(waiting, largest); }

  bool reads_on_device() const override { return true; }

  std::vector<Tensor> run(const std::byte* items, int count,
                          std::span<const std::span<std::byte>> memory) const override {
    BatchWork work;
    work.items = items;
    work.count = count;
    work.memory = memory;
    return run_batch(work).outputs;
  }

  BatchResults run_batch(const BatchWork& work) const override {
    std::unique_lock lock(mutex_);
    counts_.push_back(work.count);
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    const auto values = std::make_shared<std::vector<float>>(work.count);
    std::size_t at = 0;
    for (const DevicePart& part : work.written) {
      part.writer->write(part.items, reinterpret_cast<cuda::Address>(&values->at(at)),
                         part.items.size() * sizeof(float), stream());
      at += part.items.size();
    }
    if (at < values->size())
      std::memcpy(&values->at(at), work.items, (values->size() - at) * sizeof(float));
    BatchResults results;
    for (const DeviceRead& part : work.read) results.read.push_back({read(part, *values)});
    outputs_wanted_ = work.outputs_wanted;
    if (work.outputs_wanted) results.outputs.push_back(tensor("y", values));
    return results;
  }

  bool outputs_wanted() const {
    const std::lock_guard lock(mutex_);
    return outputs_wanted_;
  }
  void close_gate() { set_gate(false); }
  void open_gate() { set_gate(true); }
  bool wait_for_runs(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return counts_.size() >= count; });
  }
  std::vector<int> counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }

  int largest = INT_MAX;

 private:
  const cuda::Stream& stream() const { return reinterpret_cast<const cuda::Stream&>(*this); }

  static Tensor tensor(const char* name, const std::shared_ptr<std::vector<float>>& values) {
    Tensor result{name, ElementType::kFloat32, {static_cast<std::int64_t>(values->size()), 1}};
    result.data = reinterpret_cast<const std::byte*>(values->data());
    result.owner = values;
    return result;
  }

  Tensor read(const DeviceRead& part, const std::vector<float>& values) const {
    Tensor outputs{"y", ElementType::kFloat32, {part.count, 1}, MemoryKind::kCuda};
    outputs.data = reinterpret_cast<const std::byte*>(&values.at(part.first));
    const auto found = std::make_shared<std::vector<float>>(part.count);
    const auto to = reinterpret_cast<cuda::Address>(found->data());
    part.reader->read({&outputs, 1}, part.count, {&to, 1}, 0, stream());
    return tensor(part.reader->results().at(0).name.c_str(), found);
  }

  void set_gate(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }

  TensorInfo info_{"x", ElementType::kFloat32, {1}};
  std::vector<TensorInfo> outputs_{{"y", ElementType::kFloat32, {1}}};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::vector<int> counts_;
  mutable bool outputs_wanted_ = true;
  bool open_ = true;
};

class DeviceItems : public testing::Test {
 protected:
  struct Wanted {
    std::shared_ptr<FloatWriter> writer;  // null: written on the host
    float value;
    std::vector<std::string>* log = nullptr;
    std::shared_ptr<AddingReader> reader{};
    std::chrono::nanoseconds may_wait{0};
  };

  std::vector<std::future<RunResult>> submit(const std::vector<Wanted>& wanted) {
    std::vector<Request> requests;
    std::vector<std::future<RunResult>> results;
    for (const Wanted& one : wanted) {
      const auto promise = std::make_shared<std::promise<RunResult>>();
      results.push_back(promise->get_future());
      Request request;
      request.on_result = [promise, log = one.log](RunResult&& result) {
        if (log != nullptr) log->push_back("answered");
        promise->set_value(std::move(result));
      };
      if (one.writer == nullptr) {
        request.write = test::floats_writer({one.value});
      } else {
        request.writer = one.writer;
        request.item = std::make_shared<FloatItem>(one.value, one.log);
      }
      request.reader = one.reader;
      request.standing.may_wait = one.may_wait;
      requests.push_back(std::move(request));
    }
    batcher->submit(std::move(requests));
    return results;
  }
  std::vector<float> values(std::vector<std::future<RunResult>> results) {
    std::vector<float> found;
    for (auto& result : results) {
      const RunResult run = result.get();
      found.push_back(run.error.empty() ? run.outputs.at(0).floats()[0] : -1);
    }
    return found;
  }
  void start(int workers, int max_batch) {
    batcher = std::make_unique<Batcher>(session, workers, max_batch);
  }

  const std::shared_ptr<GpuSession> session = std::make_shared<GpuSession>();
  const std::shared_ptr<FloatWriter> tenfold = std::make_shared<FloatWriter>(10.f);
  const std::shared_ptr<FloatWriter> hundredfold = std::make_shared<FloatWriter>(100.f);
  std::unique_ptr<Batcher> batcher;
};

TEST_F(DeviceItems, ThoseOfAWriterAreWrittenAtOnceAndEachRequestGetsItsOwn) {
  start(1, 16);
  EXPECT_THAT(values(submit({{tenfold, 1},
                             {hundredfold, 2},
                             {nullptr, 3},
                             {tenfold, 4},
                             {nullptr, 5},
                             {hundredfold, 6},
                             {tenfold, 7}})),
              ElementsAre(10, 200, 3, 40, 5, 600, 70));
  EXPECT_THAT(session->counts(), ElementsAre(7));
  EXPECT_THAT(tenfold->sizes, ElementsAre(3));
  EXPECT_THAT(hundredfold->sizes, ElementsAre(2));
}

// Those that a batch leaves behind, too.
TEST_F(DeviceItems, WhoMayWaitHasCompanyInTheNextBatch) {
  start(2, 3);
  session->largest = 2;
  const auto patient = [&](float value) {
    return Wanted{.writer = tenfold, .value = value, .may_wait = std::chrono::hours(1)};
  };
  EXPECT_THAT(values(submit({patient(1)})), ElementsAre(10));
  EXPECT_THAT(values(submit({patient(2), patient(3), {tenfold, 4}})), ElementsAre(20, 30, 40));
  auto waits = submit({patient(5)});
  EXPECT_EQ(waits[0].wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  auto fill = submit({patient(6), patient(7)});
  EXPECT_EQ(waits[0].get().outputs.at(0).floats()[0], 50);
  EXPECT_EQ(fill[0].get().outputs.at(0).floats()[0], 60);
  EXPECT_EQ(fill[1].wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  EXPECT_THAT(values(submit({{tenfold, 8}})), ElementsAre(80));
  EXPECT_EQ(fill[1].get().outputs.at(0).floats()[0], 70);
  EXPECT_THAT(session->counts(), ElementsAre(1, 2, 1, 2, 2));
}

TEST_F(DeviceItems, AnItemIsFinishedThenLetGoOfThenItsRequestIsAnswered) {
  start(1, 4);
  std::vector<std::string> log;
  values(submit({{tenfold, 1, &log}}));
  EXPECT_THAT(log, ElementsAre("finished", "gone", "answered"));
}

TEST_F(DeviceItems, AWriterThatThrowsFailsItsBatchAndItemsAreLetGoOf) {
  start(1, 4);
  std::vector<std::string> log;
  auto results = submit({{tenfold, -1, &log}, {nullptr, 2}});
  for (auto& result : results) EXPECT_THAT(result.get().error, HasSubstr("no negative numbers"));
  EXPECT_THAT(log, ElementsAre("gone", "answered"));
  EXPECT_THAT(values(submit({{tenfold, 3}})), ElementsAre(30));
}

// Frames that wait for a batch that runs make one batch together, however many workers are free.
TEST_F(DeviceItems, WhileABatchRunsOnlyAFullOneBegins) {
  start(2, 4);
  session->close_gate();
  auto first = submit({{tenfold, 1}});
  ASSERT_TRUE(session->wait_for_runs(1));
  auto waiting = submit({{tenfold, 2}, {tenfold, 3}});
  std::this_thread::sleep_for(20ms);
  EXPECT_THAT(session->counts(), ElementsAre(1));
  auto full = submit({{tenfold, 4}, {tenfold, 5}});
  ASSERT_TRUE(session->wait_for_runs(2));
  EXPECT_THAT(session->counts(), ElementsAre(1, 4));
  auto last = submit({{tenfold, 6}});
  session->open_gate();
  EXPECT_THAT(values(std::move(last)), ElementsAre(60));
  EXPECT_THAT(values(std::move(full)), ElementsAre(40, 50));
  EXPECT_THAT(values(std::move(waiting)), ElementsAre(20, 30));
}

TEST_F(DeviceItems, ABatchHasTheSizeThatTheSessionPrefers) {
  start(1, 8);
  session->largest = 3;
  session->close_gate();
  auto first = submit({{tenfold, 1}});
  ASSERT_TRUE(session->wait_for_runs(1));
  auto others = submit({{tenfold, 2}, {tenfold, 3}, {tenfold, 4}, {tenfold, 5}, {tenfold, 6}});
  session->open_gate();
  EXPECT_THAT(values(std::move(others)), ElementsAre(20, 30, 40, 50, 60));
  EXPECT_THAT(session->counts(), ElementsAre(1, 3, 2));
}

TEST_F(DeviceItems, WhatAReaderMakesOfTheOutputsComesBackInTheirPlace) {
  start(1, 16);
  const auto one = std::make_shared<AddingReader>(1.f), two = std::make_shared<AddingReader>(2.f);
  auto results = submit({{tenfold, 1, nullptr, one},
                         {tenfold, 2, nullptr, two},
                         {nullptr, 3},
                         {tenfold, 4, nullptr, one},
                         {hundredfold, 5, nullptr, two},
                         {tenfold, 6}});
  const RunResult first = results.front().get();
  EXPECT_EQ(first.outputs.at(0).name, "found");
  EXPECT_EQ(first.outputs[0].floats()[0], 11);
  results.erase(results.begin());
  EXPECT_THAT(values(std::move(results)), ElementsAre(22, 3, 41, 502, 60));
  EXPECT_THAT(one->sizes, ElementsAre(2));
  EXPECT_TRUE(session->outputs_wanted());
  EXPECT_THAT(values(submit({{tenfold, 1, nullptr, one}, {nullptr, 2, nullptr, one}})),
              ElementsAre(11, 3));
  EXPECT_FALSE(session->outputs_wanted());
}

TEST_F(DeviceItems, WhereAReaderFindsMoreThanItHasRoomForTheOutputsComeBack) {
  start(1, 16);
  const auto reader = std::make_shared<AddingReader>(1.f);
  reader->too_much = 30;
  auto results = submit({{tenfold, 1, nullptr, reader},
                         {tenfold, 3, nullptr, reader},
                         {nullptr, 7},
                         {tenfold, 2, nullptr, reader}});
  std::vector<float> found;
  std::vector<bool> are_read;
  for (auto& result : results) {
    const RunResult run = result.get();
    ASSERT_EQ(run.error, "");
    found.push_back(run.outputs.at(0).floats()[0]);
    are_read.push_back(run.is_read);
  }
  EXPECT_THAT(found, ElementsAre(11, 30, 7, 21));
  EXPECT_THAT(are_read, ElementsAre(true, false, false, true));
  EXPECT_THAT(session->counts(), ElementsAre(4, 4));
}

TEST_F(DeviceItems, NeedASessionOnADeviceAndOneWayOfWriting) {
  start(1, 4);
  Request both;
  both.on_result = [](RunResult&&) {};
  both.write = test::floats_writer({1});
  both.writer = tenfold;
  both.item = std::make_shared<FloatItem>(1.f, nullptr);
  EXPECT_THAT(complaint([&] { batcher->submit({both}); }, ErrorCode::kInput),
              HasSubstr("how its item is written"));
  Request no_item;
  no_item.on_result = [](RunResult&&) {};
  no_item.writer = tenfold;
  for (const bool with_function : {false, true}) {
    if (with_function) no_item.write = test::floats_writer({1});
    EXPECT_THAT(complaint([&] { batcher->submit({no_item}); }, ErrorCode::kInput),
                HasSubstr("a writer, and no item"))
        << with_function;
  }
  Request no_writer;
  no_writer.on_result = [](RunResult&&) {};
  no_writer.write = test::floats_writer({1});
  no_writer.item = std::make_shared<FloatItem>(1.f, nullptr);
  EXPECT_THAT(complaint([&] { batcher->submit({no_writer}); }, ErrorCode::kInput),
              HasSubstr("no writer that writes it"));
  Request neither;
  neither.on_result = [](RunResult&&) {};
  EXPECT_THAT(complaint([&] { batcher->submit({neither}); }, ErrorCode::kInput),
              HasSubstr("how its item is written"));
}

}  // namespace
}  // namespace sightline
