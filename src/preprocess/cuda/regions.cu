// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Regions of frames become a batch's tensor in one launch: a block makes a tile of one region's
// tensor, a thread some pixels of one of its columns.
//
// Positions are computed in double precision, as on the CPU, so that both agree on what is inside
// of the frame and in which pixel a sample falls; they are split into whole pixels and a fraction
// at once, and all that follows is float.

#include <cuda_fp16.h>

#include "preprocess/cuda/batch.h"

namespace sightline::cuda {

namespace {

// A position in the frame: a pixel and where in it, 0 to 1.
struct Position {
  int x, y;
  float in_x, in_y;
};

// Of coordinates from −2²⁶ to 2²⁶, without conversions, which are slow: added to kFixed, a number
// has 24 fractional bits at the end of its mantissa.
__device__ void split(double coordinate, int& pixel, float& in_pixel) {
  constexpr double kFixed = 1.5 * (1ll << 28);
  constexpr long long kFixedBits = 0x41b8000000000000;  // as it lies in memory
  const long long bits = __double_as_longlong(__dadd_rd(coordinate, kFixed));
  const unsigned low = static_cast<unsigned>(bits);
  pixel = static_cast<int>(bits >> 24) - static_cast<int>(kFixedBits >> 24);
  in_pixel = static_cast<float>(low & 0xffffff) * (1.0f / (1 << 24));
}

// ---- Reading samples ----

// How the channels of a sample are read: one byte, one after the other, or all in one word.
enum class Access { kByte, kBytes, kWord16, kWord32, kWide, kWidePair };

// Of P010's words; the bits below are none of the sample's.
__device__ float ten_bits(unsigned short word) { return static_cast<float>(word & 0xffc0); }

// One byte of a word, without a conversion: put at the end of the mantissa of 2²³.
__device__ float byte_of(unsigned word, unsigned selector) {
  return __uint_as_float(__byte_perm(word, 0x4b000000, selector)) - 8388608.0f;
}

template <Access kAccess, int kChannels>
__device__ void load(const BatchPlane& plane, const unsigned char* at, float (&out)[kChannels]) {
  if constexpr (kAccess == Access::kWide) {
    out[0] = ten_bits(__ldg(reinterpret_cast<const unsigned short*>(at)));
  } else if constexpr (kAccess == Access::kWidePair) {
    const ushort2 pair = __ldg(reinterpret_cast<const ushort2*>(at));
    out[0] = ten_bits(pair.x);
    out[1] = ten_bits(pair.y);
  } else if constexpr (kAccess == Access::kByte) {
    out[0] = static_cast<float>(__ldg(at));
  } else if constexpr (kAccess == Access::kBytes) {
#pragma unroll
    for (int c = 0; c < kChannels; ++c) out[c] = static_cast<float>(__ldg(at + plane.offset[c]));
  } else {
    unsigned word;
    if constexpr (kAccess == Access::kWord16) {
      word = __ldg(reinterpret_cast<const unsigned short*>(at));
    } else {
      word = __ldg(reinterpret_cast<const unsigned*>(at));
    }
#pragma unroll
    for (int c = 0; c < kChannels; ++c) out[c] = byte_of(word, plane.selector[c]);
  }
}

// Planes are smaller than 2 GiB.
__device__ const unsigned char* sample_at(const BatchPlane& plane, int x, int y) {
  return plane.data + (y * plane.stride + x * plane.step);
}

template <Access kAccess, int kChannels>
__device__ void nearest(const BatchPlane& plane, const Position& at, float (&out)[kChannels]) {
  load<kAccess>(plane, sample_at(plane, at.x >> plane.halved_x, at.y >> plane.halved_y), out);
}

// The first of the two samples around a position and the weight of the second; at the borders the
// outermost repeats.
struct Tap {
  int first;
  float weight;
};

template <bool kMayBeHalved>
__device__ Tap bilinear_tap(int pixel, float in_pixel, int halved, float scale, float shift,
                            int last) {
  int first = pixel;
  float from_first = in_pixel - 0.5f;
  if constexpr (kMayBeHalved) {
    first = pixel >> halved;
    from_first = (static_cast<float>(pixel & halved) + in_pixel) * scale + (shift - 0.5f);
  }
  if (from_first < 0) {
    --first;
    from_first += 1;
  }
  const float weight = first < 0 ? 0 : first > last ? 1 : from_first;
  return {min(max(first, 0), last), weight};
}

template <Access kAccess, bool kMayBeHalved, int kChannels>
__device__ void bilinear(const BatchPlane& plane, const Position& at, float (&out)[kChannels]) {
  const Tap x = bilinear_tap<kMayBeHalved>(at.x, at.in_x, plane.halved_x, plane.scale_x,
                                           plane.shift_x, plane.last_x);
  const Tap y = bilinear_tap<kMayBeHalved>(at.y, at.in_y, plane.halved_y, plane.scale_y,
                                           plane.shift_y, plane.last_y);
  const unsigned char* const upper = sample_at(plane, x.first, y.first);
  const unsigned char* const lower = upper + plane.next_y;
  float a[kChannels], b[kChannels], c[kChannels], d[kChannels];
  load<kAccess>(plane, upper, a);
  load<kAccess>(plane, upper + plane.next_x, b);
  load<kAccess>(plane, lower, c);
  load<kAccess>(plane, lower + plane.next_x, d);
#pragma unroll
  for (int i = 0; i < kChannels; ++i) {
    const float above = a[i] + (b[i] - a[i]) * x.weight, below = c[i] + (d[i] - c[i]) * x.weight;
    out[i] = above + (below - above) * y.weight;
  }
}

// The samples under [position − width/2, position + width/2]: as area_tap() of the CPU path.
struct AreaTap {
  int first, last;
  float inner, first_edge, last_edge;

