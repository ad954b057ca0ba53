// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Engines on a GPU, beside the same engines on the CPU. Without a GPU, its driver or the runtime's
// provider these tests are skipped, and say what is missing.

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <future>
#include <iostream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "engine/device_reader.h"
#include "engine/device_writer.h"
#include "engine/session.h"
#include "networks.h"

namespace sightline {
namespace {

using testing::HasSubstr;

class CudaEngine : public testing::Test {
 protected:
  void SetUp() override {
    static const std::string missing = gpu_complaint(0);
    if (!missing.empty()) GTEST_SKIP() << "no GPU to test on: " << missing;
  }

  EngineOptions options(const std::string& file) {
    EngineOptions wanted;
    wanted.model = folder_.write("model.onnx", file);
    wanted.device = "cuda:0";
    return wanted;
  }

  static std::vector<std::vector<float>> random_items(std::size_t count, std::size_t floats) {
    std::vector<std::vector<float>> items;
    for (std::size_t i = 0; i < count; ++i)
      items.push_back(test::random_floats(floats, static_cast<unsigned>(i) + 1));
    return items;
  }

  const test::TemporaryFolder folder_;
};

// Products are made in TF32, whose numbers have 10 bits behind the point.
void expect_equal(const RunResult& result, const std::vector<float>& expected) {
  ASSERT_EQ(result.error, "");
  ASSERT_EQ(result.outputs.at(0).count(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(result.outputs[0].floats()[i], expected[i], 18.0 / 1024);
}

TEST_F(CudaEngine, BatchesOfEverySizeGiveEachRequestItsOwn) {
  const test::ReshapeMatMul network;
  EngineOptions wanted = options(network.file(1));
  wanted.batch_size = 16;
  const auto engine = Engine::open(wanted);
  EXPECT_EQ(engine->device(), "cuda:0");
  EXPECT_EQ(engine->max_batch(), 16);
  EXPECT_THAT(engine->describe(), HasSubstr(gpu_name(0)));
  for (const std::size_t count : {1, 2, 7, 16, 40, 1}) {
    const auto items = random_items(count, network.kIn);
    const auto results = test::run(*engine, items);
    for (std::size_t i = 0; i < count; ++i) expect_equal(results[i], network(items[i]));
  }
}

TEST_F(CudaEngine, AFixedBatchIsFilledUpAndOnlyWhatWasAskedForComesBack) {
  const test::ReshapeMatMul network;
  const auto session = [&] {
    SessionOptions wanted;
    wanted.outputs = {"y"};
    wanted.gpu = 0;
    return load_session(network.file(4), wanted);
  }();
  EXPECT_EQ(session->max_batch(), 4);
  for (const int count : {4, 1, 3}) {
    std::vector<float> x = test::random_floats(network.kIn * static_cast<std::size_t>(count), 5);
    std::vector<float> y(network.kOut * static_cast<std::size_t>(count) + 1, 77);
    const std::span<std::byte> memory = std::as_writable_bytes(std::span(y).first(y.size() - 1));
    const auto outputs =
        session->run(std::as_bytes(std::span(x)).data(), count, std::span(&memory, 1));
    EXPECT_EQ(outputs.at(0).data, memory.data());
    EXPECT_EQ(outputs[0].shape, (Shape{count, 5}));
    EXPECT_EQ(y.back(), 77);
    for (int i = 0; i < count; ++i) {
      const auto first = x.begin() + i * static_cast<std::ptrdiff_t>(network.kIn);
      const auto expected = network({first, first + static_cast<std::ptrdiff_t>(network.kIn)});
      for (std::size_t k = 0; k < expected.size(); ++k)
        EXPECT_NEAR(y[static_cast<std::size_t>(i) * network.kOut + k], expected[k], 18.0 / 1024);
    }
  }
}

TEST_F(CudaEngine, OutputsOfUnknownSizeComeBackToo) {
  const auto engine =
      Engine::open(options(test::one_node_file("Relu", {-1, 3, 4, 4}, {-1, -1, -1, -1})));
  const auto items = random_items(5, 48);
  const auto results = test::run(*engine, items);
  for (std::size_t i = 0; i < items.size(); ++i) {
    ASSERT_EQ(results[i].error, "");
    ASSERT_EQ(results[i].outputs.at(0).count(), 48u);
    for (std::size_t k = 0; k < 48; ++k)
      EXPECT_EQ(results[i].outputs[0].floats()[k], std::max(items[i][k], 0.0f));
  }
}

TEST_F(CudaEngine, SeveralWorkersAndThreadsDoNotMixUpTheirItems) {
  const test::ReshapeMatMul network;
  EngineOptions wanted = options(network.file(1));
  wanted.batch_size = 8;
  wanted.workers = 3;
  const auto engine = Engine::open(wanted);
  EXPECT_EQ(engine->concurrency(), 3);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 50; ++round) {
        std::vector<std::vector<float>> items;
        for (unsigned i = 0; i < 6; ++i)
          items.push_back(test::random_floats(network.kIn, 1000 * t + i));
        const auto results = test::run(*engine, items);
        for (std::size_t i = 0; i < items.size(); ++i) expect_equal(results[i], network(items[i]));
      }
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_F(CudaEngine, TensorRtThatIsNotThereIsAnErrorThatSaysWhatIsMissing) {
  const test::ReshapeMatMul network;
  EngineOptions wanted = options(network.file(1));
  wanted.tensorrt = true;
  try {
    const auto engine = Engine::open(wanted);  // where it is there it has to work
    const auto items = random_items(3, network.kIn);
    const auto results = test::run(*engine, items);
    for (std::size_t i = 0; i < items.size(); ++i) expect_equal(results[i], network(items[i]));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kDevice);
    EXPECT_THAT(error.what(), HasSubstr("TensorRT"));
  }
}

// An item's floats in device memory.
class DeviceFloats final : public DeviceItem {
 public:
  DeviceFloats(const cuda::Stream& stream, const std::vector<float>& values)
      : memory(stream.device(), values.size() * sizeof(float)) {
    stream.upload(memory.address(), values.data(), memory.bytes());
    stream.wait_on_host();
  }
  const cuda::DeviceMemory memory;
};

class CopyingWriter final : public DeviceWriter {
 public:
  void write(std::span<DeviceItem* const> items, cuda::Address output, std::size_t bytes,
             const cuda::Stream& stream) override {
    const std::size_t each = bytes / items.size();
    for (std::size_t i = 0; i < items.size(); ++i)
      stream.copy(output + i * each, static_cast<DeviceFloats*>(items[i])->memory.address(), each);
    ++calls;
  }
  std::atomic<int> calls = 0;
};

TEST_F(CudaEngine, ItemsWrittenOnTheDeviceAndOnTheHostShareBatches) {
  const test::ReshapeMatMul network;
  EngineOptions wanted = options(network.file(1));
  wanted.batch_size = 32;
  const auto engine = Engine::open(wanted);
  std::cout << engine->describe() << "\n";
  ASSERT_NE(engine->gpu(), nullptr);
  const cuda::Stream stream(engine->gpu());
  const auto writer = std::make_shared<CopyingWriter>();
  for (const std::size_t count : {1, 3, 8, 32, 100, 5}) {
    const auto items = random_items(count, network.kIn);
    std::vector<Request> requests;
    std::vector<std::future<RunResult>> results;
    for (std::size_t i = 0; i < count; ++i) {
      const auto promise = std::make_shared<std::promise<RunResult>>();
      results.push_back(promise->get_future());
      Request request;
      request.on_result = [promise](RunResult&& result) { promise->set_value(std::move(result)); };
      if (i % 3 == 1) {
        request.write = test::floats_writer(items[i]);
      } else {
        request.writer = writer;
        request.item = std::make_shared<DeviceFloats>(stream, items[i]);
      }
      requests.push_back(std::move(request));
    }
    engine->submit(std::move(requests));
    for (std::size_t i = 0; i < count; ++i) expect_equal(results[i].get(), network(items[i]));
  }
  EXPECT_GT(writer->calls, 0);
}

std::vector<RunResult> run_and_keep(Engine& engine, const std::vector<std::vector<float>>& items) {
  std::vector<Request> requests;
  std::vector<std::future<RunResult>> futures;
  for (const std::vector<float>& item : items) {
    const auto promise = std::make_shared<std::promise<RunResult>>();
    futures.push_back(promise->get_future());
    Request request;
    request.write = test::floats_writer(item);
    request.on_result = [promise](RunResult&& result) { promise->set_value(std::move(result)); };
    request.keep_large_outputs = true;
    requests.push_back(std::move(request));
  }
  engine.submit(std::move(requests));
  std::vector<RunResult> results;
  for (auto& future : futures) results.push_back(future.get());
  return results;
}

// 32 KiB an item: they come to the host when they are read.
TEST_F(CudaEngine, LargeOutputsStayOnTheDeviceIfWantedUntilTheyAreRead) {
  EngineOptions wanted = options(test::one_node_file("Relu", {-1, 2, 64, 64}, {-1, 2, 64, 64}));
  wanted.batch_size = 8;
  auto engine = Engine::open(wanted);
  std::vector<std::vector<Tensor>> kept;
  std::vector<std::vector<float>> items;
  for (unsigned round = 0; round < 10; ++round) {  // more than there are blocks
    for (unsigned i = 0; i < 5; ++i) items.push_back(test::random_floats(8192, round * 10 + i));
    for (RunResult& result : run_and_keep(*engine, {items.end() - 5, items.end()})) {
      ASSERT_EQ(result.error, "");
      EXPECT_EQ(result.outputs.at(0).memory, MemoryKind::kCuda);
      EXPECT_EQ(result.outputs[0].on_device->gpu(), 0);
      kept.push_back(std::move(result.outputs));
    }
  }
  for (RunResult& result : test::run(*engine, {items.end() - 5, items.end()}))
    EXPECT_EQ(result.outputs.at(0).memory, MemoryKind::kHost);
  engine.reset();  // tensors outlive it
  for (std::size_t i = 0; i < kept.size(); ++i) {
    std::vector<float> expected;
    for (const float value : items[i]) expected.push_back(std::max(value, 0.f));
    EXPECT_THAT(kept[i][0].floats(), testing::ElementsAreArray(expected)) << i;
  }
}

// The first numbers of an output, twice over: as a list and its reverse in scratch memory.
class FirstNumbers final : public DeviceReader {
 public:
  explicit FirstNumbers(std::int64_t count)
      : results_{{"first", ElementType::kFloat32, {count}},
                 {"again", ElementType::kFloat32, {count}}} {}

  const std::vector<TensorInfo>& results() const override { return results_; }
  std::size_t scratch_bytes(int count) const override {
    return static_cast<std::size_t>(count) * bytes();
  }
  void read(std::span<const Tensor> outputs, int count, std::span<const cuda::Address> results,
            cuda::Address scratch, const cuda::Stream& stream) override {
    const std::size_t item = outputs[0].bytes() / static_cast<std::size_t>(count);
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      const auto from = reinterpret_cast<cuda::Address>(outputs[0].data) + i * item;
      stream.copy(results[0] + i * bytes(), from, bytes());
      stream.copy(scratch + i * bytes(), from, bytes());
    }
    stream.copy(results[1], scratch, static_cast<std::size_t>(count) * bytes());
    calls += 1;
  }
  std::atomic<int> calls = 0;

 private:
  std::size_t bytes() const { return item_bytes(results_[0]).value(); }
  const std::vector<TensorInfo> results_;
};

TEST_F(CudaEngine, ReadersTakeWhatTheyWantOnTheDevice) {
  EngineOptions wanted = options(test::one_node_file("Relu", {-1, 2, 64, 64}, {-1, 2, 64, 64}));
  wanted.batch_size = 16;
  const auto engine = Engine::open(wanted);
  ASSERT_TRUE(engine->reads_on_device());
  const auto few = std::make_shared<FirstNumbers>(7), many = std::make_shared<FirstNumbers>(3000);
  for (const std::size_t count : {1, 5, 16, 40}) {
    const auto items = random_items(count, 8192);
    std::vector<Request> requests(count);
    std::vector<std::future<RunResult>> futures;
    for (std::size_t i = 0; i < count; ++i) {
      const auto promise = std::make_shared<std::promise<RunResult>>();
      futures.push_back(promise->get_future());
      requests[i].write = test::floats_writer(items[i]);
      requests[i].on_result = [promise](RunResult&& result) {
        promise->set_value(std::move(result));
      };
      if (i % 4 != 3) requests[i].reader = i % 2 == 0 ? few : many;
    }
    engine->submit(std::move(requests));
    for (std::size_t i = 0; i < count; ++i) {
      const RunResult result = futures[i].get();
      ASSERT_EQ(result.error, "");
      std::vector<float> expected;
      for (const float value : items[i]) expected.push_back(std::max(value, 0.f));
      expected.resize(i % 4 == 3 ? 8192 : i % 2 == 0 ? 7 : 3000);
      for (const Tensor& output : result.outputs)
        EXPECT_THAT(output.floats(), testing::ElementsAreArray(expected)) << i << " of " << count;
    }
  }
  EXPECT_GT(few->calls, 0);
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

void expect_alike(const std::vector<RunResult>& found, const std::vector<RunResult>& expected,
                  double least, const std::string& name) {
  double worst = 1;
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].error, "");
    ASSERT_EQ(found[i].outputs.size(), expected[i].outputs.size());
    for (std::size_t o = 0; o < found[i].outputs.size(); ++o)
      worst =
          std::min(worst, cosine(found[i].outputs[o].floats(), expected[i].outputs[o].floats()));
  }
  EXPECT_GT(worst, least) << name;
  std::cout << name << ": 1 - the smallest cosine to the CPU's outputs is " << 1 - worst << "\n";
}

