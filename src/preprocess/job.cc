// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/job.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sightline::sampling {

namespace {

// The chroma plane's coordinates of a frame: half as many samples, the first of them centred on the
// first luma sample if cosited, else between the first two.
Affine2 chroma_from_frame(const FrameView& frame, bool half_height) {
  const double x0 = frame.site.horizontally_cosited ? 0.25 : 0;
  const double y0 = frame.site.vertically_cosited ? 0.25 : 0;
  return half_height ? Affine2{0.5, 0, x0, 0, 0.5, y0} : Affine2{0.5, 0, x0, 0, 1, 0};
}

Size chroma_size(Size luma, bool half_height) {
  return {luma.width / 2 + luma.width % 2,
          half_height ? luma.height / 2 + luma.height % 2 : luma.height};
}

SamplePlane luma_plane(const FrameView& frame, int step, int offset) {
  return {frame.planes[0].data, frame.planes[0].stride, step, 1, frame.size, 1, {offset}, {0}, {}};
}

// U at `u` and V at `v`, both in bytes, every `step` bytes of the first or second plane.
SamplePlane chroma_pairs(const FrameView& frame, std::size_t plane, int step, int u, int v,
                         bool half_height) {
  return {frame.planes[plane].data,
          frame.planes[plane].stride,
          step,
          1,
          chroma_size(frame.size, half_height),
          2,
          {u, v},
          {1, 2},
          chroma_from_frame(frame, half_height)};
}

SamplePlane chroma_plane(const FrameView& frame, std::size_t plane, int component) {
  return {frame.planes[plane].data,
          frame.planes[plane].stride,
          1,
          1,
          chroma_size(frame.size, true),
          1,
          {0},
          {component},
          chroma_from_frame(frame, true)};
}

Source rgb_source(const FrameView& frame, int step, std::array<int, 3> offset) {
  const Plane& plane = frame.planes[0];
  return {
      {SamplePlane{plane.data, plane.stride, step, 1, frame.size, 3, offset, {0, 1, 2}, {}}}, 1, 3};
}

// Red, green and blue in the planes of these numbers.
Source planar_rgb_source(const FrameView& frame, std::array<std::size_t, 3> plane_of) {
  Source source{{}, 3, 3};
  for (std::size_t c = 0; c < 3; ++c) {
    const Plane& plane = frame.planes[plane_of[c]];
    source.planes[c] = {plane.data, plane.stride,          1, 1, frame.size, 1,
                        {0},        {static_cast<int>(c)}, {}};
  }
  return source;
}

Source p010_source(const FrameView& frame) {
  Source source{{luma_plane(frame, 2, 0), chroma_pairs(frame, 1, 4, 0, 2, true)}, 2, 3};
  for (SamplePlane& plane : source.planes) plane.sample_bytes = 2;
  return source;
}

Source source_of(const FrameView& frame) {
  switch (frame.format) {
    case PixelFormat::kNv12:
      return {{luma_plane(frame, 1, 0), chroma_pairs(frame, 1, 2, 0, 1, true)}, 2, 3};
    case PixelFormat::kNv21:
      return {{luma_plane(frame, 1, 0), chroma_pairs(frame, 1, 2, 1, 0, true)}, 2, 3};
    case PixelFormat::kI420:
      return {
          {luma_plane(frame, 1, 0), chroma_plane(frame, 1, 1), chroma_plane(frame, 2, 2)}, 3, 3};
    case PixelFormat::kYv12:
      return {
          {luma_plane(frame, 1, 0), chroma_plane(frame, 1, 2), chroma_plane(frame, 2, 1)}, 3, 3};
    case PixelFormat::kYuy2:
      return {{luma_plane(frame, 2, 0), chroma_pairs(frame, 0, 4, 1, 3, false)}, 2, 3};
    case PixelFormat::kUyvy:
      return {{luma_plane(frame, 2, 1), chroma_pairs(frame, 0, 4, 0, 2, false)}, 2, 3};
    case PixelFormat::kRgb:
      return rgb_source(frame, 3, {0, 1, 2});
    case PixelFormat::kBgr:
      return rgb_source(frame, 3, {2, 1, 0});
    case PixelFormat::kRgba:
    case PixelFormat::kRgbx:
      return rgb_source(frame, 4, {0, 1, 2});
    case PixelFormat::kBgra:
    case PixelFormat::kBgrx:
      return rgb_source(frame, 4, {2, 1, 0});
    case PixelFormat::kArgb:
      return rgb_source(frame, 4, {1, 2, 3});
    case PixelFormat::kRgbp:
      return planar_rgb_source(frame, {0, 1, 2});
    case PixelFormat::kGbr:
      return planar_rgb_source(frame, {2, 0, 1});
    case PixelFormat::kP010:
      return p010_source(frame);
    case PixelFormat::kGray8:
      break;
  }
  return {{luma_plane(frame, 1, 0)}, 1, 1};
}

bool is_rgb(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb:
    case PixelFormat::kBgr:
    case PixelFormat::kRgba:
    case PixelFormat::kBgra:
    case PixelFormat::kRgbx:
    case PixelFormat::kBgrx:
    case PixelFormat::kArgb:
    case PixelFormat::kRgbp:
    case PixelFormat::kGbr:
      return true;
    default:
      return false;
  }
}