  __device__ float weight(int sample) const {
    return sample == first ? first_edge : sample == last ? last_edge : inner;
  }
};

__device__ AreaTap area_tap(double position, double step, int size) {
  const double width = fmax(1.0, fabs(step));
  const double begin = position - width / 2, end = position + width / 2, last_sample = size - 1.0;
  const double first = fmin(fmax(floor(begin), 0.0), last_sample);
  const double last = fmin(fmax(ceil(end) - 1, first), last_sample);
  AreaTap tap{static_cast<int>(first), static_cast<int>(last), static_cast<float>(1 / width), 1, 0};
  if (first != last) {
    tap.first_edge = static_cast<float>((first + 1 - begin) / width);
    tap.last_edge = static_cast<float>((end - last) / width);
  }
  return tap;
}

template <Access kAccess, int kChannels>
__device__ void box_mean(const BatchRegion& region, const BatchPlane& plane, double frame_x,
                         double frame_y, float (&out)[kChannels]) {
  const AreaTap x =
      area_tap(frame_x * plane.scale_x + plane.shift_x, region.xx * plane.scale_x, plane.width);
  const AreaTap y =
      area_tap(frame_y * plane.scale_y + plane.shift_y, region.yy * plane.scale_y, plane.height);
#pragma unroll
  for (int c = 0; c < kChannels; ++c) out[c] = 0;
#pragma unroll 1
  for (int j = y.first; j <= y.last; ++j) {
    float sum[kChannels] = {};
#pragma unroll 1
    for (int i = x.first; i <= x.last; ++i) {
      float sample[kChannels];
      load<kAccess>(plane, sample_at(plane, i, j), sample);
      const float weight = x.weight(i);
#pragma unroll
      for (int c = 0; c < kChannels; ++c) sum[c] += sample[c] * weight;
    }
    const float weight = y.weight(j);
#pragma unroll
    for (int c = 0; c < kChannels; ++c) out[c] += sum[c] * weight;
  }
}

// ---- From a tensor's pixel to the frame ----

struct FramePoint {
  double x, y;
};

// Without fused multiplications, so that a position on an edge falls where it does on the CPU.
__device__ FramePoint to_frame(const BatchRegion& region, double x, double y) {
  return {__dadd_rn(__dmul_rn(region.xx, x), __dadd_rn(__dmul_rn(region.xy, y), region.x0)),
          __dadd_rn(__dmul_rn(region.yx, x), __dadd_rn(__dmul_rn(region.yy, y), region.y0))};
}

// A sample on a warp's grid may lie outside of the frame although its pixel's centre does not; so
// far that blocks at the border are all it sees is far enough.
__device__ FramePoint into_frame(const BatchRegion& region, const FramePoint& p) {
  return {fmin(fmax(p.x, -64.0), region.frame_width + 64.0),
          fmin(fmax(p.y, -64.0), region.frame_height + 64.0)};
}

// The mean of a block of samples, rounded as the sample of a plane of bytes, or of 10 bits, is.
template <Access kAccess, int kChannels>
__device__ void block_mean(const BatchPlane& plane, int block_x, int block_y,
                           float (&out)[kChannels]) {
  constexpr float kUnit = kAccess == Access::kWide || kAccess == Access::kWidePair ? 64 : 1;
  const int side = plane.block_side;
  const int left = min(max(block_x, 0), (plane.width - 1) / side) * side;
  const int top = min(max(block_y, 0), (plane.height - 1) / side) * side;
  float sum[kChannels] = {};
#pragma unroll 1
  for (int j = 0; j < side; ++j)
#pragma unroll 1
    for (int i = 0; i < side; ++i) {
      float sample[kChannels];
      load<kAccess>(
          plane, sample_at(plane, min(left + i, plane.width - 1), min(top + j, plane.height - 1)),
          sample);
#pragma unroll
      for (int c = 0; c < kChannels; ++c) sum[c] += sample[c];
    }
#pragma unroll
  for (int c = 0; c < kChannels; ++c)
    out[c] = floorf(sum[c] / (kUnit * static_cast<float>(side * side)) + 0.5f) * kUnit;
}

template <Access kAccess, int kChannels>
__device__ void bilinear_of_blocks(const BatchPlane& plane, const FramePoint& point,
                                   float (&out)[kChannels]) {
  const double blocks_a_sample = 1.0 / plane.block_side;
  int x, y;
  float weight_x, weight_y;
  split((point.x * plane.scale_x + plane.shift_x) * blocks_a_sample - 0.5, x, weight_x);
  split((point.y * plane.scale_y + plane.shift_y) * blocks_a_sample - 0.5, y, weight_y);
#pragma unroll
  for (int c = 0; c < kChannels; ++c) out[c] = 0;
#pragma unroll 1
  for (int corner = 0; corner < 4; ++corner) {
    const int right = corner & 1, lower = corner >> 1;
    const float weight = (right ? weight_x : 1 - weight_x) * (lower ? weight_y : 1 - weight_y);
    float mean[kChannels];
    block_mean<kAccess>(plane, x + right, y + lower, mean);
#pragma unroll
    for (int c = 0; c < kChannels; ++c) out[c] += mean[c] * weight;
  }
}

template <Access kAccess, bool kMayBeHalved, int kChannels>
__device__ void warped_mean(const BatchRegion& region, const BatchPlane& plane, int x, int y,
                            float (&out)[kChannels]) {
  float sum[kChannels] = {};
#pragma unroll 1
  for (int j = 0; j < plane.down; ++j)
#pragma unroll 1
    for (int i = 0; i < plane.across; ++i) {
      const FramePoint point = into_frame(
          region, to_frame(region, x + (i + 0.5) / plane.across, y + (j + 0.5) / plane.down));
      float sample[kChannels];
      if (plane.block_side > 1) {
        bilinear_of_blocks<kAccess>(plane, point, sample);
      } else {
        Position at;
        split(point.x, at.x, at.in_x);
        split(point.y, at.y, at.in_y);
        bilinear<kAccess, kMayBeHalved>(plane, at, sample);
      }
#pragma unroll
      for (int c = 0; c < kChannels; ++c) sum[c] += sample[c];
    }
#pragma unroll
  for (int c = 0; c < kChannels; ++c)
    out[c] = sum[c] / static_cast<float>(plane.across * plane.down);
}

// ---- Pixels of the tensor ----

// Some pixels of a column, made together: what they have in common is read once, and they wait for
// memory at the same time.
template <SampleFilter kFilter>
struct Column {
  static constexpr int kRows = rows_a_thread(kFilter);

