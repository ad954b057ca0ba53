// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sessions of ONNX Runtime on the CPU, and which device a model is loaded for.

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "engine/ort_model.h"
#include "engine/session.h"

namespace sightline {

namespace {

constexpr const char* kShrinkArena = "memory.enable_memory_arena_shrinkage";

class OrtSession final : public Session {
 public:
  OrtSession(std::string_view model, const SessionOptions& options)
      : model_(model, options.outputs, ort_options(options)),
        memory_info_(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault)) {}

  const TensorInfo& input() const override { return model_.input(); }
  const std::vector<TensorInfo>& outputs() const override { return model_.outputs(); }
  int max_batch() const override { return model_.max_batch(); }

  std::vector<Tensor> run(const std::byte* items, int count,
                          std::span<const std::span<std::byte>> memory) const override {
    const int rows = model_.rows(count);
    std::vector<std::byte> padded;
    if (count < rows) {  // the file's batch is fixed and larger: the rest is zeros
      padded.resize(model_.input_bytes() * static_cast<std::size_t>(rows));
      std::memcpy(padded.data(), items, model_.input_bytes() * static_cast<std::size_t>(count));
      items = padded.data();
    }
    try {
      std::vector<Ort::Value> values =
          run_rows(items, rows, count == rows ? memory : kNoMemory, Ort::RunOptions{nullptr});
      std::vector<Tensor> results;
      for (std::size_t i = 0; i < values.size(); ++i)
        results.push_back(result(i, std::move(values[i]), rows, count, memory));
      return results;
    } catch (const Ort::Exception& error) {
      throw Error(ErrorCode::kFailed, std::string("ONNX Runtime: ") + error.what());
    }
  }

  void release_memory() const override {
    const int rows = model_.rows(1);
    const std::vector<std::byte> items(model_.input_bytes() * static_cast<std::size_t>(rows));
    Ort::RunOptions options;
    options.AddConfigEntry(kShrinkArena, "cpu:0");
    run_rows(items.data(), rows, kNoMemory, options);
  }

 private:
  static constexpr std::span<const std::span<std::byte>> kNoMemory = {};

  std::vector<Ort::Value> run_rows(const std::byte* items, int rows,
                                   std::span<const std::span<std::byte>> memory,
                                   const Ort::RunOptions& options) const {
    // ONNX Runtime takes inputs as mutable memory; it does not write to them.
    const Ort::Value input = ort_value(memory_info_, const_cast<std::byte*>(items),
                                       model_.input_bytes() * static_cast<std::size_t>(rows),
                                       model_.input_shape(rows), model_.input());
    std::vector<Ort::Value> values;
    for (std::size_t i = 0; i < outputs().size(); ++i)
      if (i < memory.size() && !memory[i].empty())
        values.push_back(ort_value(memory_info_, memory[i].data(), memory[i].size(),
                                   model_.output_shape(i, rows), outputs()[i]));
      else
        values.emplace_back(nullptr);
    const char* const input_name = model_.input().name.c_str();
    model_.session().Run(options, &input_name, &input, 1, model_.output_names().data(),
                         values.data(), values.size());
    return values;
  }

  Tensor result(std::size_t i, Ort::Value value, int rows, int count,
                std::span<const std::span<std::byte>> memory) const {
    Tensor tensor = model_.result(i, value.GetTensorTypeAndShapeInfo().GetShape(), rows, count);
    tensor.data = static_cast<const std::byte*>(value.GetTensorRawData());
    const bool has_memory = i < memory.size() && !memory[i].empty();
    if (has_memory && tensor.data != memory[i].data()) {  // it ran with more rows than were given
      std::memcpy(memory[i].data(), tensor.data, std::min(tensor.bytes(), memory[i].size()));
      tensor.data = memory[i].data();
    }
    if (!has_memory) tensor.owner = std::make_shared<Ort::Value>(std::move(value));
    return tensor;
  }

  const OrtModel model_;
  const Ort::MemoryInfo memory_info_;
};

}  // namespace

std::unique_ptr<const Session> load_session(std::string_view model, const SessionOptions& options) {
  ort_environment();  // before the first call into the API, whose absence is an error of its own
  try {
    if (options.gpu) return load_cuda_session(model, options);
    return std::make_unique<OrtSession>(model, options);
  } catch (const Ort::Exception& error) {
    throw Error(ErrorCode::kModel,
                std::string("is not a model that ONNX Runtime can run: ") + error.what());
  }
}

std::string runtime_name() {
  return std::string("ONNX Runtime ") + OrtGetApiBase()->GetVersionString();
}

std::vector<std::string> runtime_providers() {
  try {
    ort_environment();  // as above
    return Ort::GetAvailableProviders();
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace sightline
