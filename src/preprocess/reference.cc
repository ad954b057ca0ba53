// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/reference.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sightline::reference {

namespace {

using Color = std::array<double, 3>;

bool is_ten_bit(PixelFormat f) { return f == PixelFormat::kP010; }
bool is_yuv(PixelFormat f) { return f <= PixelFormat::kUyvy || is_ten_bit(f); }
bool is_420(PixelFormat f) { return f <= PixelFormat::kYv12 || is_ten_bit(f); }

// Sample (x, y) of component c (Y, U, V or R, G, B; GRAY8 has one).
int stored(const FrameView& frame, int c, int x, int y) {
  const auto byte = [&](int plane, int column) {
    const Plane& p = frame.planes[static_cast<std::size_t>(plane)];
    return static_cast<int>(p.data[p.stride * y + column]);
  };
  switch (frame.format) {
    case PixelFormat::kNv12:
      return c == 0 ? byte(0, x) : byte(1, 2 * x + (c == 1 ? 0 : 1));
    case PixelFormat::kNv21:
      return c == 0 ? byte(0, x) : byte(1, 2 * x + (c == 1 ? 1 : 0));
    case PixelFormat::kI420:
      return byte(c, x);
    case PixelFormat::kYv12:
      return byte(c == 0 ? 0 : 3 - c, x);
    case PixelFormat::kYuy2:
      return byte(0, c == 0 ? 2 * x : 4 * x + (c == 1 ? 1 : 3));
    case PixelFormat::kUyvy:
      return byte(0, c == 0 ? 2 * x + 1 : 4 * x + (c == 1 ? 0 : 2));
    case PixelFormat::kRgb:
      return byte(0, 3 * x + c);
    case PixelFormat::kBgr:
      return byte(0, 3 * x + 2 - c);
    case PixelFormat::kRgba:
    case PixelFormat::kRgbx:
      return byte(0, 4 * x + c);
    case PixelFormat::kBgra:
    case PixelFormat::kBgrx:
      return byte(0, 4 * x + 2 - c);
    case PixelFormat::kArgb:
      return byte(0, 4 * x + 1 + c);
    case PixelFormat::kGray8:
      return byte(0, x);
    case PixelFormat::kRgbp:
      return byte(c, x);
    case PixelFormat::kGbr:
      return byte((c + 2) % 3, x);
    case PixelFormat::kP010: {  // little-endian words; the low 6 bits are none of the sample's
      const int plane = c == 0 ? 0 : 1, word = c == 0 ? x : 2 * x + c - 1;
      return (byte(plane, 2 * word) + 256 * byte(plane, 2 * word + 1)) >> 6;
    }
  }
  return 0;
}

// One component as a grid of samples of its own.
struct Grid {
  const FrameView& frame;
  int c;
  bool half_x, half_y;

  Grid(const FrameView& f, int component)
      : frame(f),
        c(component),
        half_x(is_yuv(f.format) && component > 0),
        half_y(is_420(f.format) && component > 0) {}