  const BatchRegion& region;
  int x;
  int y[kRows];
  unsigned inside = 0;  // a bit each: of the tensor's content and of the frame
  FramePoint point[kRows];
  Position at[kRows];
  float in[kRows][3];

  explicit __device__ Column(const BatchRegion& r) : region(r) {
    x = blockIdx.x * kBlockWidth + threadIdx.x;
    const double centre = whole(x) + 0.5;
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      y[i] = (blockIdx.y * kRows + i) * kBlockHeight + threadIdx.y;
      in[i][0] = in[i][1] = in[i][2] = 0;
      locate(i, centre);
    }
  }

  // No branches: `inside` says in the end what counts.
  __device__ void locate(int i, double centre) {
    point[i] = to_frame(region, centre, whole(y[i]) + 0.5);
    split(point[i].x, at[i].x, at[i].in_x);
    split(point[i].y, at[i].y, at[i].in_y);
    const unsigned in_content = (x >= region.columns_begin) & (x < region.columns_end) &
                                (y[i] >= region.rows_begin) & (y[i] < region.rows_end);
    const unsigned in_frame = static_cast<unsigned>(is_near(point[i].x)) & is_near(point[i].y) &
                              is_below(at[i].x, region.frame_width) &
                              is_below(at[i].y, region.frame_height);
    // Of axis-aligned regions, columns and rows have said so.
    inside |= (in_content & (in_frame | static_cast<unsigned>(region.axis_aligned))) << i;
    at[i].x = min(max(at[i].x, 0), region.frame_width - 1);
    at[i].y = min(max(at[i].y, 0), region.frame_height - 1);
  }

