// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sessions of ONNX Runtime. Nothing else in the library includes its headers.

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include <climits>
#include <glib.h>

#include "core/error.h"
#include "engine/large_stack.h"
#include "engine/onnx_element_type.h"
#include "engine/session.h"

// The API is asked for at run time, so that a library that is too old is an error and not a crash.
#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>
#undef ORT_API_MANUAL_INIT

namespace sightline {

namespace {

constexpr const char* kSpinning = "session.intra_op.allow_spinning";
constexpr const char* kShrinkArena = "memory.enable_memory_arena_shrinkage";
constexpr const char* kWeightsFolder = "session.model_external_initializers_file_folder_path";

void ORT_API_CALL log_message(void*, OrtLoggingLevel, const char*, const char*, const char* where,
                              const char* message) {
  g_debug("ONNX Runtime: %s (%s)", message, where);  // what matters comes back as an error, too
}

std::shared_ptr<Ort::Env> start_runtime() {
  const OrtApiBase* const base = OrtGetApiBase();
  const OrtApi* const api = base->GetApi(ORT_API_VERSION);
  if (api == nullptr)
    throw Error(ErrorCode::kDevice, std::string("ONNX Runtime ") + base->GetVersionString() +
                                        " was found, this build needs 1." +
                                        std::to_string(ORT_API_VERSION) +
                                        " or newer: see `sightline doctor`");
  Ort::InitApi(api);
  try {
    std::shared_ptr<Ort::Env> environment;
    on_large_stack([&] {
      environment =
          std::make_shared<Ort::Env>(ORT_LOGGING_LEVEL_ERROR, "sightline", &log_message, nullptr);
    });
    return environment;
  } catch (const Ort::Exception& error) {
    throw Error(ErrorCode::kDevice, std::string("ONNX Runtime does not start: ") + error.what());
  }
}

// One a process; sessions share in owning it, since it has to outlive them.
std::shared_ptr<Ort::Env> environment() {
  static const std::shared_ptr<Ort::Env> kEnvironment = start_runtime();
  return kEnvironment;
}

Ort::SessionOptions runtime_options(const SessionOptions& wanted) {
  Ort::SessionOptions options;
  options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  options.SetIntraOpNumThreads(wanted.threads);
  options.SetInterOpNumThreads(1);
  options.SetExecutionMode(ORT_SEQUENTIAL);
  options.AddConfigEntry(kSpinning, "0");
  if (!wanted.folder.empty())
    options.AddConfigEntry(kWeightsFolder, wanted.folder.string().c_str());
  return options;
}

TensorInfo tensor_info(std::string name, const Ort::TypeInfo& type) {
  if (type.GetONNXType() != ONNX_TYPE_TENSOR)
    throw Error(ErrorCode::kModel, "\"" + name + "\" is no tensor");
  const auto tensor = type.GetTensorTypeAndShapeInfo();
  const auto number = static_cast<std::uint64_t>(tensor.GetElementType());
  const auto element = onnx::element_type(number);
  if (!element)
    throw Error(ErrorCode::kModel, "tensor \"" + name + "\" is " + onnx::onnx_type_name(number) +
                                       ", which is not supported");
  return {std::move(name), *element, tensor.GetShape()};
}

class OrtSession final : public Session {
 public:
  OrtSession(std::string_view model, const SessionOptions& options)
      : environment_(environment()),
        session_(*environment_, model.data(), model.size(), runtime_options(options)),
        memory_info_(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault)) {
    read_input();
    for (const std::string& name : options.outputs) read_output(name);
    for (const TensorInfo& output : outputs_) output_names_.push_back(output.name.c_str());
  }

