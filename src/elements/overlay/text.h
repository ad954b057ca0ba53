// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Text of any script as sprites, by Pango.

#pragma once

#include <memory>
#include <string>

#include <pango/pangocairo.h>

#include "elements/overlay/color.h"
#include "elements/overlay/sprite.h"

namespace sightline {

struct TextBox {
  int max_width = 1;   // pixels; longer text ends in an ellipsis
  int min_height = 1;  // pixels
};

class TextRenderer {
 public:
  // `font` is a Pango font description. Its size counts pixels of a frame with 1080 lines and
  // scales with `frame_height`, but text is never smaller than 8 pixels.
  TextRenderer(const std::string& font, int frame_height);

  // False where no font is installed at all: every layout would be of another size then.
  bool has_font() const { return has_font_; }

  // One line of text on a box of colour `background`. Bytes that are not UTF-8 show as U+FFFD; what
  // is longer than 256 characters is cut.
  std::shared_ptr<Sprite> render(const std::string& text, Color background, TextBox box) const;

 private:
  struct ObjectUnref {
    void operator()(gpointer it) const { g_object_unref(it); }
  };
  struct FontFree {
    void operator()(PangoFontDescription* it) const { pango_font_description_free(it); }
  };

  std::unique_ptr<PangoFontMap, ObjectUnref> fonts_;  // our own: Pango's default is one a thread
  std::unique_ptr<PangoContext, ObjectUnref> context_;
  std::unique_ptr<PangoFontDescription, FontFree> font_;
  bool has_font_ = false;
  int padding_ = 0;      // pixels at the left and right
  int line_height_ = 0;  // of the font itself; a fallback font's line can be higher
};

}  // namespace sightline
