// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the GPU does to draw sprites (overlay/cuda/drawing.h), done on the host, beside GStreamer's
// blending.

#include <algorithm>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <cairo.h>
#include <gtest/gtest.h>

#include "elements/overlay/cairo_sprite.h"
#include "elements/overlay/canvas.h"
#include "elements/overlay/cuda/drawing.h"
#include "elements/overlay/tiles.h"

namespace sightline {
namespace {

constexpr int kWidth = 163, kHeight = 121;  // odd: the last chroma is of half a block

// Both round, of what is translucent, to whole levels twice: colours, then their sum.
constexpr int kTranslucentTolerance = 3;

GstVideoInfo info_of(const std::string& format) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, gst_video_format_from_string(format.c_str()), kWidth, kHeight);
  return info;
}

std::vector<guint8> noise(const GstVideoInfo& info) {
  std::mt19937 random(1);
  std::vector<guint8> bytes(info.size);
  std::ranges::generate(bytes, [&] { return static_cast<guint8>(random()); });
  if (GST_VIDEO_INFO_HAS_ALPHA(&info))
    for (std::size_t i = 3; i < bytes.size(); i += 4) bytes[i] = 255;
  return bytes;
}

std::shared_ptr<Sprite> smooth(Size size, Color from, Color to) {
  return draw_sprite(size, [&](cairo_t* cairo) {
    cairo_pattern_t* const pattern = cairo_pattern_create_linear(0, 0, size.width, size.height);
    for (const auto& [at, color] : {std::pair(0.0, from), std::pair(1.0, to)})
      cairo_pattern_add_color_stop_rgba(pattern, at, color.red / 255.0, color.green / 255.0,
                                        color.blue / 255.0, color.alpha / 255.0);
    cairo_set_source(cairo, pattern);
    cairo_paint(cairo);
    cairo_pattern_destroy(pattern);
  });
}

// Over each other, over the frame's edges, at even and odd places.
Sprites opaque_sprites() {
  const Color red{220, 30, 40}, blue{10, 60, 250}, white{255, 255, 255};
  return {{Sprite::solid(premultiplied_argb(red), {60, 3}), 11, 7},
          {Sprite::solid(premultiplied_argb(blue), {3, 50}), 20, 4},
          {Sprite::solid(premultiplied_argb(white), {40, 40}), -9, -20},
          {smooth({70, 33}, red, blue), 120, 99},
          {smooth({41, 17}, white, red), 30, 6},
          {Sprite::solid(premultiplied_argb(blue), {1, 1}), 162, 120}};
}

Sprites translucent_sprites() {
  const Color red{220, 30, 40, 128}, blue{10, 60, 250, 40}, clear{0, 255, 0, 0};
  return {{Sprite::solid(premultiplied_argb(red), {90, 45}), 5, 3},
          {smooth({80, 60}, red, blue), 61, 41},
          {smooth({33, 33}, clear, red), 140, 100}};
}

void draw_on_host(const Sprites& sprites, const GstVideoInfo& info, std::vector<guint8>& bytes) {
  const Tiles tiles = tiles_of(sprites, {info.width, info.height});
  std::vector<std::vector<unsigned>> pixels;
  std::vector<cuda::DrawnSprite> drawn;
  for (const auto& [sprite, x, y] : sprites) {
    std::vector<unsigned>& own = pixels.emplace_back();
    if (!sprite->color())
      sprite->read([&](const guint8* from) {
        const auto* const first = reinterpret_cast<const unsigned*>(from);
        own.assign(first, first + sprite->bytes() / sizeof *first);
      });
    drawn.push_back({own.empty() ? nullptr : own.data(), sprite->color().value_or(0), x, y,
                     sprite->size().width, sprite->size().height});
  }
  cuda::Drawing drawing{};
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&info); ++p) {
    drawing.planes[p] = bytes.data() + info.offset[p];
    drawing.strides[p] = info.stride[p];
  }
  drawing.width = info.width;
  drawing.height = info.height;
  drawing.format = GST_VIDEO_INFO_FORMAT(&info) == GST_VIDEO_FORMAT_NV12 ? cuda::DrawnFormat::kNv12
                   : GST_VIDEO_INFO_FORMAT(&info) == GST_VIDEO_FORMAT_RGBA
                       ? cuda::DrawnFormat::kRgba
                       : cuda::DrawnFormat::kBgra;
  drawing.sprites = drawn.data();
  drawing.tiles = tiles.tiles.data();
  drawing.order = tiles.order.data();
  constexpr int kBlocks = cuda::kDrawnTile / cuda::kDrawnBlock;
  for (const cuda::DrawnTile& tile : tiles.tiles)
    for (int row = 0; row < kBlocks; ++row)
      for (int column = 0; column < kBlocks; ++column) cuda::draw_block(drawing, tile, column, row);
}

