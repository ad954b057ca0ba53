// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the host tells the kernels: plain numbers, the same for both compilers.

#pragma once

namespace sightline::cuda {

// How a region's samples lie in memory; each has code of its own.
enum class SampleLayout : int {
  kLuma,          // one plane of bytes
  kLuma16,        // one plane of 16-bit words
  kSemiPlanar,    // luma, and pairs of chroma that may be read as 16-bit words
  kSemiPlanar16,  // both of twice the size
  kInterleaved,   // luma and chroma anywhere in one or two planes
  kPlanar,        // three planes
  kPacked4,       // pixels that may be read as 32-bit words
  kPacked         // pixels of any size
};

enum class SampleFilter : int { kNearest, kBilinear, kArea };

enum class StoredType : int { kFloat32, kFloat16, kUint8, kInt8 };

struct BatchPlane {
  const unsigned char* data;
  int stride, step;  // bytes from one row and one sample to the next
  int width, height;
  // The last sample that has a neighbour, and how far away that is: 0 in a plane of one sample.
  int last_x, last_y, next_x, next_y;
  int halved_x, halved_y;  // 1: half as many samples as the frame has pixels
  float scale_x, scale_y;  // likewise, 0.5 or 1
  float shift_x, shift_y;  // of halved planes: where their first sample is
  // For the area filter of a warp: the side of the blocks that are averaged first, and how many
  // samples of those.
  int block_side, across, down;
  int offset[3];         // bytes, of each channel
  unsigned selector[3];  // likewise, in a word: of __byte_perm()
};

struct BatchRegion {
  BatchPlane planes[3];  // of SampleLayout::kPlanar in the order of the components
  SampleLayout layout;
  int frame_width, frame_height;
  int columns_begin, columns_end, rows_begin, rows_end;  // others are padding
  int axis_aligned;
  double xx, xy, x0, yx, yy, y0;  // tensor coordinates to the frame's
  float matrix[3][3], offset[3];  // components to pixels of 0…255
};

// The batch's tensor.
struct BatchTarget {
  unsigned char* data;
  const float* mean_image;  // as TensorSpec::mean_image, or null
  int width, height, channels;
  int interleaved;
  StoredType type;
  // Null, or of each item the sum of its pixels and that of their squares, which give gain and
  // bias.
  double* moments;
  int measure;  // write nothing: add the pixels to `moments`
  float gain[3], bias[3], pad[3];
};

// A launch brings its regions along as a parameter, which CUDA 12.1 allows to be of 32,764 bytes,
// and older ones of 4 KiB.
#ifndef SIGHTLINE_REGIONS_A_LAUNCH
#define SIGHTLINE_REGIONS_A_LAUNCH 8
#endif
inline constexpr int kRegionsALaunch = SIGHTLINE_REGIONS_A_LAUNCH;

struct Batch {
  BatchTarget target;
  int first;  // the item of regions[0]
  BatchRegion regions[kRegionsALaunch];
};
static_assert(sizeof(Batch) <= (kRegionsALaunch > 8 ? 32764 : 4096));

// Of a block of threads; a thread makes some pixels of a column.
inline constexpr int kBlockWidth = 32;
inline constexpr int kBlockHeight = 8;
constexpr int rows_a_thread(SampleFilter filter) { return filter == SampleFilter::kArea ? 1 : 2; }

}  // namespace sightline::cuda