  // Whether split() holds for it: magnitudes below 2²⁶, by the exponent.
  static __device__ bool is_near(double coordinate) {
    return (__double2hiint(coordinate) & 0x7fffffff) < 0x41900000;
  }
  static __device__ bool is_below(int pixel, int size) {
    return static_cast<unsigned>(pixel) < static_cast<unsigned>(size);
  }
  __device__ bool is_inside(int i) const { return (inside >> i & 1) != 0; }

  // A whole number that is not negative, without a conversion.
  static __device__ double whole(int number) {
    return __hiloint2double(0x43300000, number) - 4503599627370496.0;  // 2⁵²
  }

  template <Access kAccess, bool kMayBeHalved, int kChannels>
  __device__ void sample(int i, const BatchPlane& plane, float (&out)[kChannels]) const {
    if constexpr (kFilter == SampleFilter::kNearest) {
      nearest<kAccess>(plane, at[i], out);
    } else if constexpr (kFilter == SampleFilter::kBilinear) {
      bilinear<kAccess, kMayBeHalved>(plane, at[i], out);
    } else if (region.axis_aligned) {
      box_mean<kAccess>(region, plane, point[i].x, point[i].y, out);
    } else {
      warped_mean<kAccess, kMayBeHalved>(region, plane, x, y[i], out);
    }
  }

  template <Access kLuma>
  __device__ void luma(int i) {
    float one[1];
    sample<kLuma, false>(i, region.planes[0], one);
    in[i][0] = one[0];
  }

  template <Access kLuma, Access kChroma>
  __device__ void luma_and_chroma(int i) {
    luma<kLuma>(i);
    float chroma[2];
    sample<kChroma, true>(i, region.planes[1], chroma);
    in[i][1] = chroma[0];
    in[i][2] = chroma[1];
  }

