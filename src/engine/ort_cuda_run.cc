// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/ort_cuda_run.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <utility>

#include <glib.h>

#include "core/error.h"
#include "engine/ort_tensorrt.h"

namespace sightline {

namespace {

constexpr char kRecordNothing[] = "-1";  // "gpu_graph_id" of a run
// A network that adds up with atomics gives another last bit each time.
constexpr double kSameResult = 1e-3;

std::vector<std::byte> some_items(const OrtModel& model, int rows, unsigned seed) {
  const ElementType type = model.input().type;
  std::vector<std::byte> bytes(model.input_bytes() * static_cast<std::size_t>(rows));
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (std::size_t at = 0; at < bytes.size(); at += size_of(type)) {
    const float value = uniform(random);
    const std::uint16_t half = float_to_half(value);
    const auto pixel = static_cast<std::uint8_t>(random());
    const void* const source = type == ElementType::kFloat32   ? static_cast<const void*>(&value)
                               : type == ElementType::kFloat16 ? static_cast<const void*>(&half)
                                                               : &pixel;
    std::memcpy(&bytes[at], source, size_of(type));
  }
  return bytes;
}

std::vector<double> numbers(const std::vector<std::byte>& bytes, ElementType type) {
  std::vector<double> values(bytes.size() / size_of(type));
  for (std::size_t i = 0; i < values.size(); ++i) {
    float value = 0;
    std::uint16_t half = 0;
    if (type == ElementType::kFloat32)
      std::memcpy(&value, &bytes[i * sizeof value], sizeof value);
    else
      std::memcpy(&half, &bytes[i * sizeof half], sizeof half), value = half_to_float(half);
    values[i] = value;
  }
  return values;
}

bool same(const std::vector<std::byte>& a, const std::vector<std::byte>& b, ElementType type) {
  if (a == b) return true;
  if (type != ElementType::kFloat32 && type != ElementType::kFloat16) return false;
  const std::vector<double> x = numbers(a, type), y = numbers(b, type);
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) && !std::isfinite(y[i])) continue;
    largest = std::max(largest, std::abs(x[i]));
    worst = std::max(worst, std::isfinite(x[i] - y[i]) ? std::abs(x[i] - y[i]) : HUGE_VAL);
  }
  return worst <= kSameResult * largest;
}

}  // namespace

Ort::SessionOptions cuda_options(const SessionOptions& wanted, const cuda::Stream* stream,
                                 OrtCudaRun::Layout layout) {
  Ort::SessionOptions options = ort_options(wanted);
  try {
    Ort::CUDAProviderOptions cuda;
    cuda.Update({
        {"device_id", std::to_string(wanted.gpu.value())},
        // Every size of batch would be a search of its own.
        {"cudnn_conv_algo_search", "HEURISTIC"},
        {"enable_cuda_graph", stream == nullptr ? "0" : "1"},
        {"prefer_nhwc", layout == OrtCudaRun::Layout::kChannelsLast ? "1" : "0"},
    });
    if (stream != nullptr) cuda.UpdateWithValue("user_compute_stream", stream->handle());
    options.AppendExecutionProvider_CUDA_V2(*cuda);
  } catch (const Ort::Exception& error) {
    throw Error(ErrorCode::kDevice,
                std::string("ONNX Runtime's CUDA provider does not load: ") + error.what() + ". " +
                    runtime_name() +
                    " needs libonnxruntime_providers_cuda.so and _shared.so of the same version "
                    "beside it (`make deps-gpu`), the libraries of CUDA 13 and cuDNN 9, and a "
                    "driver that offers CUDA 13.0 or newer (found: " +
                    cuda::driver_version() + "): see `sightline doctor`");
  }
  return options;
}

std::unique_ptr<OrtCudaRun> OrtCudaRun::load(std::string_view model, const SessionOptions& options,
                                             const cuda::Stream& stream) {
  if (options.channels_last) {
    try {
      return std::make_unique<OrtCudaRun>(model, options, stream, Layout::kChannelsLast);
    } catch (const std::exception& error) {
      g_warning("not with channels last: %s", error.what());  // not every operator is there so
    }
  }
  return std::make_unique<OrtCudaRun>(model, options, stream, Layout::kChannelsFirst);
}

OrtCudaRun::OrtCudaRun(std::string_view model, const SessionOptions& options,
                       const cuda::Stream& stream, Layout layout)
    : stream_(stream),
      tensorrt_(options.tensorrt),
      layout_(layout),
      device_(stream.device()),
      on_device_("Cuda", OrtDeviceAllocator, device_->info().ordinal, OrtMemTypeDefault),
      on_host_(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault)) {
  if (options.tensorrt || !load_into_stream(model, options)) load_beside_stream(model, options);
  run();  // cuDNN chooses its kernels
  if (in_our_stream_) try_to_record();
}

std::string OrtCudaRun::describe() const {
  if (tensorrt_) return "TensorRT (not verified)";
  const std::string layout = layout_ == Layout::kChannelsLast ? ", channels last" : "";
  if (graph_ != nullptr) return "a CUDA graph" + layout;
  return (in_our_stream_ ? "not recorded" : "in the runtime's own stream") + layout;
}