// The weights of red and blue in luma; green has the rest.
struct LumaWeights {
  double red, blue;
};

LumaWeights luma_weights(ColorMatrix matrix) {
  switch (matrix) {
    case ColorMatrix::kBt601:
      return {0.299, 0.114};
    case ColorMatrix::kBt709:
      return {0.2126, 0.0722};
    case ColorMatrix::kBt2020:
      break;
  }
  return {0.2627, 0.0593};
}

// What the numbers of a YUV format mean (ITU-R BT.601, 709, 2020, 2100).
struct Quantization {
  double black, luma_range, neutral, chroma_range;
};

Quantization quantization(const FrameView& frame) {
  const bool limited = frame.range == ColorRange::kLimited;
  if (frame.format == PixelFormat::kP010) {
    constexpr double kUnit = 64;  // 10 bits on top of 16
    return limited ? Quantization{64 * kUnit, 876 * kUnit, 512 * kUnit, 896 * kUnit}
                   : Quantization{0, 1023 * kUnit, 512 * kUnit, 1023 * kUnit};
  }
  return limited ? Quantization{16, 219, 128, 224} : Quantization{0, 255, 128, 255};
}

using Matrix = std::array<std::array<float, 3>, 3>;

// R, G, B, 0…255, of Y', Cb, Cr.
void yuv_to_rgb(const FrameView& frame, Matrix& matrix, std::array<float, 3>& offset) {
  const auto [red, blue] = luma_weights(frame.matrix);
  const double green = 1 - red - blue;
  const Quantization numbers = quantization(frame);
  const double y = 255 / numbers.luma_range, c = 255 / numbers.chroma_range;
  const double r_v = 2 * (1 - red) * c, b_u = 2 * (1 - blue) * c;
  const double g_u = -b_u * blue / green, g_v = -r_v * red / green;
  const double rows[3][3] = {{y, 0, r_v}, {y, g_u, g_v}, {y, b_u, 0}};
  for (std::size_t o = 0; o < 3; ++o) {
    for (std::size_t i = 0; i < 3; ++i) matrix[o][i] = static_cast<float>(rows[o][i]);
    offset[o] =
        static_cast<float>(-numbers.black * y - numbers.neutral * (rows[o][1] + rows[o][2]));
  }
}

ColorTransform color_of(const FrameView& frame, Channels channels) {
  ColorTransform color;
  const bool gray = channels == Channels::kGray, rgb = is_rgb(frame.format);
  color.outputs = gray ? 1 : 3;
  if (rgb && gray) {
    const auto [red, blue] = luma_weights(ColorMatrix::kBt601);  // what "gray" is by custom
    color.matrix[0] = {static_cast<float>(red), static_cast<float>(1 - red - blue),
                       static_cast<float>(blue)};
    return color;
  }
  if (rgb) {
    for (std::size_t i = 0; i < 3; ++i) color.matrix[i][i] = 1;
  } else if (gray || frame.format == PixelFormat::kGray8) {
    const Quantization numbers = quantization(frame);
    color.inputs = 1;
    for (std::size_t o = 0; o < 3; ++o) {
      color.matrix[o][0] = static_cast<float>(255 / numbers.luma_range);
      color.offset[o] = static_cast<float>(-255 * numbers.black / numbers.luma_range);
    }
  } else {
    yuv_to_rgb(frame, color.matrix, color.offset);
  }
  if (channels == Channels::kBgr) {
    std::swap(color.matrix[0], color.matrix[2]);
    std::swap(color.offset[0], color.offset[2]);
  }
  return color;
}

// The pixels of [0, size) whose centres lie in [begin, end).
Span centres_in(double begin, double end, int size) {
  const auto first_at = [size](double edge) {
    return static_cast<int>(std::clamp(std::ceil(edge - 0.5), 0.0, static_cast<double>(size)));
  };
  return {first_at(begin), first_at(end)};
}

// Where along its row or column a coordinate `along · (i + 0.5) + rest` is: −1 before [0, size), 0
// in it, 1 behind it; turned around where the coordinate falls. It is monotonous either way.
struct Side {
  double along, rest;
  int size;

  int operator()(int i) const {
    const double at = along * (i + 0.5) + rest;
    const int position = at < 0 ? -1 : at < size ? 0 : 1;
    return along < 0 ? -position : position;
  }
  // Where the coordinate is `at`, roughly.
  double place_of(double at) const { return along == 0 ? 0 : (at - rest) / along - 0.5; }
};

