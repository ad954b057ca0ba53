// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/ort_model.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include <climits>
#include <glib.h>

#include "core/error.h"
#include "engine/large_stack.h"
#include "engine/onnx_builder.h"
#include "engine/onnx_element_type.h"

namespace sightline {

namespace {

constexpr const char* kSpinning = "session.intra_op.allow_spinning";
constexpr const char* kWeightsFolder = "session.model_external_initializers_file_folder_path";

void ORT_API_CALL log_message(void*, OrtLoggingLevel, const char*, const char*, const char* where,
                              const char* message) {
  g_debug("ONNX Runtime: %s (%s)", message, where);  // what matters comes back as an error, too
}

#ifdef ONNXRUNTIME_OF_DISTRIBUTION
// Debian 13's runtime and its library of ONNX both register the operators, the latter when the
// first session is made, and then each of them is complained of on std::cerr: 117 KB that mean
// nothing. So the first session is one that nobody hears.
void make_first_session(const Ort::Env& environment) {
  onnx::Builder network("first");
  network.input("in", ElementType::kFloat32, {1});
  network.output("out", ElementType::kFloat32, {1});
  network.node("Identity", {"in"}, {"out"});
  const std::string file = network.file();
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1);
  const auto restore = [](std::streambuf* heard) { std::cerr.rdbuf(heard); };
  const std::unique_ptr<std::streambuf, decltype(restore)> heard(std::cerr.rdbuf(nullptr), restore);
  Ort::Session(environment, file.data(), file.size(), options);
}
#else
void make_first_session(const Ort::Env& /*environment*/) {}
#endif

std::unique_ptr<const Ort::Env> start_runtime() {
  const OrtApiBase* const base = OrtGetApiBase();
  const OrtApi* const api = base->GetApi(ORT_API_VERSION);
  if (api == nullptr)
    throw Error(ErrorCode::kDevice, std::string("ONNX Runtime ") + base->GetVersionString() +
                                        " was found, this build needs 1." +
                                        std::to_string(ORT_API_VERSION) +
                                        " or newer: see `sightline doctor`");
  Ort::InitApi(api);
  try {
    std::unique_ptr<Ort::Env> environment;
    on_large_stack([&] {
      environment =
          std::make_unique<Ort::Env>(ORT_LOGGING_LEVEL_ERROR, "sightline", &log_message, nullptr);
    });
    // Nothing of what runs here is anybody else's business.
    environment->DisableTelemetryEvents();
    make_first_session(*environment);
    return environment;
  } catch (const Ort::Exception& error) {
    throw Error(ErrorCode::kDevice, std::string("ONNX Runtime does not start: ") + error.what());
  }
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

}  // namespace

const Ort::Env& ort_environment() {
  static const Ort::Env* const kEnvironment = start_runtime().release();
  return *kEnvironment;
}

Ort::SessionOptions ort_options(const SessionOptions& wanted) {
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

OrtModel::OrtModel(std::string_view model, const std::vector<std::string>& outputs,
                   const Ort::SessionOptions& options)
    : session_(ort_environment(), model.data(), model.size(), options) {
  read_input();
  for (const std::string& name : outputs) read_output(name);
  for (const TensorInfo& output : outputs_) output_names_.push_back(output.name.c_str());
}

int OrtModel::max_batch() const {
  if (std::find(batched_.begin(), batched_.end(), false) != batched_.end()) return 1;
  return fixed_batch_.value_or(INT_MAX);
}

void OrtModel::read_input() {
  if (session_.GetInputCount() != 1)
    throw Error(ErrorCode::kModel,
                "has " + std::to_string(session_.GetInputCount()) + " inputs, expected one image");
  Ort::AllocatorWithDefaultOptions allocator;
  input_ =
      tensor_info(session_.GetInputNameAllocated(0, allocator).get(), session_.GetInputTypeInfo(0));
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

void OrtModel::read_output(const std::string& wanted) {
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

Shape OrtModel::input_shape(int rows) const {
  Shape shape = input_.shape;
  shape.insert(shape.begin(), rows);
  return shape;
}

Shape OrtModel::output_shape(std::size_t i, int rows) const {
  Shape shape = outputs_[i].shape;
  if (batched_[i]) shape.insert(shape.begin(), rows);
  return shape;
}

Tensor OrtModel::result(std::size_t i, Shape shape, int rows, int count) const {
  const TensorInfo& info = outputs_[i];
  Tensor tensor{info.name, info.type, std::move(shape)};
  if (!batched_[i]) tensor.shape.insert(tensor.shape.begin(), rows);
  if (tensor.shape.empty() || tensor.shape.front() != rows)
    throw Error(ErrorCode::kFailed, "output \"" + info.name + "\" came as " +
                                        to_string(tensor.shape) + " for a batch of " +
                                        std::to_string(rows));
  tensor.shape.front() = count;
  return tensor;
}

Ort::Value ort_value(const Ort::MemoryInfo& where, void* data, std::size_t bytes,
                     const Shape& shape, const TensorInfo& tensor) {
  return Ort::Value::CreateTensor(
      where, data, bytes, shape.data(), shape.size(),
      static_cast<ONNXTensorElementDataType>(onnx::onnx_type(tensor.type)));
}

}  // namespace sightline
