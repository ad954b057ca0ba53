// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/text.h"

#include <algorithm>
#include <cmath>

#include "elements/overlay/cairo_sprite.h"

namespace sightline {
namespace {

constexpr double kReferenceHeight = 1080;  // lines of the frame that a font's size is meant for
constexpr double kDefaultSize = 26;        // of a description without a size
constexpr double kSmallestSize = 8;        // below it no script can be read
constexpr double kLargestSize = 500;       // keeps a label's memory bounded
constexpr glong kMaxCharacters = 256;

struct ObjectUnref {
  void operator()(gpointer it) const { g_object_unref(it); }
};
using LayoutPtr = std::unique_ptr<PangoLayout, ObjectUnref>;

std::string printable(const std::string& text) {
  // Four bytes are the most a character takes, so that making valid never sees a whole novel.
  const gssize bytes = static_cast<gssize>(std::min<std::size_t>(text.size(), 4 * kMaxCharacters));
  gchar* valid = g_utf8_make_valid(text.data(), bytes);
  gchar* cut = g_utf8_substring(valid, 0, std::min(g_utf8_strlen(valid, -1), kMaxCharacters));
  std::string result(cut);
  g_free(cut);
  g_free(valid);
  return result;
}

double font_pixels(const PangoFontDescription* font, int frame_height) {
  const int size = pango_font_description_get_size(font);
  const double at_reference = size > 0 ? size / static_cast<double>(PANGO_SCALE) : kDefaultSize;
  return std::clamp(at_reference * frame_height / kReferenceHeight, kSmallestSize, kLargestSize);
}

}  // namespace

TextRenderer::TextRenderer(const std::string& font, int frame_height)
    : fonts_(pango_cairo_font_map_new()),
      context_(pango_font_map_create_context(fonts_.get())),
      font_(pango_font_description_from_string(font.c_str())) {
  const double pixels = font_pixels(font_.get(), frame_height);
  pango_font_description_set_absolute_size(font_.get(), pixels * PANGO_SCALE);
  const std::unique_ptr<PangoFont, ObjectUnref> loaded(
      pango_font_map_load_font(fonts_.get(), context_.get(), font_.get()));
  has_font_ = loaded != nullptr;
  if (!has_font_) return;
  PangoFontMetrics* metrics = pango_context_get_metrics(context_.get(), font_.get(), nullptr);
  line_height_ = PANGO_PIXELS_CEIL(pango_font_metrics_get_ascent(metrics) +
                                   pango_font_metrics_get_descent(metrics));
  pango_font_metrics_unref(metrics);
  padding_ = static_cast<int>(std::lround(pixels / 4));
}

std::shared_ptr<Sprite> TextRenderer::render(const std::string& text, Color background,
                                             TextBox box) const {
  const LayoutPtr layout(pango_layout_new(context_.get()));
  pango_layout_set_font_description(layout.get(), font_.get());
  pango_layout_set_single_paragraph_mode(layout.get(), TRUE);
  pango_layout_set_width(layout.get(), std::max(1, box.max_width - 2 * padding_) * PANGO_SCALE);
  pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
  pango_layout_set_auto_dir(layout.get(), FALSE);  // every script starts at the left of its box
  const std::string line = printable(text);
  pango_layout_set_text(layout.get(), line.c_str(), static_cast<int>(line.size()));

  PangoRectangle logical;
  pango_layout_get_pixel_extents(layout.get(), nullptr, &logical);
  const Size size{std::clamp(logical.width + 2 * padding_, 1, std::max(1, box.max_width)),
                  std::max({logical.height, line_height_, box.min_height, 1})};
  return draw_sprite(size, [&](cairo_t* cairo) {
    set_source(cairo, background);
    cairo_paint(cairo);
    set_source(cairo, text_color(background));
    cairo_move_to(cairo, padding_ - logical.x, (size.height - logical.height) / 2);
    pango_cairo_show_layout(cairo, layout.get());
  });
}

}  // namespace sightline
