// SPDX-License-Identifier: LGPL-2.1-or-later
//
// InputWriter for networks on a GPU: one launch writes the regions of a whole batch, of frames in
// CUDA memory and on the host; further ones judge the crops.

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/shared_values.h"
#include "engine/device_writer.h"
#include "preprocess/cuda/batch_preprocessor.h"
#include "preprocess/cuda/sums.h"
#include "stage/gst_cuda.h"
#include "stage/input_writer.h"

namespace sightline {

namespace {

using cuda::FrameRegion;

// What one batch needs on the device, from its writing until its results are there.
class Workbench {
 public:
  Workbench(const cuda::DevicePtr& device, const TensorSpec& spec)
      : device_(device), inputs_(device, spec), crop_(DetailCrop::of(spec.size)), sums_(device) {
    if (crop_) details_.emplace(device, crop_->spec);
  }

  void write(std::span<const FrameRegion> regions, cuda::Address output, std::size_t bytes,
             const cuda::Stream& stream) {
    inputs_.run(regions, output, bytes, stream);
  }

  // Finds what brightness() and sharpness() will say, of regions whose tensors have been written.
  void judge(std::vector<FrameRegion> regions, cuda::Address tensors, const cuda::Stream& stream) {
    const auto count = static_cast<int>(regions.size());
    reserve(regions.size());
    const InnerPart part = InnerPart::of(inputs_.spec().size);
    sums_.channels(tensors, inputs_.spec(), part.columns, part.rows, count, found_.address(),
                   stream);
    measure_detail(std::move(regions), stream);
    stream.download(on_host_.data(), found_.address(), room_ * kBytesAnItem);
  }

  void judge_detail(const FrameRegion& region, const cuda::Stream& stream) {
    reserve(1);
    measure_detail({region}, stream);
    // There may be room for more than one, and so the channels of others in front.
    stream.download(on_host_.data() + details_at(), found_.address() + details_at(),
                    sizeof(cuda::Sums::Detail));
  }

  // Once the stream is done.
  std::optional<float> brightness(std::size_t i) const {
    const auto* const sums = reinterpret_cast<const cuda::Sums::Channels*>(on_host_.data());
    return sightline::brightness(inputs_.spec(), std::span(sums[i]));
  }
  std::optional<float> sharpness(std::size_t i) const {
    if (!crop_) return std::nullopt;
    const auto* const details =
        reinterpret_cast<const cuda::Sums::Detail*>(on_host_.data() + details_at());
    return sightline::sharpness(*crop_, details[i].sum, details[i].squares, details[i].gradient);
  }

 private:
  static constexpr std::size_t kBytesAnItem =
      sizeof(cuda::Sums::Channels) + sizeof(cuda::Sums::Detail);

  // `found_` holds the channels of all items that there is room for, then their details.
  std::size_t details_at() const { return room_ * sizeof(cuda::Sums::Channels); }

  // Grows, never shrinks.
  void reserve(std::size_t count) {
    if (count <= room_) return;
    room_ = 0;
    found_ = cuda::DeviceMemory(device_, count * kBytesAnItem);
    on_host_ = cuda::PinnedMemory(device_, count * kBytesAnItem);
    if (crop_) pictures_ = cuda::DeviceMemory(device_, count * crop_->spec.bytes_per_item());
    room_ = count;
  }

  void measure_detail(std::vector<FrameRegion> regions, const cuda::Stream& stream) {
    if (!crop_) return;
    for (FrameRegion& one : regions) one.region = crop_->region(one.region);
    details_->run(regions, pictures_.address(), regions.size() * crop_->spec.bytes_per_item(),
                  stream);
    sums_.detail(pictures_.address(), crop_->spec.size, static_cast<int>(regions.size()),
                 found_.address() + details_at(), stream);
  }

  const cuda::DevicePtr device_;
  cuda::BatchPreprocessor inputs_;
  const std::optional<DetailCrop> crop_;
  std::optional<cuda::BatchPreprocessor> details_;
  const cuda::Sums sums_;
  std::size_t room_ = 0;  // for how many items the memory below is
  cuda::DeviceMemory pictures_, found_;
  cuda::PinnedMemory on_host_;
};

// As many as there are batches under way.
class Workbenches {
 public:
  Workbenches(cuda::DevicePtr device, TensorSpec spec)
      : device_(std::move(device)), spec_(std::move(spec)) {
    free_.push_back(std::make_unique<Workbench>(device_, spec_));  // throws now what it may throw
  }

  // The last owner gives it back. It may outlive this.
  static std::shared_ptr<Workbench> take(const std::shared_ptr<Workbenches>& from) {
    std::unique_ptr<Workbench> bench = from->take_free();
    if (bench == nullptr) bench = std::make_unique<Workbench>(from->device_, from->spec_);
    return {bench.release(), [from](Workbench* used) {
              const std::lock_guard lock(from->mutex_);
              from->free_.emplace_back(used);
            }};
  }

 private:
  std::unique_ptr<Workbench> take_free() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return nullptr;
    std::unique_ptr<Workbench> bench = std::move(free_.back());
    free_.pop_back();
    return bench;
  }

