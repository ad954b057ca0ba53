// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/frame_tensor.h"

#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

#include "core/error.h"
#include "engine/tensor_pool.h"
#include "stage/gst_cuda.h"
#ifdef SIGHTLINE_CUDA
#include "preprocess/cuda/batch_preprocessor.h"
#endif

namespace sightline {

namespace {

Tensor tensor_of(const TensorSpec& spec, std::size_t regions) {
  const std::int64_t items = static_cast<std::int64_t>(regions), channels = spec.channel_count(),
                     height = spec.size.height, width = spec.size.width;
  Tensor tensor{"input", spec.type, {}};
  tensor.shape = spec.layout == Layout::kNchw ? Shape{items, channels, height, width}
                                              : Shape{items, height, width, channels};
  return tensor;
}

}  // namespace

MapFor FrameTensors::map_for(GstBuffer* buffer) {
  return is_in_cuda_memory(buffer) ? MapFor::kDevice : MapFor::kHost;
}

Tensor FrameTensors::make(const MappedFrame& frame, const Region& region) const {
  Tensor tensor = make_batch(frame, {&region, 1});
  tensor.shape.erase(tensor.shape.begin());
  return tensor;
}

Tensor FrameTensors::make_batch(const MappedFrame& frame, std::span<const Region> regions) const {
  return frame.view().memory == MemoryKind::kHost || regions.empty() ? on_host(frame, regions)
                                                                     : on_gpu(frame, regions);
}

Tensor FrameTensors::on_host(const MappedFrame& frame, std::span<const Region> regions) const {
  const std::size_t bytes = regions.size() * spec_.bytes_per_item();
  const std::shared_ptr<std::byte> values = aligned_memory(bytes);
  if (!regions.empty()) preprocess(frame.view(), regions, spec_, {values.get(), bytes});
  Tensor tensor = tensor_of(spec_, regions.size());
  tensor.data = values.get();
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
        allocate_([device](std::size_t bytes) -> HostMemory {
          const auto memory = std::make_shared<cuda::DeviceMemory>(device, bytes);
          return {reinterpret_cast<std::byte*>(memory->address()), [memory](std::byte*) {}};
        }) {}

  Tensor make(const MappedFrame& frame, std::span<const Region> regions) {
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<std::byte> block = blocks_for(regions.size()).take();
    std::vector<cuda::FrameRegion> of_frame;
    for (const Region& region : regions) of_frame.push_back({frame.view(), region});
    wait_for_writer(frame.buffer(), *stream_);
    preprocessor_.run(of_frame, reinterpret_cast<cuda::Address>(block.get()),
                      regions.size() * preprocessor_.spec().bytes_per_item(), *stream_);
    stream_->wait_on_host();
    Tensor tensor = tensor_of(preprocessor_.spec(), regions.size());
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

  // For so many regions; of a few sizes only, so that memory is used again whatever their number.
  TensorPool& blocks_for(std::size_t regions) {
    const std::size_t size = std::bit_ceil(regions);
    return blocks_
        .try_emplace(size, size * preprocessor_.spec().bytes_per_item(), kKeptBlocks, allocate_)
        .first->second;
  }

  const int gpu_;
  const std::shared_ptr<const cuda::Stream> stream_;
  std::mutex mutex_;
  cuda::BatchPreprocessor preprocessor_;
  const TensorPool::Allocate allocate_;
  std::map<std::size_t, TensorPool> blocks_;
};

Tensor FrameTensors::on_gpu(const MappedFrame& frame, std::span<const Region> regions) const {
  const int gpu = gpu_of(frame.buffer());
  std::shared_ptr<OnGpu> worker;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<OnGpu>& known = gpus_[gpu];
    if (known == nullptr) known = std::make_shared<OnGpu>(cuda::Device::open(gpu), spec_);
    worker = known;
  }
  return worker->make(frame, regions);
}

#else

class FrameTensors::OnGpu {};

Tensor FrameTensors::on_gpu(const MappedFrame&, std::span<const Region>) const {
  throw Error(ErrorCode::kDevice, "this build reads no frames in CUDA memory: -Dcuda=enabled");
}

#endif

}  // namespace sightline
