// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How regions of frames become the input of a network, on whatever it runs: one by one on the
// threads of an engine on the CPU, or for all regions of a batch at once on a GPU.

#pragma once

#include <memory>
#include <optional>

#include "core/cuda.h"
#include "engine/engine.h"
#include "preprocess/preprocess.h"
#include "stage/crop_quality.h"
#include "stage/mapped_frame.h"
#include "stage/mirror_pair.h"

namespace sightline {

class InputWriter {
 public:
  // For a network on `gpu`; null: on the CPU. Throws Error(kDevice).
  static std::unique_ptr<const InputWriter> make(const TensorSpec& spec,
                                                 const cuda::DevicePtr& gpu);
  virtual ~InputWriter() = default;

  // How a frame has to be mapped, whose caps say so.
  virtual MapFor map_for(bool in_cuda_memory) const = 0;

  // Has `request` write `region` of `frame`, which it holds until that is done. `quality`, which
  // may be null and has to last until the request is answered, gets the crop's brightness and,
  // where it has none, its sharpness. `pair`, which may be null, is of this region and its mirror
  // image; where the GPU samples both there is no use for it. Throws Error(kInput) if the frame
  // cannot be read there.
  virtual void fill(Request& request, std::shared_ptr<const MappedFrame> frame,
                    const Region& region, CropQuality* quality,
                    std::shared_ptr<MirrorPair> pair) const = 0;

  // As sharpness() of crop_quality.h. Waits for it.
  virtual std::optional<float> sharpness(const MappedFrame& frame, const Region& region) const = 0;
};

// In builds with CUDA.
std::unique_ptr<const InputWriter> make_cuda_input_writer(const TensorSpec& spec,
                                                          const cuda::DevicePtr& gpu);

}  // namespace sightline
