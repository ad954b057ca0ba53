// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bare_network.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include <onnxruntime_cxx_api.h>

namespace sightline::bench {

namespace {

using Clock = std::chrono::steady_clock;

const Ort::Env& environment() {
  static const Ort::Env kEnvironment(ORT_LOGGING_LEVEL_WARNING, "bench");
  return kEnvironment;
}

Ort::SessionOptions options(int threads) {
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(threads);
  return options;
}

}  // namespace

struct BareNetwork::State {
  State(const std::string& model, int threads, int batch)
      : session(environment(), model.c_str(), options(threads)),
        input_name(session.GetInputNameAllocated(0, allocator).get()) {
    for (std::size_t i = 0; i < session.GetOutputCount(); ++i)
      output_names.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
    for (const std::string& name : output_names) outputs.push_back(name.c_str());
    const Ort::TypeInfo type = session.GetInputTypeInfo(0);
    std::vector<std::int64_t> shape = type.GetTensorTypeAndShapeInfo().GetShape();
    if (!shape.empty() && shape.front() < 1) shape.front() = batch;
    std::size_t count = 1;
    for (std::int64_t& dimension : shape)
      count *= static_cast<std::size_t>(dimension = std::max<std::int64_t>(dimension, 1));
    values.assign(count, 0.25f);
    tensor = Ort::Value::CreateTensor<float>(
        Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault), values.data(),
        values.size(), shape.data(), shape.size());
  }

  Ort::AllocatorWithDefaultOptions allocator;
  Ort::Session session;
  std::string input_name;
  std::vector<std::string> output_names;
  std::vector<const char*> outputs;
  std::vector<float> values;
  Ort::Value tensor{nullptr};
};

BareNetwork::BareNetwork(const std::string& model, int threads, int batch)
    : state_(std::make_unique<State>(model, threads, batch)) {}
BareNetwork::~BareNetwork() = default;
BareNetwork::BareNetwork(BareNetwork&&) noexcept = default;
BareNetwork& BareNetwork::operator=(BareNetwork&&) noexcept = default;

std::span<std::byte> BareNetwork::input() {
  return std::as_writable_bytes(std::span(state_->values));
}

void BareNetwork::run() {
  const char* input = state_->input_name.c_str();
  state_->session.Run(Ort::RunOptions{nullptr}, &input, &state_->tensor, 1, state_->outputs.data(),
                      state_->outputs.size());
}

namespace {

struct Count {
  std::atomic<std::uint64_t> runs = 0;
  std::atomic<std::int64_t> writing_nanoseconds = 0;
};

void loop(BareNetwork& network, Clock::time_point end, const InputWriter& write, Count& count) {
  Clock::duration writing{};
  std::uint64_t runs = 0;
  for (auto now = Clock::now(); now < end; now = Clock::now(), ++runs) {
    if (write) {
      write(static_cast<std::size_t>(runs), network.input());
      writing += Clock::now() - now;
    }
    network.run();
  }
  count.runs += runs;
  count.writing_nanoseconds += std::chrono::nanoseconds(writing).count();
}

}  // namespace

BareRate run_bare(const std::string& model, int loops, int threads, double seconds,
                  const InputWriter& write) {
  constexpr int kWarmUp = 5;
  std::vector<BareNetwork> networks;
  for (int i = 0; i < loops; ++i) {
    networks.emplace_back(model, threads);
    for (int run = 0; run < kWarmUp; ++run) networks.back().run();
  }
  Count count;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(seconds));
  {
    std::vector<std::jthread> workers;
    for (BareNetwork& network : networks)
      workers.emplace_back([&] { loop(network, end, write, count); });
  }
  const auto runs = static_cast<double>(count.runs);
  return {runs / seconds,
          1e-9 * static_cast<double>(count.writing_nanoseconds) / std::max(runs, 1.0)};
}

}  // namespace sightline::bench
