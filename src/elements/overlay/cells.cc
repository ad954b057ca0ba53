// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/cells.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace sightline {
namespace {

// Whole pixels of the frame.
struct PixelArea {
  int left, top, right, bottom;
};

std::optional<PixelArea> pixels_in(const Rect& area, Size frame) {
  const auto in = [](float position, int most) {  // NaN is none
    return position > 0 ? static_cast<int>(std::min(position, static_cast<float>(most))) : 0;
  };
  const PixelArea pixels{in(std::floor(area.x), frame.width), in(std::floor(area.y), frame.height),
                         in(std::ceil(area.right()), frame.width),
                         in(std::ceil(area.bottom()), frame.height)};
  if (pixels.left >= pixels.right || pixels.top >= pixels.bottom) return std::nullopt;
  return pixels;
}

std::uint32_t veil(Color color) {
  color.alpha = static_cast<std::uint8_t>(color.alpha * kVeil / 255);
  return premultiplied_argb(color);
}

// `argb_at(centre)` of each pixel; nothing if all are transparent.
template <typename ArgbAt>
std::optional<PlacedSprite> draw(const Rect& area, Size frame, ArgbAt&& argb_at) {
  const auto pixels = pixels_in(area, frame);
  if (!pixels) return std::nullopt;
  const Size size{pixels->right - pixels->left, pixels->bottom - pixels->top};
  const std::size_t bytes =
      std::size_t{4} * static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
  GstPtr<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, bytes, nullptr));
  GstMapInfo map;
  if (buffer == nullptr || !gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE))
    throw Error(ErrorCode::kFailed, "no memory for a mask of " + std::to_string(bytes) + " bytes");
  auto* argb = reinterpret_cast<std::uint32_t*>(map.data);
  bool any = false;
  for (int y = pixels->top; y < pixels->bottom; ++y)
    for (int x = pixels->left; x < pixels->right; ++x) {
      *argb = argb_at(Point{static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f});
      any |= *argb++ != 0;
    }
  gst_buffer_unmap(buffer.get(), &map);
  if (!any) return std::nullopt;
  return PlacedSprite{std::make_shared<Sprite>(std::move(buffer), size, false), pixels->left,
                      pixels->top};
}

// Two neighbours and how far from the first to the second.
struct Between {
  int first, second;
  float share;
};

Between between(float position, int count) {
  const float from = std::clamp(position - 0.5f, 0.0f, static_cast<float>(count - 1));
  const int first = static_cast<int>(from);
  return {first, std::min(first + 1, count - 1), from - static_cast<float>(first)};
}

float likelihood(const CellMask& mask, Point in_cells) {
  const Between x = between(in_cells.x, mask.size.width), y = between(in_cells.y, mask.size.height);
  const auto at = [&](int column, int row) {
    return mask.likely[static_cast<std::size_t>(row * mask.size.width + column)];
  };
  const float above = at(x.first, y.first) * (1 - x.share) + at(x.second, y.first) * x.share;
  const float below = at(x.first, y.second) * (1 - x.share) + at(x.second, y.second) * x.share;
  return above * (1 - y.share) + below * y.share;
}

bool holds(Size size, std::size_t count) {
  return size.width > 0 && size.height > 0 &&
         static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) == count;
}

}  // namespace

std::optional<PlacedSprite> draw_mask(const CellMask& mask, Size frame) {
  constexpr float kLikely = 0.5f;
  if (!holds(mask.size, mask.likely.size()) || mask.area.empty()) return std::nullopt;
  const float across = static_cast<float>(mask.size.width) / mask.area.width;
  const float down = static_cast<float>(mask.size.height) / mask.area.height;
  const std::uint32_t argb = veil(mask.color);
  return draw(mask.area, frame, [&](Point p) {
    const bool inside = p.x >= mask.area.x && p.x < mask.area.right() && p.y >= mask.area.y &&
                        p.y < mask.area.bottom();
    if (!inside) return 0u;
    const Point cells{(p.x - mask.area.x) * across, (p.y - mask.area.y) * down};
    return likelihood(mask, cells) >= kLikely ? argb : 0u;
  });
}

std::optional<PlacedSprite> draw_map(const CellMap& map, Size frame) {
  if (!holds(map.size, map.classes.size()) || map.to_frame.determinant() == 0) return std::nullopt;
  const Rect all{0, 0, static_cast<float>(map.size.width), static_cast<float>(map.size.height)};
  const Rect shown = map.content ? intersection(*map.content, all) : all;
  const Affine2 to_cells = map.to_frame.inverse();
  return draw(map.to_frame.bounds(shown), frame, [&](Point p) {
    const Point cell = to_cells(p);
    const bool inside =
        cell.x >= shown.x && cell.x < shown.right() && cell.y >= shown.y && cell.y < shown.bottom();
    if (!inside) return 0u;
    const std::int32_t id = map.classes[static_cast<std::size_t>(
        static_cast<int>(cell.y) * map.size.width + static_cast<int>(cell.x))];
    return id < 0 ? 0u : veil(palette_color(static_cast<std::uint64_t>(id)));
  });
}

}  // namespace sightline
