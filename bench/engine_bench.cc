// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the engine costs: items a second through claim and submit, against bare loops over the same
// runtime and the same model file: one session with all cores as the runtime sets itself up, and a
// single-threaded loop for each core. The three take turns, so that a busy machine disturbs all
// alike.
//
//     engine_bench MODEL.onnx [--rounds N]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <onnxruntime_cxx_api.h>

#include "command_line.h"
#include "engine/engine.h"

namespace {

using sightline::Clock;
using sightline::Engine;
using sightline::Request;
using sightline::RunResult;

constexpr auto kTurn = std::chrono::milliseconds(1500);

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class BareLoop {
 public:
  BareLoop(const std::string& model, const Engine& engine, int loops, int threads)
      : environment_(ORT_LOGGING_LEVEL_ERROR, "bench"),
        session_(environment_, model.c_str(), options(threads)),
        input_name_(engine.input().name),
        shape_(engine.input().shape),
        loops_(loops) {
    shape_.insert(shape_.begin(), 1);
    for (const auto& output : engine.outputs()) output_names_.push_back(output.name.c_str());
    input_.resize(sightline::element_count(shape_));
  }

  double items_per_second() {
    std::atomic<int> items = 0;
    const auto start = Clock::now();
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < loops_; ++i)
        threads.emplace_back([&] {
          while (Clock::now() - start < kTurn) {
            run();
            ++items;
          }
        });
    }
    return items / seconds_since(start);
  }

 private:
  static Ort::SessionOptions options(int threads) {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(threads);  // 0: as the runtime sets itself up
    return options;
  }

  void run() {
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const Ort::Value input = Ort::Value::CreateTensor<float>(memory, input_.data(), input_.size(),
                                                             shape_.data(), shape_.size());
    const char* const name = input_name_.c_str();
    session_.Run(Ort::RunOptions{nullptr}, &name, &input, 1, output_names_.data(),
                 output_names_.size());
  }

  Ort::Env environment_;
  Ort::Session session_;
  std::string input_name_;
  std::vector<const char*> output_names_;
  std::vector<std::int64_t> shape_;
  std::vector<float> input_;
  int loops_;
};

// One stream with a window of frames in flight, in order, as a stage has it. Inputs are not
// written: pre-processing is measured elsewhere.
double engine_items_per_second(Engine& engine) {
  const int window = engine.concurrency() + 2;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<bool> in_flight;  // in order; true: done
  int submitted = 0, popped = 0;
  const auto start = Clock::now();
  while (Clock::now() - start < kTurn) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return static_cast<int>(in_flight.size()) < window; });
    in_flight.push_back(false);
    const int number = submitted++;
    lock.unlock();
    std::vector<Request> requests;
    requests.push_back({[](std::span<std::byte>) {},
                        [&, number](RunResult&& result) {
                          if (!result.error.empty())
                            std::fprintf(stderr, "%s\n", result.error.c_str());
                          const std::lock_guard guard(mutex);
                          in_flight[static_cast<std::size_t>(number - popped)] = true;
                          for (; !in_flight.empty() && in_flight.front(); ++popped)
                            in_flight.pop_front();
                          changed.notify_all();
                        }});
    engine.submit(std::move(requests));
  }
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return in_flight.empty(); });
  return submitted / seconds_since(start);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void measure(const std::string& model, int rounds) {
  sightline::EngineOptions options;
  options.model = model;
  const auto engine = Engine::open(options);
  std::printf("%s\n", engine->describe().c_str());
  const int cores = static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
  BareLoop wide(model, *engine, 1, 0), narrow(model, *engine, cores, 1);

  std::printf(
      "items/s    bare, 1 loop × all cores    bare, %d loops × 1    engine    ratio to the "
      "better\n",
      cores);
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const double one = wide.items_per_second(), several = narrow.items_per_second();
    const double ours = engine_items_per_second(*engine);
    ratios.push_back(ours / std::max(one, several));
    std::printf("           %24.1f    %18.1f    %6.1f    %.3f\n", one, several, ours,
                ratios.back());
  }
  std::printf("median ratio %.3f\n", median(ratios));
}

}  // namespace

int main(int argc, char** argv) {
  std::string model;
  int rounds = 5;
  return sightline::bench::CommandLine("engine_bench", "MODEL.onnx [--rounds N]")
      .word(model)
      .option("--rounds", rounds)
      .run(argc, argv, [&] { measure(model, rounds); });
}
