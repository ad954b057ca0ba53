// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/preprocess.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "preprocess/cpu/rows.h"
#include "preprocess/job.h"

namespace sightline {

void preprocess(const FrameView& frame, std::span<const Region> regions, const TensorSpec& spec,
                std::span<std::byte> output) {
  sampling::check(frame);
  if (frame.memory != MemoryKind::kHost)
    throw Error(ErrorCode::kInput, "a frame in GPU memory cannot be read on the CPU");
  if (std::find(kPixelFormats.begin(), kPixelFormats.end(), frame.format) == kPixelFormats.end())
    throw Error(ErrorCode::kInput, "frames of format " + std::string(name_of(frame.format)) +
                                       " are read on a GPU only. Convert them: videoconvert");
  sampling::check(spec, regions.size(), output.size());
  for (std::size_t i = 0; i < regions.size(); ++i) sampling::check(regions[i], i);
  const std::size_t item = spec.bytes_per_item();
  for (std::size_t i = 0; i < regions.size(); ++i)
    cpu::run(sampling::make_job(frame, regions[i], spec, output.data() + i * item));
}

}  // namespace sightline
