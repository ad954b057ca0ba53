// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/cairo_sprite.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "core/error.h"

namespace sightline {

std::shared_ptr<Sprite> draw_sprite(Size size, const std::function<void(cairo_t*)>& draw) {
  const auto bytes =
      std::size_t{4} * static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
  GstPtr<GstBuffer> pixels(gst_buffer_new_allocate(nullptr, bytes, nullptr));
  GstMapInfo map;
  if (pixels == nullptr || !gst_buffer_map(pixels.get(), &map, GST_MAP_WRITE))
    throw Error(ErrorCode::kFailed, "no memory for a label of " + std::to_string(bytes) + " bytes");
  std::fill_n(map.data, bytes, guint8{0});
  cairo_surface_t* surface = cairo_image_surface_create_for_data(
      map.data, CAIRO_FORMAT_ARGB32, size.width, size.height, 4 * size.width);
  cairo_t* cairo = cairo_create(surface);
  draw(cairo);
  cairo_destroy(cairo);
  cairo_surface_destroy(surface);
  const auto* first = reinterpret_cast<const std::uint32_t*>(map.data);
  const bool opaque = std::all_of(first, first + bytes / sizeof *first,
                                  [](std::uint32_t argb) { return argb >> 24 == 255; });
  gst_buffer_unmap(pixels.get(), &map);
  return std::make_shared<Sprite>(std::move(pixels), size, opaque);
}

void set_source(cairo_t* cairo, Color color) {
  cairo_set_source_rgba(cairo, color.red / 255.0, color.green / 255.0, color.blue / 255.0,
                        color.alpha / 255.0);
}

}  // namespace sightline