  int width() const { return half_x ? (frame.size.width + 1) / 2 : frame.size.width; }
  int height() const { return half_y ? (frame.size.height + 1) / 2 : frame.size.height; }
  // The outermost samples repeat for ever.
  double at(int x, int y) const {
    return stored(frame, c, std::clamp(x, 0, width() - 1), std::clamp(y, 0, height() - 1));
  }
  // Frame coordinates to the grid's, both with centres at one half: a cosited chroma sample k has
  // its centre on luma sample 2k, at 2k + 0.5; a centred one at 2k + 1.
  double x(double frame_x) const {
    if (!half_x) return frame_x;
    return frame.site.horizontally_cosited ? (frame_x - 0.5) / 2 + 0.5 : (frame_x - 1) / 2 + 0.5;
  }
  double y(double frame_y) const {
    if (!half_y) return frame_y;
    return frame.site.vertically_cosited ? (frame_y - 0.5) / 2 + 0.5 : (frame_y - 1) / 2 + 0.5;
  }
};

double bilinear(const Grid& grid, double frame_x, double frame_y) {
  const double x = grid.x(frame_x) - 0.5, y = grid.y(frame_y) - 0.5;
  const int x0 = static_cast<int>(std::floor(x)), y0 = static_cast<int>(std::floor(y));
  const double wx = x - x0, wy = y - y0;
  return (grid.at(x0, y0) * (1 - wx) + grid.at(x0 + 1, y0) * wx) * (1 - wy) +
         (grid.at(x0, y0 + 1) * (1 - wx) + grid.at(x0 + 1, y0 + 1) * wx) * wy;
}

double nearest(const Grid& grid, double frame_x, double frame_y) {
  const int x = static_cast<int>(std::floor(frame_x)), y = static_cast<int>(std::floor(frame_y));
  return grid.at(grid.half_x ? x / 2 : x, grid.half_y ? y / 2 : y);
}

// The mean over a box, sample by sample; a sample covers [i, i+1).
double box_mean(const Grid& grid, double frame_x, double frame_y, double step_x, double step_y) {
  const double w = std::max(1.0, std::abs(grid.half_x ? step_x / 2 : step_x));
  const double h = std::max(1.0, std::abs(grid.half_y ? step_y / 2 : step_y));
  const double left = grid.x(frame_x) - w / 2, top = grid.y(frame_y) - h / 2;
  const auto overlap = [](double begin, double length, int i) {
    return std::max(0.0, std::min(begin + length, i + 1.0) - std::max(begin, i + 0.0));
  };
  double sum = 0;
  for (int y = static_cast<int>(std::floor(top)); y < top + h; ++y)
    for (int x = static_cast<int>(std::floor(left)); x < left + w; ++x)
      sum += grid.at(x, y) * overlap(left, w, x) * overlap(top, h, y);
  return sum / (w * h);
}

// A grid of which every side × side samples have become one, their mean, rounded.
double block_mean(const Grid& grid, int side, int x, int y) {
  x = std::clamp(x, 0, (grid.width() - 1) / side);
  y = std::clamp(y, 0, (grid.height() - 1) / side);
  double sum = 0;
  for (int j = 0; j < side; ++j)
    for (int i = 0; i < side; ++i) sum += grid.at(x * side + i, y * side + j);
  return std::floor(sum / (side * side) + 0.5);
}

double bilinear_of_blocks(const Grid& grid, int side, double frame_x, double frame_y) {
  const double x = grid.x(frame_x) / side - 0.5, y = grid.y(frame_y) / side - 0.5;
  const int x0 = static_cast<int>(std::floor(x)), y0 = static_cast<int>(std::floor(y));
  const double wx = x - x0, wy = y - y0;
  const auto at = [&](int i, int j) { return block_mean(grid, side, x0 + i, y0 + j); };
  return (at(0, 0) * (1 - wx) + at(1, 0) * wx) * (1 - wy) +
         (at(0, 1) * (1 - wx) + at(1, 1) * wx) * wy;
}

// A tensor pixel's footprint in a warp is a parallelogram. The power of two of which its shorter
// side is 0.75 to 1.5, 16 at most, is the side of blocks that are averaged first. Of those, the
// mean of a grid of bilinear samples: as many as the sides are blocks long, rounded (1 to 32 a
// side).
double warped_mean(const Grid& grid, const Affine2& map, double x, double y) {
  const double fx = grid.half_x ? 0.5 : 1, fy = grid.half_y ? 0.5 : 1;
  const double width = std::hypot(fx * map.xx, fy * map.yx);
  const double height = std::hypot(fx * map.xy, fy * map.yy);
  int side = 1;
  while (side < 16 && 1.5 * side <= std::min(width, height)) side *= 2;
  const double across = std::clamp(std::floor(width / side + 0.5), 1.0, 32.0);
  const double down = std::clamp(std::floor(height / side + 0.5), 1.0, 32.0);
  double sum = 0;
  for (int j = 0; j < down; ++j)
    for (int i = 0; i < across; ++i) {
      const double u = x + (i + 0.5) / across - 0.5, v = y + (j + 0.5) / down - 0.5;
      sum += bilinear_of_blocks(grid, side, map.xx * u + map.xy * v + map.x0,
                                map.yx * u + map.yy * v + map.y0);
    }
  return sum / (across * down);
}

double sample(const FrameView& frame, int c, const Affine2& map, Filter filter, double x,
              double y) {
  const Grid grid(frame, c);
  const double frame_x = map.xx * x + map.xy * y + map.x0;
  const double frame_y = map.yx * x + map.yy * y + map.y0;
  if (filter == Filter::kNearest) return nearest(grid, frame_x, frame_y);
  if (filter == Filter::kBilinear) return bilinear(grid, frame_x, frame_y);
  if (map.xy == 0 && map.yx == 0) return box_mean(grid, frame_x, frame_y, map.xx, map.yy);
  return warped_mean(grid, map, x, y);
}

double clamped(double v) { return std::clamp(v, 0.0, 255.0); }

double full_range(double luma, ColorRange range, bool ten_bit) {
  if (ten_bit) return range == ColorRange::kFull ? luma * 255 / 1023 : (luma - 64) * 255 / 876;
  return range == ColorRange::kFull ? luma : (luma - 16) * 255 / 219;
}

// From −127.5 to 127.5.
double chroma_difference(double chroma, ColorRange range, bool ten_bit) {
  if (ten_bit) return (chroma - 512) * 255 / (range == ColorRange::kFull ? 1023 : 896);
  return (chroma - 128) * 255 / (range == ColorRange::kFull ? 255 : 224);
}

Color rgb_of_yuv(const Color& yuv, ColorMatrix matrix, ColorRange range, bool ten_bit) {
  double kr = 0.299, kb = 0.114;
  if (matrix == ColorMatrix::kBt709) kr = 0.2126, kb = 0.0722;
  if (matrix == ColorMatrix::kBt2020) kr = 0.2627, kb = 0.0593;
  const double y = full_range(yuv[0], range, ten_bit);
  const double pb = chroma_difference(yuv[1], range, ten_bit);
  const double pr = chroma_difference(yuv[2], range, ten_bit);
  const double red = y + 2 * (1 - kr) * pr, blue = y + 2 * (1 - kb) * pb;
  return {red, (y - kr * red - kb * blue) / (1 - kr - kb), blue};
}

// A pixel in the network's channels, 0…255.
Color pixel(const FrameView& frame, const Affine2& map, const TensorSpec& spec, double x,
            double y) {
  const auto component = [&](int c) { return sample(frame, c, map, spec.filter, x, y); };
  const bool gray = spec.channels == Channels::kGray;
  Color rgb;
  if (frame.format == PixelFormat::kGray8) {
    rgb.fill(full_range(component(0), frame.range, false));
  } else if (is_yuv(frame.format)) {
    if (gray) {
      rgb.fill(full_range(component(0), frame.range, is_ten_bit(frame.format)));
    } else {
      rgb = rgb_of_yuv({component(0), component(1), component(2)}, frame.matrix, frame.range,
                       is_ten_bit(frame.format));
    }
  } else {
    rgb = {component(0), component(1), component(2)};
    if (gray) rgb.fill(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]);
  }
  if (spec.channels == Channels::kBgr) std::swap(rgb[0], rgb[2]);
  return {clamped(rgb[0]), clamped(rgb[1]), clamped(rgb[2])};
}

