// SPDX-License-Identifier: LGPL-2.1-or-later

#include "bare_cuda.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <vector>

#include <onnxruntime_cxx_api.h>

#include "engine/half_precision.h"
#include "engine/onnx_file.h"

namespace sightline::bench {

namespace {

std::string model_bytes(const std::string& model, const BareOptions& wanted) {
  std::ifstream file(model, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  const Shape shape = onnx::read_summary(bytes).inputs.at(0).shape.value();
  const Shape item(shape.begin() + 1, shape.end());
  const std::string fixed =
      onnx::with_input_shape(onnx::with_input_shape(bytes, -1, item), wanted.batch, item);
  return wanted.half ? onnx::with_half_precision(fixed) : fixed;
}

}  // namespace

double bare_cuda_rate(const std::string& model, double seconds, const BareOptions& wanted) {
  using Clock = std::chrono::steady_clock;
  static const Ort::Env environment(ORT_LOGGING_LEVEL_ERROR, "bench");
  Ort::SessionOptions options;
  Ort::CUDAProviderOptions cuda;
  cuda.Update({{"cudnn_conv_algo_search", wanted.search},
               {"prefer_nhwc", wanted.channels_last ? "1" : "0"}});
  options.AppendExecutionProvider_CUDA_V2(*cuda);
  const std::string file = model_bytes(model, wanted);
  Ort::Session session(environment, file.data(), file.size(), options);

  Ort::AllocatorWithDefaultOptions names;
  const std::string input = session.GetInputNameAllocated(0, names).get();
  const Ort::TypeInfo type = session.GetInputTypeInfo(0);
  const std::vector<std::int64_t> shape = type.GetTensorTypeAndShapeInfo().GetShape();
  const std::int64_t count =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());

  const Ort::MemoryInfo on_device("Cuda", OrtDeviceAllocator, 0, OrtMemTypeDefault);
  const Ort::MemoryInfo on_host = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  const Ort::Allocator allocator(session, on_device);
  const auto bytes = static_cast<std::size_t>(count) * (wanted.half ? 2 : sizeof(float));
  const Ort::MemoryAllocation memory = const_cast<Ort::Allocator&>(allocator).GetAllocation(bytes);
  Ort::IoBinding binding(session);
  binding.BindInput(input.c_str(), Ort::Value::CreateTensor(
                                       on_device, const_cast<Ort::MemoryAllocation&>(memory).get(),
                                       bytes, shape.data(), shape.size(),
                                       wanted.half ? ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16
                                                   : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT));
  for (std::size_t i = 0; i < session.GetOutputCount(); ++i)
    binding.BindOutput(session.GetOutputNameAllocated(i, names).get(), on_host);

  for (int run = 0; run < 5; ++run) session.Run(Ort::RunOptions{nullptr}, binding);
  const auto begin = Clock::now();
  std::int64_t items = 0;
  while (std::chrono::duration<double>(Clock::now() - begin).count() < seconds) {
    session.Run(Ort::RunOptions{nullptr}, binding);
    items += shape.front();
  }
  return static_cast<double>(items) / std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace sightline::bench