  const TensorInfo& input() const override { return input_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  int max_batch() const override {
    if (std::find(batched_.begin(), batched_.end(), false) != batched_.end()) return 1;
    return fixed_batch_.value_or(INT_MAX);
  }

  std::vector<Tensor> run(const std::byte* items, int count,
                          std::span<const std::span<std::byte>> memory) const override {
    const int rows = fixed_batch_.value_or(count);
    std::vector<std::byte> padded;
    if (count < rows) {  // the file's batch is fixed and larger: the rest is zeros
      padded.resize(input_bytes_ * static_cast<std::size_t>(rows));
      std::memcpy(padded.data(), items, input_bytes_ * static_cast<std::size_t>(count));
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
    const int rows = fixed_batch_.value_or(1);
    const std::vector<std::byte> items(input_bytes_ * static_cast<std::size_t>(rows));
    Ort::RunOptions options;
    options.AddConfigEntry(kShrinkArena, "cpu:0");
    run_rows(items.data(), rows, kNoMemory, options);
  }

 private:
  static constexpr std::span<const std::span<std::byte>> kNoMemory = {};

  void read_input() {
    if (session_.GetInputCount() != 1)
      throw Error(ErrorCode::kModel, "has " + std::to_string(session_.GetInputCount()) +
                                         " inputs, expected one image");
    Ort::AllocatorWithDefaultOptions allocator;
    input_ = tensor_info(session_.GetInputNameAllocated(0, allocator).get(),
                         session_.GetInputTypeInfo(0));
    if (input_.shape.empty())
      throw Error(ErrorCode::kModel, "input \"" + input_.name + "\" has no batch dimension");
    if (input_.shape.front() >= 0)
      fixed_batch_ = static_cast<int>(std::min<std::int64_t>(input_.shape.front(), INT_MAX));
    input_.shape.erase(input_.shape.begin());
    const auto bytes = item_bytes(input_);
    if (!bytes || *bytes == 0 || fixed_batch_ == 0)
      throw Error(ErrorCode::kModel, "input \"" + input_.name + "\" has items of shape " +
                                         to_string(input_.shape) + ", which hold no known size");
    input_bytes_ = *bytes;
  }

  void read_output(const std::string& wanted) {
    Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t i = 0; i < session_.GetOutputCount(); ++i) {
      const std::string name = session_.GetOutputNameAllocated(i, allocator).get();
      if (name != wanted) continue;
      TensorInfo output = tensor_info(name, session_.GetOutputTypeInfo(i));
      const std::int64_t batch = fixed_batch_.value_or(-1);
      batched_.push_back(!output.shape.empty() && output.shape.front() == batch);
      if (batched_.back()) output.shape.erase(output.shape.begin());
      outputs_.push_back(std::move(output));
      return;
    }
    throw Error(ErrorCode::kModel, "has no output \"" + wanted + "\"");
  }

  // The shape that ONNX Runtime is to see for output i.
  Shape runtime_shape(std::size_t i, int rows) const {
    Shape shape = outputs_[i].shape;
    if (batched_[i]) shape.insert(shape.begin(), rows);
    return shape;
  }

  std::vector<Ort::Value> run_rows(const std::byte* items, int rows,
                                   std::span<const std::span<std::byte>> memory,
                                   const Ort::RunOptions& options) const {
    Shape shape = input_.shape;
    shape.insert(shape.begin(), rows);
    // ONNX Runtime takes inputs as mutable memory; it does not write to them.
    const Ort::Value input = value_at(const_cast<std::byte*>(items),
                                      input_bytes_ * static_cast<std::size_t>(rows), shape, input_);
    std::vector<Ort::Value> values;
    for (std::size_t i = 0; i < outputs_.size(); ++i)
      if (i < memory.size() && !memory[i].empty())
        values.push_back(
            value_at(memory[i].data(), memory[i].size(), runtime_shape(i, rows), outputs_[i]));
      else
        values.emplace_back(nullptr);
    const char* const input_name = input_.name.c_str();
    session_.Run(options, &input_name, &input, 1, output_names_.data(), values.data(),
                 values.size());
    return values;
  }

  Ort::Value value_at(std::byte* data, std::size_t bytes, const Shape& shape,
                      const TensorInfo& tensor) const {
    return Ort::Value::CreateTensor(
        memory_info_, data, bytes, shape.data(), shape.size(),
        static_cast<ONNXTensorElementDataType>(onnx::onnx_type(tensor.type)));
  }

  Tensor result(std::size_t i, Ort::Value value, int rows, int count,
                std::span<const std::span<std::byte>> memory) const {
    const TensorInfo& info = outputs_[i];
    Tensor tensor{info.name, info.type, value.GetTensorTypeAndShapeInfo().GetShape()};
    if (!batched_[i]) tensor.shape.insert(tensor.shape.begin(), rows);
    if (tensor.shape.empty() || tensor.shape.front() != rows)
      throw Error(ErrorCode::kFailed, "output \"" + info.name + "\" came as " +
                                          to_string(tensor.shape) + " for a batch of " +
                                          std::to_string(rows));
    tensor.shape.front() = count;
    tensor.data = static_cast<const std::byte*>(value.GetTensorRawData());
    const bool has_memory = i < memory.size() && !memory[i].empty();
    if (has_memory && tensor.data != memory[i].data()) {  // it ran with more rows than were given
      std::memcpy(memory[i].data(), tensor.data, std::min(tensor.bytes(), memory[i].size()));
      tensor.data = memory[i].data();
    }
    if (!has_memory) tensor.owner = std::make_shared<Ort::Value>(std::move(value));
    return tensor;
  }

  const std::shared_ptr<Ort::Env> environment_;
  mutable Ort::Session session_;  // Run() may be called by several threads, but is not const
  const Ort::MemoryInfo memory_info_;
  TensorInfo input_;
  std::vector<TensorInfo> outputs_;
  std::vector<const char*> output_names_;  // point into outputs_
  std::vector<bool> batched_;              // outputs whose first dimension is the batch
  std::optional<int> fixed_batch_;
  std::size_t input_bytes_ = 0;
};

}  // namespace

std::unique_ptr<const Session> load_session(std::string_view model, const SessionOptions& options) {
  environment();  // before the first call into the API, whose absence is an error of its own
  try {
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
    environment();  // as above
    return Ort::GetAvailableProviders();
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace sightline
