// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who shares an engine with whom. Runs with the stand-in for the runtime as well.

#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "networks.h"

namespace sightline {
namespace {

class SharingTest : public testing::Test {
 protected:
  EngineOptions options(const std::string& file = "a.onnx") const {
    EngineOptions wanted;
    wanted.model = folder.write(file, test::ReshapeMatMul().file(1));
    wanted.device = "cpu";
    wanted.workers = 1;
    wanted.threads = 1;
    return wanted;
  }

  const test::TemporaryFolder folder;
};

TEST_F(SharingTest, EqualModelsAreOneEngineWhateverTheirFilesAreCalled) {
  EngineOptions a = options("a.onnx"), b = options("b.onnx");
  const auto one = Engine::open(a);
  b.input_shape = {2, 3, 3};  // what the model says
  b.output_names = {"y"};     // all there are
  EXPECT_EQ(one, Engine::open(b));
  EXPECT_EQ(one->model_sha256().size(), 64u);
}

TEST_F(SharingTest, OtherThreadsAreAnotherEngine) {
  EngineOptions a = options(), b = options();
  b.workers = 2;
  EXPECT_NE(Engine::open(a), Engine::open(b));
  EXPECT_EQ(Engine::open(b)->concurrency(), 2);
}

TEST_F(SharingTest, TheLargestBatchWins) {
  EngineOptions small = options(), large = options();
  small.batch_size = 2;
  large.batch_size = 32;
  const auto engine = Engine::open(small);
  EXPECT_EQ(engine->max_batch(), 2);
  EXPECT_EQ(Engine::open(large), engine);
  EXPECT_EQ(engine->max_batch(), 32);
  EXPECT_EQ(Engine::open(small)->max_batch(), 32);
}

TEST_F(SharingTest, AnEngineThatNobodyHasIsLoadedAgain) {
  const std::weak_ptr<Engine> gone = Engine::open(options());
  EXPECT_TRUE(gone.expired());
  EXPECT_EQ(test::run(*Engine::open(options()), {std::vector<float>(18)}).at(0).error, "");
}

TEST_F(SharingTest, ManyThreadsOpenUseAndLetGo) {
  const EngineOptions wanted = options();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        const auto engine = Engine::open(wanted);
        for (const RunResult& result : test::run(*engine, {2, std::vector<float>(18)}))
          EXPECT_EQ(result.outputs.at(0).floats()[0], 0);
      }
    });
}

}  // namespace
}  // namespace sightline