  __device__ void planar(int i) {
#pragma unroll
    for (int c = 0; c < 3; ++c) {
      float one[1];
      sample<Access::kByte, true>(i, region.planes[c], one);
      in[i][c] = one[0];
    }
  }

  template <typename F>
  __device__ void for_each_inside(F&& read) {
#pragma unroll
    for (int i = 0; i < kRows; ++i)
      if (is_inside(i)) read(i);
  }

  // The components of all pixels.
  __device__ void read() {
    switch (region.layout) {
      case SampleLayout::kLuma:
        return for_each_inside([&](int i) { luma<Access::kByte>(i); });
      case SampleLayout::kLuma16:
        return for_each_inside([&](int i) { luma<Access::kWide>(i); });
      case SampleLayout::kSemiPlanar:
        return for_each_inside([&](int i) { luma_and_chroma<Access::kByte, Access::kWord16>(i); });
      case SampleLayout::kSemiPlanar16:
        return for_each_inside(
            [&](int i) { luma_and_chroma<Access::kWide, Access::kWidePair>(i); });
      case SampleLayout::kInterleaved:
        return for_each_inside([&](int i) { luma_and_chroma<Access::kByte, Access::kBytes>(i); });
      case SampleLayout::kPlanar:
        return for_each_inside([&](int i) { planar(i); });
      case SampleLayout::kPacked4:
        return for_each_inside(
            [&](int i) { sample<Access::kWord32, false>(i, region.planes[0], in[i]); });
      case SampleLayout::kPacked:
        return for_each_inside(
            [&](int i) { sample<Access::kBytes, false>(i, region.planes[0], in[i]); });
    }
  }