bool is_visible(const FrameView& frame, const Region& region, double x, double y) {
  const Affine2& map = region.to_frame;
  const double frame_x = map.xx * x + map.xy * y + map.x0;
  const double frame_y = map.yx * x + map.yy * y + map.y0;
  if (region.content && !(x >= region.content->x && x < region.content->right() &&
                          y >= region.content->y && y < region.content->bottom()))
    return false;
  return frame_x >= 0 && frame_x < frame.size.width && frame_y >= 0 && frame_y < frame.size.height;
}

void normalize_per_image(std::vector<double>& values) {
  double mean = 0, variance = 0;
  const double n = static_cast<double>(values.size());
  for (const double v : values) mean += v / n;
  for (const double v : values) variance += (v - mean) * (v - mean) / n;
  for (double& v : values) v = (v - mean) / std::max(std::sqrt(variance), 1 / std::sqrt(n));
}

}  // namespace

std::vector<double> preprocess(const FrameView& frame, const Region& region,
                               const TensorSpec& spec) {
  const int width = spec.size.width, height = spec.size.height, channels = spec.channel_count();
  std::vector<double> tensor(static_cast<std::size_t>(width * height * channels));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      Color color = {spec.pad_value[0], spec.pad_value[1], spec.pad_value[2]};
      if (is_visible(frame, region, x + 0.5, y + 0.5))
        color = pixel(frame, region.to_frame, spec, x + 0.5, y + 0.5);
      for (int c = 0; c < channels; ++c) {
        const std::size_t channel = static_cast<std::size_t>(c);
        const std::size_t nhwc = static_cast<std::size_t>((y * width + x) * channels + c);
        const std::size_t nchw = static_cast<std::size_t>((c * height + y) * width + x);
        double value = color[channel];
        if (spec.normalization == Normalization::kFixed) {
          const double mean = spec.mean_image.empty() ? spec.mean[channel] : spec.mean_image[nhwc];
          value = (value - mean) * spec.scale / spec.deviation[channel];
        }
        tensor[spec.layout == Layout::kNhwc ? nhwc : nchw] = value;
      }
    }
  if (spec.normalization == Normalization::kPerImage) normalize_per_image(tensor);
  return tensor;
}

}  // namespace sightline::reference