  const cuda::DevicePtr device_;
  const TensorSpec spec_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Workbench>> free_;
};

class RegionItem final : public DeviceItem {
 public:
  RegionItem(std::shared_ptr<const MappedFrame> frame, const Region& region, CropQuality* quality)
      : frame_(std::move(frame)), region_(region), quality_(quality) {}

  FrameRegion region() const { return {frame_->view(), region_}; }
  GstBuffer* buffer() const { return frame_->buffer(); }
  bool is_judged() const { return quality_ != nullptr; }
  void place(std::shared_ptr<const Workbench> bench, std::size_t index) {
    bench_ = std::move(bench);
    index_ = index;
  }

  void finished() override {
    if (quality_ == nullptr || bench_ == nullptr) return;
    quality_->brightness = bench_->brightness(index_).value_or(kBrightnessUnknown);
    if (!quality_->sharpness) quality_->sharpness = bench_->sharpness(index_);
  }

 private:
  const std::shared_ptr<const MappedFrame> frame_;
  const Region region_;
  CropQuality* const quality_;
  std::shared_ptr<const Workbench> bench_;
  std::size_t index_ = 0;
};

class RegionWriter final : public DeviceWriter {
 public:
  RegionWriter(const TensorSpec& spec, const cuda::DevicePtr& gpu)
      : benches_(std::make_shared<Workbenches>(gpu, spec)) {}

  // The same for all stages with such a tensor, so that one launch writes what they have in a
  // batch.
  static std::shared_ptr<RegionWriter> shared(const TensorSpec& spec, const cuda::DevicePtr& gpu) {
    static SharedValues<std::pair<int, TensorSpec>, RegionWriter> all;
    return all.get({gpu->info().ordinal, spec},
                   [&] { return std::make_shared<RegionWriter>(spec, gpu); });
  }

  std::shared_ptr<Workbench> take_bench() const { return Workbenches::take(benches_); }

  void write(std::span<DeviceItem* const> items, cuda::Address output, std::size_t bytes,
             const cuda::Stream& stream) override {
    const std::shared_ptr<Workbench> bench = take_bench();
    std::vector<FrameRegion> regions;
    bool judged = false;
    GstBuffer* last = nullptr;
    for (std::size_t i = 0; i < items.size(); ++i) {
      auto& item = static_cast<RegionItem&>(*items[i]);
      item.place(bench, i);
      regions.push_back(item.region());
      judged = judged || item.is_judged();
      if (regions.back().frame.memory == MemoryKind::kCuda && item.buffer() != last)
        wait_for_writer(item.buffer(), stream);
      last = item.buffer();
    }
    bench->write(regions, output, bytes, stream);
    if (judged) bench->judge(std::move(regions), output, stream);
  }

 private:
  const std::shared_ptr<Workbenches> benches_;
};

class CudaInputWriter final : public InputWriter {
 public:
  CudaInputWriter(const TensorSpec& spec, const cuda::DevicePtr& gpu)
      : gpu_(gpu), writer_(RegionWriter::shared(spec, gpu)), stream_(gpu) {}

  MapFor map_for(bool in_cuda_memory) const override {
    return in_cuda_memory ? MapFor::kDevice : MapFor::kHost;
  }

  void fill(Request& request, std::shared_ptr<const MappedFrame> frame, const Region& region,
            CropQuality* quality, std::shared_ptr<MirrorPair> /*pair*/) const override {
    require_same_gpu(*frame);
    cuda::check({frame->view(), region});  // here, since what fails in a batch fails for all of it
    request.item = std::make_shared<RegionItem>(std::move(frame), region, quality);
    request.writer = writer_;
  }

  std::optional<float> sharpness(const MappedFrame& frame, const Region& region) const override {
    require_same_gpu(frame);
    const std::lock_guard lock(mutex_);  // one at a time has the stream
    const std::shared_ptr<Workbench> bench = writer_->take_bench();
    if (frame.view().memory == MemoryKind::kCuda) wait_for_writer(frame.buffer(), stream_);
    bench->judge_detail({frame.view(), region}, stream_);
    stream_.wait_on_host();
    return bench->sharpness(0);
  }

 private:
  void require_same_gpu(const MappedFrame& frame) const {
    if (frame.view().memory != MemoryKind::kCuda) return;
    const int there = gpu_of(frame.buffer()), here = gpu_->info().ordinal;
    if (there != here)
      throw Error(ErrorCode::kInput, "the frame is on GPU " + std::to_string(there) +
                                         ", the network runs on GPU " + std::to_string(here) +
                                         ": set device=cuda:" + std::to_string(there) +
                                         ", or decode there");
  }

  const cuda::DevicePtr gpu_;
  const std::shared_ptr<RegionWriter> writer_;
  mutable std::mutex mutex_;
  const cuda::Stream stream_;
};

}  // namespace

std::unique_ptr<const InputWriter> make_cuda_input_writer(const TensorSpec& spec,
                                                          const cuda::DevicePtr& gpu) {
  return std::make_unique<CudaInputWriter>(spec, gpu);
}

}  // namespace sightline
