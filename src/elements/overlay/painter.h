// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The results of a frame become sprites: what is drawn where, and in which colour.

#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <sightline/frame.h>

#include "core/geometry.h"
#include "elements/overlay/color.h"
#include "elements/overlay/polyline.h"
#include "elements/overlay/shape.h"
#include "elements/overlay/sprite.h"
#include "elements/overlay/text.h"

namespace sightline {

enum class ColorBy { kClass, kIdentity, kTrack };

struct OverlayStyle {
  bool boxes = true;
  bool labels = true;
  bool confidence = true;
  bool tracks = false;
  bool classifications = false;
  bool landmarks = true;
  bool masks = true;
  bool skeletons = true;
  bool segmentation = false;
  bool shapes = true;
  int line_width = 0;  // pixels; 0: by the frame's height
  std::string font = "Sans Bold";
  ColorBy color_by = ColorBy::kIdentity;

  friend bool operator==(const OverlayStyle&, const OverlayStyle&) = default;
};

// For one thread at a time.
class Painter {
 public:
  // Forgets what was drawn for another size or style.
  void configure(const OverlayStyle& style, Size frame);

  // Whether anything might be drawn of this.
  static bool may_paint(const SightFrame* frame, const OverlayStyle& style);

  // In the order in which they are to be laid over the frame; each is at least partly in it.
  // configure() was called before.
  Sprites paint(const SightFrame* frame);

  // What was wrong with user data in the last paint(); empty if nothing. The rest was drawn.
  const std::string& problem() const { return problem_; }

 private:
  int line_width() const;
  Color color_of(const SightObject* object) const;
  bool shows_labels() const { return style_.labels && text_->has_font(); }
  void paint_object(const SightObject* object, Sprites& marks, Sprites& labels);
  void paint_box(const Rect& box, Color color, Sprites& out);
  bool paint_corners(const SightObject* object, Color color, Sprites& out);
  void paint_mask(const SightObject* object, Color color, Sprites& out) const;
  void paint_maps(const SightFrame* frame, const SightObject* object, Sprites& out) const;
  void paint_skeleton(const SightObject* object, Color color, Sprites& out);
  void paint_polyline(const Polyline& line, Sprites& out);
  void paint_landmarks(const SightObject* object, Color color, Sprites& out);
  void paint_object_label(const SightObject* object, const Rect& box, Color color, Sprites& out);
  void paint_shapes(const GValue* value, const Rect& unit, Color color, Sprites& marks,
                    Sprites& labels);
  void paint_shape(const UserShape& shape, Color color, Sprites& marks, Sprites& labels);
  void place(std::shared_ptr<Sprite> sprite, int x, int y, Sprites& out) const;
  void paint_background(const Rect& box, Color color, Sprites& out);
  void paint_bar(int left, int top, int right, int bottom, Color color, Sprites& out);
  std::shared_ptr<Sprite> text(const std::string& text, Color background, int min_height);
  std::shared_ptr<Sprite> dot(Color color);
  const std::shared_ptr<Sprite>& bar_pixels(Color color);

  OverlayStyle style_;
  Size frame_;
  std::optional<TextRenderer> text_;
  SpriteCache cache_;
  std::map<std::uint32_t, std::shared_ptr<Sprite>> bars_;  // of one colour each, enough for any bar
  std::string problem_;
};

}  // namespace sightline