// As the floats that floats_writer() takes: pairs of halves.
std::vector<std::vector<float>> as_halves(const std::vector<std::vector<float>>& items) {
  std::vector<std::vector<float>> all;
  for (const std::vector<float>& item : items) {
    std::vector<std::uint16_t> halves((item.size() + 1) / 2 * 2);
    for (std::size_t i = 0; i < item.size(); ++i) halves[i] = float_to_half(item[i]);
    all.emplace_back(halves.size() / 2);
    std::memcpy(all.back().data(), halves.data(), halves.size() * sizeof(std::uint16_t));
  }
  return all;
}

// The default models, from the folder that SIGHTLINE_MODELS names.
TEST_F(CudaEngine, ModelsGiveWhatTheyGiveOnTheCpu) {
  const char* const models = std::getenv("SIGHTLINE_MODELS");
  if (models == nullptr) GTEST_SKIP() << "SIGHTLINE_MODELS names no folder";
  for (const std::string name : {"face-detect.onnx", "face-landmarks.onnx", "face-embed.onnx"}) {
    EngineOptions wanted;
    wanted.model = std::filesystem::path(models) / name;
    if (!std::filesystem::exists(wanted.model)) continue;
    wanted.device = "cpu";
    wanted.batch_size = 4;
    wanted.workers = wanted.threads = 1;
    const auto on_cpu = Engine::open(wanted);
    wanted.device = "cuda:0";
    wanted.batch_size = 0;
    const auto on_gpu = Engine::open(wanted);
    std::cout << name << ": " << on_gpu->describe() << "\n";
    wanted.half_precision = true;
    const auto in_half = Engine::open(wanted);
    std::cout << name << ": " << in_half->describe() << "\n";
    const auto items = random_items(6, element_count(on_cpu->input().shape));
    expect_alike(test::run(*in_half, as_halves(items)), test::run(*on_cpu, items), 0.999, name);
    expect_alike(test::run(*on_gpu, items), test::run(*on_cpu, items), 0.9999, name);
    if (name != "face-embed.onnx") continue;  // the one that is shipped so
    wanted.half_precision = false;
    wanted.channels_last = true;
    const auto channels_last = Engine::open(wanted);
    EXPECT_THAT(channels_last->describe(), HasSubstr("channels last"));
    expect_alike(test::run(*channels_last, items), test::run(*on_cpu, items), 0.9999, name);
  }
}

}  // namespace
}  // namespace sightline