void blend_on_host(const Sprites& sprites, GstVideoInfo& info, std::vector<guint8>& bytes) {
  GstBuffer* const buffer = gst_buffer_new_allocate(nullptr, bytes.size(), nullptr);
  gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
  GstVideoFrame frame;
  ASSERT_TRUE(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READWRITE));
  EXPECT_TRUE(blend(sprites, &frame));
  gst_video_frame_unmap(&frame);
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  gst_buffer_unref(buffer);
}

// Pixels, not what lies between rows.
void expect_near(const GstVideoInfo& info, const std::vector<guint8>& found,
                 const std::vector<guint8>& expected, int tolerance, const std::string& what) {
  int worst = 0, differing = 0;
  std::string where;
  for (guint p = 0; p < GST_VIDEO_INFO_N_PLANES(&info); ++p) {
    const bool is_chroma = p == 1;
    const int rows = is_chroma ? (kHeight + 1) / 2 : kHeight;
    const int bytes = GST_VIDEO_INFO_N_PLANES(&info) == 1 ? 4 * kWidth
                      : is_chroma                         ? (kWidth + 1) / 2 * 2
                                                          : kWidth;
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < bytes; ++x) {
        const std::size_t at = info.offset[p] + static_cast<std::size_t>(y * info.stride[p] + x);
        const int difference = std::abs(found[at] - expected[at]);
        if (difference > tolerance) ++differing;
        if (difference <= worst) continue;
        worst = difference;
        where = "plane " + std::to_string(p) + ", row " + std::to_string(y) + ", byte " +
                std::to_string(x) + ": " + std::to_string(found[at]) + ", expected " +
                std::to_string(expected[at]);
      }
  }
  EXPECT_LE(worst, tolerance) << what << ", " << differing << " differ, most at " << where;
}

class OverlayDrawing : public testing::TestWithParam<const char*> {
 protected:
  void compare(const Sprites& sprites, int tolerance, const std::string& what) {
    GstVideoInfo info = info_of(GetParam());
    std::vector<guint8> found = noise(info), expected = found;
    const std::vector<guint8> before = found;
    draw_on_host(sprites, info, found);
    blend_on_host(sprites, info, expected);
    expect_near(info, found, expected, tolerance, what);
    EXPECT_NE(found, before) << what;
  }
};

TEST_P(OverlayDrawing, OpaqueSpritesAreWhatGStreamersBlendingLeaves) {
  compare(opaque_sprites(), 0, "opaque");
}

TEST_P(OverlayDrawing, TranslucentSpritesAreNearIt) {
  for (const PlacedSprite& placed : translucent_sprites())
    compare({placed}, kTranslucentTolerance, "translucent");
}

INSTANTIATE_TEST_SUITE_P(Formats, OverlayDrawing, testing::Values("NV12", "RGBA", "BGRA"));

TEST(OverlayTiles, HoldEverySpriteWhereItIsInItsOrderAndNothingElse) {
  const Sprites sprites = opaque_sprites();
  const Tiles tiles = tiles_of(sprites, {kWidth, kHeight});
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      std::vector<int> expected;
      for (std::size_t i = 0; i < sprites.size(); ++i) {
        const auto& [sprite, left, top] = sprites[i];
        if (x >= left && y >= top && x < left + sprite->size().width &&
            y < top + sprite->size().height)
          expected.push_back(static_cast<int>(i));
      }
      const auto tile = std::ranges::find_if(tiles.tiles, [&](const cuda::DrawnTile& one) {
        return x >= one.x && x < one.x + cuda::kDrawnTile && y >= one.y &&
               y < one.y + cuda::kDrawnTile;
      });
      if (tile == tiles.tiles.end()) {
        EXPECT_TRUE(expected.empty()) << x << ", " << y;
        continue;
      }
      const auto first = tiles.order.begin() + tile->first;
      EXPECT_TRUE(std::is_sorted(first, first + tile->count));
      for (const int number : expected)
        EXPECT_NE(std::find(first, first + tile->count, number), first + tile->count)
            << number << " at " << x << ", " << y;
    }
  // 163 × 121 pixels are 6 × 4 tiles, of which the sprites leave many alone.
  EXPECT_LE(tiles.tiles.size(), 13u);
}

}  // namespace
}  // namespace sightline