// False if the network does not allow it.
bool OrtCudaRun::load_into_stream(std::string_view model, const SessionOptions& options) {
  try {
    model_ = std::make_unique<OrtModel>(model, options.outputs,
                                        cuda_options(options, &stream_, layout_));
  } catch (const Ort::Exception& error) {
    g_debug("not in a CUDA stream: %s", error.what());  // parts of it run on the CPU
    return false;
  }
  allocate(model_->rows(1));
  in_our_stream_ = std::all_of(outputs_.begin(), outputs_.end(),
                               [](const cuda::DeviceMemory& memory) { return memory.bytes() > 0; });
  if (!in_our_stream_) {
    binding_.reset();
    model_.reset();
    return false;
  }
  try {
    run();
    stream_.wait_on_host();
    return true;
  } catch (const std::exception& error) {
    g_debug("not in a CUDA stream: %s", error.what());
    in_our_stream_ = false;
    binding_.reset();
    model_.reset();
    return false;
  }
}

void OrtCudaRun::load_beside_stream(std::string_view model, const SessionOptions& options) {
  model_ = std::make_unique<OrtModel>(model, options.outputs,
                                      options.tensorrt ? tensorrt_options(model, options)
                                                       : cuda_options(options, nullptr, layout_));
  allocate(model_->rows(1));
}

void OrtCudaRun::allocate(int rows) {
  rows_ = rows;
  const std::size_t bytes = model_->input_bytes() * static_cast<std::size_t>(rows);
  if (input_.bytes() < bytes) input_ = cuda::DeviceMemory(device_, bytes);
  stream_.fill(input_.address(), 0, bytes);
  stream_.wait_on_host();
  outputs_.clear();
  for (std::size_t i = 0; i < model_->outputs().size(); ++i) {
    const TensorInfo& info = model_->outputs()[i];
    const bool known = item_bytes(info).value_or(0) > 0;
    const Shape shape = known ? model_->output_shape(i, rows) : Shape{};
    outputs_.push_back(known
                           ? cuda::DeviceMemory(device_, element_count(shape) * size_of(info.type))
                           : cuda::DeviceMemory());
  }
  bind();
}

// Outputs whose size is not known before are allocated by the runtime, on the host.
void OrtCudaRun::bind() {
  const auto place = [](const cuda::DeviceMemory& memory) {
    return reinterpret_cast<void*>(memory.address());
  };
  const TensorInfo& input = model_->input();
  binding_.emplace(model_->session());
  binding_->BindInput(
      input.name.c_str(),
      ort_value(on_device_, place(input_), model_->input_bytes() * static_cast<std::size_t>(rows_),
                model_->input_shape(rows_), input));
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    const TensorInfo& info = model_->outputs()[i];
    if (is_on_device(i))
      binding_->BindOutput(info.name.c_str(),
                           ort_value(on_device_, place(outputs_[i]), outputs_[i].bytes(),
                                     model_->output_shape(i, rows_), info));
    else
      binding_->BindOutput(info.name.c_str(), on_host_);
  }
}

void OrtCudaRun::run() {
  const cuda::Current current(*device_);
  Ort::RunOptions options;
  if (in_our_stream_) {
    options.AddConfigEntry("disable_synchronize_execution_providers", "1");
    options.AddConfigEntry("gpu_graph_id", kRecordNothing);
    model_->session().Run(options, *binding_);
    return;
  }
  stream_.wait_on_host();
  model_->session().Run(options, *binding_);
  values_ = binding_->GetOutputValues();
}

void OrtCudaRun::enqueue() {
  if (graph_ != nullptr)
    graph_->launch(stream_);
  else
    run();
}

std::vector<std::vector<std::byte>> OrtCudaRun::outputs_of(const std::vector<std::byte>& items,
                                                           const cuda::Graph* graph) {
  stream_.upload(input(), items.data(), items.size());
  if (graph != nullptr)
    graph->launch(stream_);
  else
    run();
  std::vector<std::vector<std::byte>> results;
  for (const cuda::DeviceMemory& output : outputs_) {
    results.emplace_back(output.bytes());
    stream_.download(results.back().data(), output.address(), output.bytes());
    stream_.fill(output.address(), 0xff, output.bytes());
  }
  stream_.wait_on_host();
  return results;
}

// Memory that the run needs is the runtime's, and is there since it ran before; whatever runs with
// it is in this stream.
void OrtCudaRun::try_to_record() {
  try {
    stream_.wait_on_host();
    auto graph = std::make_unique<const cuda::Graph>(stream_, [this] { run(); });
    for (const unsigned seed : {1u, 2u}) {
      const std::vector<std::byte> items = some_items(*model_, rows_, seed);
      const auto expected = outputs_of(items, nullptr), found = outputs_of(items, graph.get());
      for (std::size_t i = 0; i < found.size(); ++i)
        if (!same(expected[i], found[i], model_->outputs()[i].type))
          throw Error(ErrorCode::kFailed, "output \"" + model_->outputs()[i].name + "\" differs");
    }
    graph_ = std::move(graph);
  } catch (const std::exception& error) {
    g_debug("no CUDA graph: %s", error.what());
  }
}

Shape OrtCudaRun::output_shape(std::size_t i) const {
  return is_on_device(i) ? model_->output_shape(i, rows_)
                         : values_[i].GetTensorTypeAndShapeInfo().GetShape();
}

const void* OrtCudaRun::output_on_host(std::size_t i) const {
  return values_[i].GetTensorRawData();
}

}  // namespace sightline
