// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One region of one frame as plain numbers, ready for the SIMD code: where the samples lie, how
// they become colours, and how colours become tensor elements.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/geometry.h"
#include "preprocess/frame_view.h"
#include "preprocess/preprocess.h"

namespace sightline::cpu {

// Pixels or samples [begin, end) along one axis.
struct Span {
  int begin = 0;
  int end = 0;

  bool empty() const { return begin >= end; }
};

// Samples at equal distances in memory. A packed format may be seen as several: YUY2 is a luma
// plane whose samples are 2 bytes apart, and a chroma plane whose pairs are 4 bytes apart.
struct SamplePlane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;
  int step = 1;  // bytes from one sample to its right neighbour
  Size size;
  int channels = 1;                // that share a position
  std::array<int, 3> offset{};     // of each channel, in bytes
  std::array<int, 3> component{};  // that each channel is: 0…2 of Y, U, V or R, G, B
  Affine2 from_frame;              // axis-aligned: frame coordinates to this plane's

  const std::uint8_t* row(int y) const { return data + y * stride; }
  // From the position of samples.begin to the last byte of those samples.
  int row_bytes(Span samples) const;
  int halved_x() const { return from_frame.xx == 0.5 ? 1 : 0; }
  int halved_y() const { return from_frame.yy == 0.5 ? 1 : 0; }
};

struct Source {
  std::array<SamplePlane, 3> planes;
  int plane_count = 0;
  int components = 0;  // 1 or 3
};

// output[o] = clamp(Σ matrix[o][c] · component[c] + offset[o], 0, 255)
struct ColorTransform {
  int inputs = 3;
  int outputs = 3;
  std::array<std::array<float, 3>, 3> matrix{};
  std::array<float, 3> offset{};
};

struct Job {
  Source source;
  Size frame;
  Affine2 to_frame;
  // Of the tensor, in the region's content and, if axis-aligned, in the frame: others are padding.
  Span columns, rows;
  ColorTransform color;
  const TensorSpec* spec = nullptr;
  std::byte* output = nullptr;

  bool axis_aligned() const { return to_frame.xy == 0 && to_frame.yx == 0; }
  // Which samples of tensor row `y` fall into the content and the frame.
  Span inside(int y) const;
  // Tensor coordinates of pixel centres to coordinates of a plane.
  Affine2 to_plane(const SamplePlane& plane) const { return plane.from_frame * to_frame; }
};

// `region` is finite, `frame` and `spec` have been checked.
Job make_job(const FrameView& frame, const Region& region, const TensorSpec& spec,
             std::byte* output);

// Executes a job on the best instruction set, or the one that was forced.
void run(const Job& job);

}  // namespace sightline::cpu
