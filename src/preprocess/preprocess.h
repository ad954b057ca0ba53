// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Regions of a frame become the input tensor of a network, in one pass over the pixels that are
// needed. Nothing here knows GStreamer or ONNX Runtime: pixels come as plane views, tensors as
// spans.

#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/config_file.h"
#include "core/tensor.h"
#include "preprocess/frame_view.h"
#include "preprocess/region.h"

namespace sightline {

enum class Channels { kRgb, kBgr, kGray };
enum class Layout { kNchw, kNhwc };

enum class Filter {
  kNearest,   // the pixel in which the sample falls
  kBilinear,  // the four around it, half-pixel centres
  kArea       // the mean over the tensor pixel's footprint; equals bilinear where the region is
              // magnified
};

enum class Normalization {
  kFixed,    // (x − mean) · scale / deviation
  kPerImage  // (x − mean of the tensor) / max(deviation of the tensor, 1/√n), as FaceNet's
             // prewhitening
};

// What the network wants to see. Pixel values are 0…255 before normalisation.
//
// Integer tensors (uint8, int8) take the normalised value, rounded to nearest and saturated.
struct TensorSpec {
  Size size;
  Channels channels = Channels::kRgb;
  Layout layout = Layout::kNchw;
  ElementType type = ElementType::kFloat32;  // float32, float16, uint8 or int8
  Filter filter = Filter::kBilinear;
  Normalization normalization = Normalization::kFixed;
  float scale = 1;
  std::array<float, 3> mean = {0, 0, 0};       // in the order of `channels`
  std::array<float, 3> deviation = {1, 1, 1};  // likewise
  std::array<float, 3> pad_value = {0, 0, 0};  // pixel values, likewise; normalised as pixels are
  // Replaces `mean` where not empty: height × width × channels values, interleaved, in the order of
  // `channels`.
  std::vector<float> mean_image;

  friend bool operator==(const TensorSpec&, const TensorSpec&) = default;

  int channel_count() const { return channels == Channels::kGray ? 1 : 3; }
  std::size_t bytes_per_item() const;

  // Reads the keys of group [property] that this room owns: net-scale-factor, offsets, std,
  // mean-file, model-color-format, network-input-order, scaling-filter, pad-value, normalization.
  // `size`, `layout` and `type` start as given (from the model). Throws Error(kConfig).
  static TensorSpec from_config(const ConfigFile& config, TensorSpec defaults);
};

// Writes `regions[i]` of `frame` to slot i of `output`, which holds regions.size() ×
// spec.bytes_per_item() bytes.
//
// Cost depends on the tensor, not on the frame (but for Filter::kArea, which reads what it
// averages). Never reads outside the planes, whatever the region. Throws Error(kInput) if `output`
// has another size, the frame's sizes are not positive, a plane is missing or a region is not
// finite.
void preprocess(const FrameView& frame, std::span<const Region> regions, const TensorSpec& spec,
                std::span<std::byte> output);

// The instruction sets compiled in that this machine runs, best first: "AVX3_DL", "AVX3", "AVX2",
// …, "EMU128".
std::vector<std::string> simd_targets();
// For tests and benchmarks: only this target from now on, or the best one again if `name` is empty.
// Not thread-safe.
void force_simd_target(const std::string& name);

}  // namespace sightline
