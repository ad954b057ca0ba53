// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Sprites laid over the pixels of a frame, block by block of 2 × 2: what the kernel does, and what
// tests do on the host to compare with GStreamer's blending.

#pragma once

#ifdef __CUDACC__
#define SIGHTLINE_HOST_AND_DEVICE __host__ __device__
#else
#define SIGHTLINE_HOST_AND_DEVICE
#endif

namespace sightline::cuda {

// Premultiplied ARGB. Without pixels all are `argb`.
struct DrawnSprite {
  const unsigned* pixels;
  unsigned argb;
  int x, y, width, height;  // of the frame; may reach beyond it
};

// A part of the frame, kDrawnTile pixels wide and high, and which sprites meet it, in their order:
// `count` numbers from Drawing::order[first] on.
struct DrawnTile {
  int x, y;
  int first, count;
};

inline constexpr int kDrawnTile = 32;
inline constexpr int kDrawnBlock = 2;

enum class DrawnFormat : int { kNv12, kRgba, kBgra };

struct Drawing {
  unsigned char* planes[2];
  long long strides[2];
  int width, height;
  DrawnFormat format;
  const DrawnSprite* sprites;
  const DrawnTile* tiles;
  const int* order;
};

namespace drawing {

struct Pixel {
  int alpha, first, second, third;
};

SIGHTLINE_HOST_AND_DEVICE inline int over(int above, int below, int alpha) {
  const int sum = above + (below * (255 - alpha) + 127) / 255;
  return sum < 0 ? 0 : sum > 255 ? 255 : sum;
}

// As GStreamer's overlays become Y'CbCr, whatever the frame's own matrix (BT.709, limited range);
// premultiplied, so that the offsets count as much as the pixel does.
SIGHTLINE_HOST_AND_DEVICE inline Pixel as_yuv(const Pixel& p) {
  const int black = 4096 * p.alpha / 255, neutral = 32768 * p.alpha / 255;
  return {p.alpha, (47 * p.first + 157 * p.second + 16 * p.third + black) >> 8,
          (-26 * p.first - 87 * p.second + 112 * p.third + neutral) >> 8,
          (112 * p.first - 102 * p.second - 10 * p.third + neutral) >> 8};
}

// Alpha, red, green, blue of the sprite at this place of the frame. False: it is not there, or is
// not to be seen.
SIGHTLINE_HOST_AND_DEVICE inline bool find(const DrawnSprite& sprite, int x, int y, Pixel& pixel) {
  const int column = x - sprite.x, row = y - sprite.y;
  if (column < 0 || row < 0 || column >= sprite.width || row >= sprite.height) return false;
  const unsigned argb = sprite.pixels == nullptr
                            ? sprite.argb
                            : sprite.pixels[static_cast<long long>(row) * sprite.width + column];
  pixel = {static_cast<int>(argb >> 24), static_cast<int>(argb >> 16 & 255),
           static_cast<int>(argb >> 8 & 255), static_cast<int>(argb & 255)};
  return pixel.alpha != 0;
}

// The chroma of a block is that of its left upper pixel, as GStreamer packs it.
SIGHTLINE_HOST_AND_DEVICE inline void lay_over_nv12(const Drawing& to, const DrawnSprite& sprite,
                                                    int x, int y) {
  Pixel pixel{};
  if (!find(sprite, x, y, pixel)) return;
  const Pixel yuv = as_yuv(pixel);
  unsigned char* const luma = to.planes[0] + y * to.strides[0] + x;
  *luma = static_cast<unsigned char>(over(yuv.first, *luma, yuv.alpha));
  if (x % kDrawnBlock != 0 || y % kDrawnBlock != 0) return;
  unsigned char* const chroma = to.planes[1] + y / 2 * to.strides[1] + x;
  chroma[0] = static_cast<unsigned char>(over(yuv.second, chroma[0], yuv.alpha));
  chroma[1] = static_cast<unsigned char>(over(yuv.third, chroma[1], yuv.alpha));
}

SIGHTLINE_HOST_AND_DEVICE inline void lay_over_rgb(const Drawing& to, const DrawnSprite& sprite,
                                                   int x, int y) {
  Pixel pixel{};
  if (!find(sprite, x, y, pixel)) return;
  unsigned char* const at = to.planes[0] + y * to.strides[0] + 4 * x;
  const int red = to.format == DrawnFormat::kRgba ? 0 : 2;
  at[red] = static_cast<unsigned char>(over(pixel.first, at[red], pixel.alpha));
  at[1] = static_cast<unsigned char>(over(pixel.second, at[1], pixel.alpha));
  at[2 - red] = static_cast<unsigned char>(over(pixel.third, at[2 - red], pixel.alpha));
  at[3] = static_cast<unsigned char>(over(pixel.alpha, at[3], pixel.alpha));
}

}  // namespace drawing

// Block (column, row) of a tile.
SIGHTLINE_HOST_AND_DEVICE inline void draw_block(const Drawing& to, const DrawnTile& tile,
                                                 int column, int row) {
  for (int i = 0; i < tile.count; ++i) {
    const DrawnSprite& sprite = to.sprites[to.order[tile.first + i]];
    for (int y = tile.y + kDrawnBlock * row; y < tile.y + kDrawnBlock * (row + 1); ++y)
      for (int x = tile.x + kDrawnBlock * column; x < tile.x + kDrawnBlock * (column + 1); ++x) {
        if (x >= to.width || y >= to.height) continue;
        if (to.format == DrawnFormat::kNv12)
          drawing::lay_over_nv12(to, sprite, x, y);
        else
          drawing::lay_over_rgb(to, sprite, x, y);
      }
  }
}

}  // namespace sightline::cuda
