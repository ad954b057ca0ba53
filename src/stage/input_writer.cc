// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/input_writer.h"

#include <utility>

#include "core/error.h"

namespace sightline {

namespace {

class CpuInputWriter final : public InputWriter {
 public:
  explicit CpuInputWriter(const TensorSpec& spec) : spec_(spec) {}

  MapFor map_for(bool in_cuda_memory) const override {
    if (in_cuda_memory)
      throw Error(ErrorCode::kInput,
                  "frames are in CUDA memory, the network runs on the CPU: put cudadownload in "
                  "front, or set device=cuda:0 (the number of the GPU)");
    return MapFor::kHost;
  }

  void fill(Request& request, std::shared_ptr<const MappedFrame> frame, const Region& region,
            CropQuality* quality, std::shared_ptr<MirrorPair> pair) const override {
    request.write = [this, frame = std::move(frame), region, quality,
                     pair = std::move(pair)](std::span<std::byte> item) {
      const auto sample = [&] { preprocess(frame->view(), {&region, 1}, spec_, item); };
      if (pair)
        pair->write(item, sample);
      else
        sample();
      if (quality == nullptr) return;
      quality->brightness = brightness(spec_, item).value_or(kBrightnessUnknown);
      if (!quality->sharpness) quality->sharpness = sightline::sharpness(spec_, item);
      if (!quality->sharpness) quality->sharpness = sharpness(*frame, region);
    };
  }

  std::optional<float> sharpness(const MappedFrame& frame, const Region& region) const override {
    return sightline::sharpness(frame.view(), region, spec_.size);
  }

 private:
  const TensorSpec spec_;
};

}  // namespace

std::unique_ptr<const InputWriter> InputWriter::make(const TensorSpec& spec,
                                                     const cuda::DevicePtr& gpu) {
#ifdef SIGHTLINE_CUDA
  if (gpu != nullptr) return make_cuda_input_writer(spec, gpu);
#endif
  return std::make_unique<CpuInputWriter>(spec);
}

}  // namespace sightline
