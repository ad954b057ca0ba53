// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/frame_tensor.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "core/error.h"
#include "stage/gst_cuda.h"
#ifdef SIGHTLINE_CUDA
#include "engine/tensor_pool.h"
#include "preprocess/cuda/batch_preprocessor.h"
#endif

namespace sightline {

namespace {

Tensor tensor_of(const TensorSpec& spec) {
  const std::int64_t channels = spec.channel_count(), height = spec.size.height,
                     width = spec.size.width;
  Tensor tensor{"input", spec.type, {}};
  tensor.shape = spec.layout == Layout::kNchw ? Shape{channels, height, width}
                                              : Shape{height, width, channels};
  return tensor;
}

}  // namespace

MapFor FrameTensors::map_for(GstBuffer* buffer) {
  return is_in_cuda_memory(buffer) ? MapFor::kDevice : MapFor::kHost;
}

Tensor FrameTensors::make(const MappedFrame& frame, const Region& region) const {
  return frame.view().memory == MemoryKind::kHost ? on_host(frame, region) : on_gpu(frame, region);
}

Tensor FrameTensors::on_host(const MappedFrame& frame, const Region& region) const {
  const auto values = std::make_shared<std::vector<std::byte>>(spec_.bytes_per_item());
  preprocess(frame.view(), {&region, 1}, spec_, *values);
  Tensor tensor = tensor_of(spec_);
  tensor.data = values->data();
  tensor.owner = values;
  return tensor;
}

#ifdef SIGHTLINE_CUDA

// What one GPU needs; one thread at a time.
class FrameTensors::OnGpu {
 public:
  OnGpu(const cuda::DevicePtr& device, const TensorSpec& spec)
      : gpu_(device->info().ordinal),
        stream_(std::make_shared<const cuda::Stream>(device)),
        preprocessor_(device, spec),
        blocks_(spec.bytes_per_item(), kKeptBlocks, [device](std::size_t bytes) -> HostMemory {
          const auto memory = std::make_shared<cuda::DeviceMemory>(device, bytes);
          return {reinterpret_cast<std::byte*>(memory->address()), [memory](std::byte*) {}};
        }) {}

  Tensor make(const MappedFrame& frame, const Region& region) {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<std::byte> block = blocks_.take();
    const cuda::FrameRegion one{frame.view(), region};
    wait_for_writer(frame.buffer(), *stream_);
    preprocessor_.run({&one, 1}, reinterpret_cast<cuda::Address>(block.get()),
                      blocks_.block_bytes(), *stream_);
    stream_->wait_on_host();
    Tensor tensor = tensor_of(preprocessor_.spec());
    tensor.memory = MemoryKind::kCuda;
    tensor.data = block.get();
    tensor.owner = block;
    tensor.on_device = std::make_shared<const DeviceElements>(
        gpu_, [stream = stream_](void* to, const std::byte* from, std::size_t bytes) {
          stream->download(to, reinterpret_cast<cuda::Address>(from), bytes);
          stream->wait_on_host();
        });
    return tensor;
  }

 private:
  static constexpr std::size_t kKeptBlocks = 8;

  const int gpu_;
  const std::shared_ptr<const cuda::Stream> stream_;
  std::mutex mutex_;
  cuda::BatchPreprocessor preprocessor_;
  TensorPool blocks_;
};

Tensor FrameTensors::on_gpu(const MappedFrame& frame, const Region& region) const {
  const int gpu = gpu_of(frame.buffer());
  std::shared_ptr<OnGpu> worker;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<OnGpu>& known = gpus_[gpu];
    if (known == nullptr) known = std::make_shared<OnGpu>(cuda::Device::open(gpu), spec_);
    worker = known;
  }
  return worker->make(frame, region);
}

#else

class FrameTensors::OnGpu {};

Tensor FrameTensors::on_gpu(const MappedFrame&, const Region&) const {
  throw Error(ErrorCode::kDevice, "this build reads no frames in CUDA memory: -Dcuda=enabled");
}

#endif

}  // namespace sightline
