// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sessions of ONNX Runtime's CUDA provider. Items come from and outputs go to the host.
//
// The runtime has a stream of its own, and waits for it at the end of a run. Running it in ours, so
// that the host waits once, was tried: with 1.29 it crashes now and then, since the runtime then
// frees pinned memory in a callback of the stream, which CUDA does not allow.

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include <climits>

#include "core/cuda.h"
#include "core/error.h"
#include "engine/ort_model.h"
#include "engine/session.h"

namespace sightline {

namespace {

Ort::SessionOptions cuda_options(const SessionOptions& wanted) {
  Ort::SessionOptions options = ort_options(wanted);
  try {
    Ort::CUDAProviderOptions cuda;
    cuda.Update({
        {"device_id", std::to_string(wanted.gpu.value())},
        // Every size of batch would be a search of its own.
        {"cudnn_conv_algo_search", "HEURISTIC"},
    });
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

// When the size of the batch changes, the runtime has cuDNN choose its kernels anew, which takes
// half a second and more. So each session of the runtime's runs batches of one size, and what is in
// between is filled up: 1, 4, 16, … and the largest that was asked for.
class OrtCudaSession final : public Session {
 public:
  OrtCudaSession(std::string_view model, const SessionOptions& options)
      : options_(options),
        bytes_(model),
        device_(cuda::Device::open(options.gpu.value())),
        stream_(device_),
        on_device_("Cuda", OrtDeviceAllocator, device_->info().ordinal, OrtMemTypeDefault),
        on_host_(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault)) {
    const OrtModel& first = load(1);
    input_ = first.input();
    outputs_ = first.outputs();
    max_batch_ = first.max_batch();
    outputs_on_device_.resize(outputs_.size());
  }

  const TensorInfo& input() const override { return input_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }
  int max_batch() const override { return max_batch_; }

  HostMemory host_memory(std::size_t bytes) const override {
    const auto pinned = std::make_shared<cuda::PinnedMemory>(device_, bytes);
    return {pinned->data(), [pinned](std::byte*) {}};
  }

  std::vector<Tensor> run(const std::byte* items, int count,
                          std::span<const std::span<std::byte>> memory) const override {
    const std::lock_guard lock(mutex_);
    try {
      const auto& [size, model] = model_for(count);
      const int rows = model->rows(size);
      upload(*model, items, count, rows);
      Ort::IoBinding binding = bind(*model, rows);
      model->session().Run(Ort::RunOptions{nullptr}, binding);
      const std::vector<Ort::Value> values = binding.GetOutputValues();
      std::vector<Tensor> results;
      for (std::size_t i = 0; i < values.size(); ++i)
        results.push_back(download(model->result(i, shape_of(values[i]), rows, count), values[i], i,
                                   i < memory.size() ? memory[i] : kNoMemory));
      stream_.wait_on_host();
      return results;
    } catch (const Ort::Exception& error) {
      throw Error(ErrorCode::kFailed, std::string("ONNX Runtime: ") + error.what());
    }
  }

  void prepare(int count) const override {
    constexpr int kStep = 4;
    const int largest = std::min(count, max_batch_);
    for (int size = 1; size < largest * kStep; size *= kStep) prepare_size(std::min(size, largest));
  }

 private:
  static constexpr std::span<std::byte> kNoMemory = {};
  using Models = std::map<int, std::unique_ptr<OrtModel>>;  // by the size of batches that they run

  static Shape shape_of(const Ort::Value& value) {
    return value.GetTensorTypeAndShapeInfo().GetShape();
  }

  const OrtModel& load(int size) const {
    const auto found = models_.find(size);
    if (found != models_.end()) return *found->second;
    try {
      auto model = std::make_unique<OrtModel>(bytes_, options_.outputs, cuda_options(options_));
      return *models_.emplace(size, std::move(model)).first->second;
    } catch (const Ort::Exception& error) {
      throw Error(ErrorCode::kModel, std::string("does not load onto the GPU: ") + error.what());
    }
  }

  const Models::value_type& model_for(int count) const {
    if (max_batch_ != INT_MAX) return *models_.begin();  // the file says which size
    const auto found = models_.lower_bound(count);
    if (found != models_.end()) return *found;
    load(count);  // larger than what was prepared
    return *models_.find(count);
  }

  void prepare_size(int size) const {
    {
      const std::lock_guard lock(mutex_);
      if (max_batch_ == INT_MAX) load(size);
    }
    const std::size_t bytes = item_bytes(input_).value() * static_cast<std::size_t>(size);
    const HostMemory items = host_memory(bytes);
    std::memset(items.get(), 0, bytes);
    run(items.get(), size, {});
  }

  // Grows, never shrinks.
  cuda::Address reserve(cuda::DeviceMemory& memory, std::size_t bytes) const {
    if (bytes > memory.bytes()) {
      memory = {};
      memory = cuda::DeviceMemory(device_, bytes);
    }
    return memory.address();
  }

  void upload(const OrtModel& model, const std::byte* items, int count, int rows) const {
    const std::size_t bytes = model.input_bytes() * static_cast<std::size_t>(count);
    const std::size_t all = model.input_bytes() * static_cast<std::size_t>(rows);
    const cuda::Address to = reserve(input_on_device_, all);
    stream_.upload(to, items, bytes);
    if (all > bytes) stream_.fill(to + bytes, 0, all - bytes);
    stream_.wait_on_host();
  }

  // Outputs whose size is not known before are allocated by the runtime, on the host.
  Ort::IoBinding bind(const OrtModel& model, int rows) const {
    Ort::IoBinding binding(model.session());
    binding.BindInput(input_.name.c_str(),
                      ort_value(on_device_, reinterpret_cast<void*>(input_on_device_.address()),
                                model.input_bytes() * static_cast<std::size_t>(rows),
                                model.input_shape(rows), input_));
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const TensorInfo& info = outputs_[i];
      if (!is_on_device(i)) {
        binding.BindOutput(info.name.c_str(), on_host_);
        continue;
      }
      const Shape shape = model.output_shape(i, rows);
      const std::size_t bytes = element_count(shape) * size_of(info.type);
      const cuda::Address at = reserve(outputs_on_device_[i], bytes);
      binding.BindOutput(info.name.c_str(),
                         ort_value(on_device_, reinterpret_cast<void*>(at), bytes, shape, info));
    }
    return binding;
  }

  bool is_on_device(std::size_t i) const { return item_bytes(outputs_[i]).value_or(0) > 0; }

  // `tensor` with its data, which lie where they are to be once the stream is done.
  Tensor download(Tensor tensor, const Ort::Value& value, std::size_t i,
                  std::span<std::byte> memory) const {
    const std::size_t bytes = tensor.bytes();
    std::byte* to = memory.data();
    if (memory.size() < bytes) {
      const auto own = std::make_shared<std::vector<std::byte>>(bytes);
      to = own->data();
      tensor.owner = own;
    }
    tensor.data = to;
    if (bytes == 0) return tensor;
    if (is_on_device(i)) {
      stream_.download(to, outputs_on_device_[i].address(), bytes);
    } else {
      std::memcpy(to, value.GetTensorRawData(), bytes);
    }
    return tensor;
  }

  const SessionOptions options_;
  const std::string bytes_;  // of the model, for sizes that are asked for later
  const cuda::DevicePtr device_;
  const cuda::Stream stream_;
  const Ort::MemoryInfo on_device_, on_host_;
  TensorInfo input_;
  std::vector<TensorInfo> outputs_;
  int max_batch_ = 1;
  mutable std::mutex mutex_;  // one run at a time has the stream and what is below
  mutable cuda::DeviceMemory input_on_device_;
  mutable std::vector<cuda::DeviceMemory> outputs_on_device_;
  mutable Models models_;
};

}  // namespace

std::unique_ptr<const Session> load_cuda_session(std::string_view model,
                                                 const SessionOptions& options) {
  return std::make_unique<OrtCudaSession>(model, options);
}

std::string gpu_name(int gpu) { return cuda::Device::open(gpu)->info().name; }

std::string gpu_complaint(int gpu) {
  try {
    ort_environment();
    SessionOptions options;
    options.gpu = gpu;
    const cuda::DevicePtr device = cuda::Device::open(gpu);  // whose errors say more
    cuda_options(options);
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace sightline