  // The channels of a pixel, 0…255, or what pads.
  __device__ void convert(int i, const BatchTarget& target, float (&pixel)[3]) const {
#pragma unroll
    for (int o = 0; o < 3; ++o) {
      const float* const by = region.matrix[o];
      const float value = region.offset[o] + by[0] * in[i][0] + by[1] * in[i][1] + by[2] * in[i][2];
      pixel[o] = is_inside(i) ? fminf(fmaxf(value, 0.0f), 255.0f) : target.pad[o];
    }
  }
};

// ---- Elements of the tensor ----

struct Normalizer {
  float gain[3], bias[3];
};

__device__ Normalizer normalizer_of(const BatchTarget& target, int item) {
  Normalizer by;
  if (target.moments != nullptr) {
    const double count = static_cast<double>(target.width) * target.height * target.channels;
    const double sum = target.moments[2 * item], squares = target.moments[2 * item + 1];
    const double mean = sum / count;
    const double deviation = sqrt(fmax(squares / count - mean * mean, 0.0));
    const double gain = 1 / fmax(deviation, 1 / sqrt(count));
    for (int c = 0; c < 3; ++c) {
      by.gain[c] = static_cast<float>(gain);
      by.bias[c] = static_cast<float>(-mean * gain);
    }
    return by;
  }
#pragma unroll
  for (int c = 0; c < 3; ++c) {
    by.gain[c] = target.gain[c];
    by.bias[c] = target.bias[c];
  }
  return by;
}

__device__ void convert(float value, float& to) { to = value; }
__device__ void convert(float value, __half& to) { to = __float2half_rn(value); }
__device__ void convert(float value, unsigned char& to) {
  to = static_cast<unsigned char>(__float2int_rn(fminf(fmaxf(value, 0.0f), 255.0f)));
}
__device__ void convert(float value, signed char& to) {
  to = static_cast<signed char>(__float2int_rn(fminf(fmaxf(value, -128.0f), 127.0f)));
}

// Where the pixel (x, y) of one item is written: its channels are `next` elements apart.
struct Place {
  size_t first;
  unsigned next;
};

__device__ Place place_of(const BatchTarget& target, int item, unsigned pixel) {
  const unsigned pixels = static_cast<unsigned>(target.width) * target.height;
  const size_t first = static_cast<size_t>(pixels) * (target.channels * item);
  if (target.interleaved) return {first + pixel * target.channels, 1};
  return {first + pixel, pixels};
}

template <typename T>
__device__ void store(const BatchTarget& target, const Place& place, const float (&value)[3]) {
  T* const to = reinterpret_cast<T*>(target.data) + place.first;
  convert(value[0], to[0]);
  if (target.channels == 1) return;
  convert(value[1], to[place.next]);
  convert(value[2], to[2 * static_cast<size_t>(place.next)]);
}

__device__ void store_pixel(const BatchTarget& target, const Normalizer& by, int item, int x, int y,
                            const float (&pixel)[3]) {
  const unsigned at = static_cast<unsigned>(y) * target.width + x;
  float value[3];
#pragma unroll
  for (int c = 0; c < 3; ++c) {
    value[c] = pixel[c] * by.gain[c] + by.bias[c];
    if (target.mean_image != nullptr && c < target.channels)
      value[c] = (pixel[c] - __ldg(target.mean_image + at * target.channels + c)) * by.gain[c];
  }
  const Place place = place_of(target, item, at);
  switch (target.type) {
    case StoredType::kFloat32:
      return store<float>(target, place, value);
    case StoredType::kFloat16:
      return store<__half>(target, place, value);
    case StoredType::kUint8:
      return store<unsigned char>(target, place, value);
    case StoredType::kInt8:
      return store<signed char>(target, place, value);
  }
}

// ---- Blocks ----

__device__ double block_sum(double value) {
  __shared__ double partial[kBlockHeight];
  for (int lanes = kBlockWidth / 2; lanes > 0; lanes /= 2)
    value += __shfl_down_sync(0xffffffffu, value, lanes);
  __syncthreads();
  if (threadIdx.x == 0) partial[threadIdx.y] = value;
  __syncthreads();
  double sum = 0;
  for (int i = 0; i < kBlockHeight; ++i) sum += partial[i];
  return sum;
}

// Adds the block's values to the sums that normalisation by image needs.
__device__ void add_moments(double* moments, double sum, double squares) {
  sum = block_sum(sum);
  squares = block_sum(squares);
  if (threadIdx.x == 0 && threadIdx.y == 0) {
    atomicAdd(moments, sum);
    atomicAdd(moments + 1, squares);
  }
}

// Writes the batch's tensor or, with `measure`, only adds up what normalisation by image needs to
// know before.
template <SampleFilter kFilter>
__device__ void run(const Batch& batch) {
  const BatchTarget& target = batch.target;
  const int item = batch.first + blockIdx.z;
  Column<kFilter> column(batch.regions[blockIdx.z]);
  column.read();
  const Normalizer by = normalizer_of(target, item);
  double sum = 0, squares = 0;
#pragma unroll
  for (int i = 0; i < column.kRows; ++i) {
    if (column.x >= target.width || column.y[i] >= target.height) break;
    float pixel[3];
    column.convert(i, target, pixel);
    if (!target.measure) {
      store_pixel(target, by, item, column.x, column.y[i], pixel);
      continue;
    }
    for (int c = 0; c < target.channels; ++c) {
      sum += pixel[c];
      squares += static_cast<double>(pixel[c]) * pixel[c];
    }
  }
  if (target.measure) add_moments(target.moments + 2 * item, sum, squares);
}

}  // namespace

#define SIGHTLINE_KERNEL(name, filter)                                    \
  extern "C" __global__ void __launch_bounds__(kBlockWidth* kBlockHeight) \
      regions_##name(__grid_constant__ const Batch batch) {               \
    run<SampleFilter::filter>(batch);                                     \
  }

SIGHTLINE_KERNEL(nearest, kNearest)
SIGHTLINE_KERNEL(bilinear, kBilinear)
SIGHTLINE_KERNEL(area, kArea)

}  // namespace sightline::cuda
