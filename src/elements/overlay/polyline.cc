// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/polyline.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "elements/overlay/cairo_sprite.h"

namespace sightline {
namespace {

constexpr int kTile = 64;

// The part of `segment` in `box` (Liang and Barsky 1984), if it comes there.
std::optional<Segment> clip(const Segment& segment, const Rect& box) {
  const double dx = double{segment.to.x} - segment.from.x;
  const double dy = double{segment.to.y} - segment.from.y;
  double enter = 0, leave = 1;
  const auto cut = [&](double direction, double distance) {
    if (direction == 0) return distance >= 0;
    const double at = distance / direction;
    if (direction < 0)
      enter = std::max(enter, at);
    else
      leave = std::min(leave, at);
    return enter <= leave;
  };
  const double x = segment.from.x, y = segment.from.y;
  if (!cut(-dx, x - box.x) || !cut(dx, box.right() - x) || !cut(-dy, y - box.y) ||
      !cut(dy, box.bottom() - y))
    return std::nullopt;
  const auto at = [&](double t) {
    return Point{static_cast<float>(x + t * dx), static_cast<float>(y + t * dy)};
  };
  return Segment{at(enter), at(leave)};
}

Rect grown(const Rect& box, float by) {
  return {box.x - by, box.y - by, box.width + 2 * by, box.height + 2 * by};
}

std::vector<Segment> segments_of(const Polyline& line) {
  std::vector<Segment> segments;
  for (std::size_t i = 1; i < line.points.size(); ++i)
    segments.push_back({line.points[i - 1], line.points[i]});
  if (line.closed && line.points.size() > 2)
    segments.push_back({line.points.back(), line.points.front()});
  return segments;
}

Rect tile_at(int column, int row, Size frame) {
  const int x = column * kTile, y = row * kTile;
  return {static_cast<float>(x), static_cast<float>(y),
          static_cast<float>(std::min(kTile, frame.width - x)),
          static_cast<float>(std::min(kTile, frame.height - y))};
}

using Tiles = std::map<std::pair<int, int>, std::vector<Segment>>;  // by row and column

// Adds `segment`, which lies in the frame or `reach` around it, to every tile it comes near.
void add_to_tiles(const Segment& segment, float reach, Size frame, Tiles& tiles) {
  const auto tile_of = [](float position, int length) {
    return std::clamp(static_cast<int>(std::floor(position / kTile)), 0, (length - 1) / kTile);
  };
  const auto [left, right] = std::minmax(segment.from.x, segment.to.x);
  const auto [top, bottom] = std::minmax(segment.from.y, segment.to.y);
  for (int row = tile_of(top - reach, frame.height); row <= tile_of(bottom + reach, frame.height);
       ++row)
    for (int column = tile_of(left - reach, frame.width);
         column <= tile_of(right + reach, frame.width); ++column)
      if (clip(segment, grown(tile_at(column, row, frame), reach)))
        tiles[{row, column}].push_back(segment);
}

}  // namespace

Sprites draw_polyline(const Polyline& line, Size frame) {
  return draw_segments(segments_of(line), line.width, line.color, frame);
}

Sprites draw_segments(std::span<const Segment> all, float width, Color color, Size frame) {
  const float reach = width / 2 + 1;
  const Rect visible =
      grown({0, 0, static_cast<float>(frame.width), static_cast<float>(frame.height)}, reach + 1);
  Tiles tiles;
  for (const Segment& segment : all)
    if (const auto inside = clip(segment, visible)) add_to_tiles(*inside, reach, frame, tiles);

  Sprites sprites;
  for (const auto& [place, segments] : tiles) {
    const int x = place.second * kTile, y = place.first * kTile;
    const Size size{std::min(kTile, frame.width - x), std::min(kTile, frame.height - y)};
    auto sprite = draw_sprite(size, [&, &parts = segments](cairo_t* cairo) {
      cairo_translate(cairo, -x, -y);
      for (const Segment& part : parts) {
        cairo_move_to(cairo, part.from.x, part.from.y);
        cairo_line_to(cairo, part.to.x, part.to.y);
      }
      set_source(cairo, color);
      cairo_set_line_width(cairo, width);
      cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
      cairo_stroke(cairo);  // one stroke for all, so that a translucent colour has no seams
    });
    sprites.push_back({std::move(sprite), x, y});
  }
  return sprites;
}

}  // namespace sightline
