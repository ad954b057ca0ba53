// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One region of one frame as plain numbers, for whatever executes it: where the samples lie, how
// they become colours, and which of the tensor's pixels they reach. Rules of sampling that every
// device has to keep are here, too.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/geometry.h"
#include "preprocess/frame_view.h"
#include "preprocess/preprocess.h"

namespace sightline::sampling {

// Pixels or samples [begin, end) along one axis.
struct Span {
  int begin = 0;
  int end = 0;

  bool empty() const { return begin >= end; }
  friend bool operator==(const Span&, const Span&) = default;
};

// Samples at equal distances in memory. A packed format may be seen as several: YUY2 is a luma
// plane whose samples are 2 bytes apart, and a chroma plane whose pairs are 4 bytes apart.
struct SamplePlane {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;
  int step = 1;          // bytes from one sample to its right neighbour
  int sample_bytes = 1;  // 2: little endian, the value in the high bits
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

// From the least to the largest coordinate along each axis.
struct Bounds {
  double left, right, top, bottom;
};

struct Job {
  Source source;
  Size frame;
  Affine2 to_frame;
  // Of the tensor, in the region's content and, if axis-aligned, in the frame: others are padding.
  Span columns, rows;
  bool whole = false;  // all of those are in the frame, surely
  ColorTransform color;
  const TensorSpec* spec = nullptr;
  std::byte* output = nullptr;

  bool axis_aligned() const { return to_frame.xy == 0 && to_frame.yx == 0; }
  // Which samples of tensor row `y` fall into the content and the frame.
  Span inside(int y) const;
  // Where `map` takes the corners of the tensor's pixels in `columns` and `rows`.
  Bounds bounds(const Affine2& map) const;
  // Tensor coordinates of pixel centres to coordinates of a plane.
  Affine2 to_plane(const SamplePlane& plane) const { return plane.from_frame * to_frame; }
};

// `region` is finite, `frame` and `spec` have been checked.
Job make_job(const FrameView& frame, const Region& region, const TensorSpec& spec,
             std::byte* output);

// The area filter of a warp averages blocks of samples first, then a grid of bilinear samples of
// those.

// The side of the blocks, 1 (none), 2, 4, 8 or 16: nearest to the shorter side of a tensor pixel,
// so that such a pixel is 0.75 to 1.5 blocks long. `to_plane` maps tensor coordinates to the
// plane's.
int block_side(const Affine2& to_plane);

// How many samples, along a tensor pixel's width and height: as many as the pixel is blocks long
// there, rounded, so that similarities, which have equal sides, take one. `to_blocks` maps tensor
// coordinates to blocks.
struct Grid {
  int across, down;
};
Grid supersampling(const Affine2& to_blocks);

int plane_count(PixelFormat format);

// Throw Error(kInput) with what a frame's or a region's or a tensor's numbers are and should be.
// `bytes`: of the memory for `regions` tensors.
void check(const FrameView& frame);
void check(const TensorSpec& spec, std::size_t regions, std::size_t bytes);
void check(const Region& region, std::size_t index);

}  // namespace sightline::sampling