// The part of [begin, end) that is in [0, size).
Span interval(Span within, const Side& side) {
  if (within.empty()) return {};
  if (side(within.begin) == 0 && side(within.end - 1) == 0) return within;
  // From a guess, whose rounding is a step off at most.
  const auto first = [&](int at_least, double guess) {
    int i = static_cast<int>(
        std::clamp(guess, static_cast<double>(within.begin), static_cast<double>(within.end)));
    while (i > within.begin && side(i - 1) >= at_least) --i;
    while (i < within.end && side(i) < at_least) ++i;
    return i;
  };
  const double ends[] = {side.place_of(0), side.place_of(side.size)};
  return {first(0, std::min(ends[0], ends[1])), first(1, std::max(ends[0], ends[1]))};
}

}  // namespace

int SamplePlane::row_bytes(Span samples) const {
  int last = 0;
  for (int c = 0; c < channels; ++c) last = std::max(last, offset[static_cast<std::size_t>(c)]);
  return (samples.end - samples.begin - 1) * step + last + 1;
}

Span Job::inside(int y) const {
  if (y < rows.begin || y >= rows.end) return {};
  if (axis_aligned()) return columns;
  const double cy = y + 0.5;
  if (whole) return columns;
  const Span by_x =
      interval(columns, Side{to_frame.xx, to_frame.xy * cy + to_frame.x0, frame.width});
  return interval(by_x, Side{to_frame.yx, to_frame.yy * cy + to_frame.y0, frame.height});
}

Bounds Job::bounds(const Affine2& map) const {
  Bounds box{HUGE_VAL, -HUGE_VAL, HUGE_VAL, -HUGE_VAL};
  for (const int column : {columns.begin, columns.end})
    for (const int row : {rows.begin, rows.end}) {
      const double x = map.xx * column + map.xy * row + map.x0;
      const double y = map.yx * column + map.yy * row + map.y0;
      box.left = std::min(box.left, x), box.right = std::max(box.right, x);
      box.top = std::min(box.top, y), box.bottom = std::max(box.bottom, y);
    }
  return box;
}

namespace {

// Whether all pixels of `columns` and `rows` have their centres in the frame: then none between
// them is outside, but for the rounding of those that lie at an edge.
bool corners_inside(const Job& job) {
  if (job.columns.empty() || job.rows.empty()) return false;
  constexpr double kRounding = 1e-6;
  const Affine2& map = job.to_frame;
  for (const int column : {job.columns.begin, job.columns.end - 1})
    for (const int row : {job.rows.begin, job.rows.end - 1}) {
      const double x = map.xx * (column + 0.5) + map.xy * (row + 0.5) + map.x0;
      const double y = map.yx * (column + 0.5) + map.yy * (row + 0.5) + map.y0;
      if (!(x >= kRounding && x < job.frame.width - kRounding && y >= kRounding &&
            y < job.frame.height - kRounding))
        return false;
    }
  return true;
}

}  // namespace

Job make_job(const FrameView& frame, const Region& region, const TensorSpec& spec,
             std::byte* output) {
  Job job;
  job.color = color_of(frame, spec.channels);
  job.source = source_of(frame);
  if (job.color.inputs == 1) {  // luma is all that is needed
    job.source.plane_count = 1;
    job.source.components = 1;
  }
  job.frame = frame.size;
  job.to_frame = region.to_frame;
  job.columns = {0, spec.size.width};
  job.rows = {0, spec.size.height};
  if (region.content) {
    job.columns = centres_in(region.content->x, region.content->right(), spec.size.width);
    job.rows = centres_in(region.content->y, region.content->bottom(), spec.size.height);
  }
  if (job.axis_aligned()) {
    const Affine2& map = job.to_frame;
    job.columns = interval(job.columns, Side{map.xx, map.x0, frame.size.width});
    job.rows = interval(job.rows, Side{map.yy, map.y0, frame.size.height});
  }
  job.whole = corners_inside(job);
  job.spec = &spec;
  job.output = output;
  return job;
}

int block_side(const Affine2& to_plane) {
  static constexpr double kLargestSide = 16;  // of 16 × 16 bytes the sum fits into 16 bits
  const double smaller =
      std::min(std::hypot(to_plane.xx, to_plane.yx), std::hypot(to_plane.xy, to_plane.yy));
  // Half as much again as a block is where the next larger one is as near.
  return static_cast<int>(
      std::bit_floor(static_cast<unsigned>(std::clamp(smaller / 0.75, 1.0, kLargestSide))));
}

Grid supersampling(const Affine2& to_blocks) {
  static constexpr double kMost = 32;  // a side; more changes little and costs its square
  const auto samples = [](double dx, double dy) {
    return static_cast<int>(std::clamp(std::floor(std::hypot(dx, dy) + 0.5), 1.0, kMost));
  };
  return {samples(to_blocks.xx, to_blocks.yx), samples(to_blocks.xy, to_blocks.yy)};
}

}  // namespace sightline::sampling
