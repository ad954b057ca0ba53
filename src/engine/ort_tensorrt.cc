// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/ort_tensorrt.h"

#include <cstdint>
#include <filesystem>
#include <system_error>

#include <dlfcn.h>

#include <glib.h>

#include "core/cuda.h"
#include "core/error.h"
#include "engine/onnx_file.h"

namespace sightline {

namespace {

constexpr char kLibrary[] = "libnvinfer.so.10";

std::string sha256(std::string_view bytes) {
  gchar* const digest = g_compute_checksum_for_data(
      G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(bytes.data()), bytes.size());
  std::string result = digest;
  g_free(digest);
  return result;
}

std::string key_of(std::string_view model, const SessionOptions& wanted) {
  const cuda::DeviceInfo gpu = cuda::Device::open(wanted.gpu.value())->info();
  const std::int64_t batch = onnx::read_summary(model).inputs.at(0).shape.value().front();
  return sha256(sha256(model) + '\n' + gpu.name + ' ' + std::to_string(gpu.compute_major) + '.' +
                std::to_string(gpu.compute_minor) + '\n' + cuda::driver_version() + '\n' +
                runtime_name() + '\n' + tensorrt_version() + '\n' +
                (wanted.half_precision ? "fp16" : "fp32") + '\n' + std::to_string(batch));
}

std::filesystem::path cache_folder(const std::string& key) {
  const std::filesystem::path folder =
      std::filesystem::path(g_get_user_cache_dir()) / "sightline" / "tensorrt" / key;
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure)
    throw Error(
        ErrorCode::kDevice,
        folder.string() + ": cannot be made, for what TensorRT builds: " + failure.message());
  return folder;
}

}  // namespace

std::string tensorrt_version() {
  void* const library = dlopen(kLibrary, RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr)
    throw Error(
        ErrorCode::kDevice,
        std::string("TensorRT is not there: ") + dlerror() +
            ". provider = tensorrt needs TensorRT 10 for CUDA 13, and "
            "libonnxruntime_providers_tensorrt.so beside ONNX Runtime. Use provider = cuda");
  const auto version = reinterpret_cast<std::int32_t (*)()>(dlsym(library, "getInferLibVersion"));
  if (version == nullptr)
    throw Error(ErrorCode::kDevice, std::string(kLibrary) + " does not say its version");
  const std::int32_t number = version();  // 101302 for 10.13.2
  return std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100) + "." +
         std::to_string(number % 100);
}

Ort::SessionOptions tensorrt_options(std::string_view model, const SessionOptions& wanted) {
  const std::string folder = cache_folder(key_of(model, wanted)).string();
  const std::string gpu = std::to_string(wanted.gpu.value());
  Ort::SessionOptions options = ort_options(wanted);
  try {
    Ort::TensorRTProviderOptions tensorrt;
    tensorrt.Update({
        {"device_id", gpu},
        {"trt_fp16_enable", wanted.half_precision ? "1" : "0"},
        {"trt_engine_cache_enable", "1"},
        {"trt_engine_cache_path", folder},
        {"trt_timing_cache_enable", "1"},
        {"trt_timing_cache_path", folder},
    });
    options.AppendExecutionProvider_TensorRT_V2(*tensorrt);
    Ort::CUDAProviderOptions rest;
    rest.Update({{"device_id", gpu}, {"cudnn_conv_algo_search", "HEURISTIC"}});
    options.AppendExecutionProvider_CUDA_V2(*rest);
  } catch (const Ort::Exception& error) {
    throw Error(ErrorCode::kDevice,
                std::string("ONNX Runtime's TensorRT provider does not load: ") + error.what());
  }
  return options;
}

}  // namespace sightline
