// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/painter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "core/error.h"
#include "elements/overlay/cairo_sprite.h"
#include "elements/overlay/cells.h"
#include "elements/overlay/skeleton.h"
#include "sightline/shape.h"
#include "stage/tensor_source.h"

namespace sightline {
namespace {

constexpr int kLinesPerPixelOfWidth = 360;             // of the frame, for line-width = 0
constexpr const char* kSegmentation = "segmentation";  // the tensor of that family
constexpr float kFarAway = 1 << 24;  // pixels; every whole number below it is a float

// What a label says: a name, and a number that changes from frame to frame. They are drawn apart,
// so that the name is rendered once and of the numbers there are only a hundred.
struct LabelText {
  std::string name;
  std::string number;
};

std::string two_digits(float value) {
  if (!(value >= -1 && value <= 1)) return {};
  char digits[16];
  const auto [end, error] =
      std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed, 2);
  return error == std::errc() ? std::string(digits, end) : std::string();
}

std::string first_of(const char* name, const char* otherwise, const std::string& else_this) {
  if (name != nullptr && *name != 0) return name;
  if (otherwise != nullptr && *otherwise != 0) return otherwise;
  return else_this;
}

LabelText label_of(const SightObject* object) {
  if (const SightIdentity* identity = sight_object_get_identity(object)) {
    if (!sight_identity_is_known(identity)) return {"unknown", {}};
    return {first_of(sight_identity_get_name(identity), sight_identity_get_person(identity), "?"),
            two_digits(sight_identity_get_similarity(identity))};
  }
  return {first_of(sight_object_get_label(object), nullptr,
                   "class " + std::to_string(sight_object_get_class_id(object))),
          two_digits(sight_object_get_confidence(object))};
}

// "#12 ": in front of the name of what has a track.
std::string track_prefix(const SightObject* object) {
  guint64 track = 0;
  return sight_object_get_track(object, &track) ? "#" + std::to_string(track) + " " : "";
}

// ", black, 31.0": behind the name of what later stages have looked at.
std::string classification_suffix(const SightObject* object) {
  std::string labels;
  for (guint i = 0; i < sight_object_get_n_classifications(object); ++i)
    if (const char* label =
            sight_classification_get_label(sight_object_get_classification(object, i)))
      labels += std::string(", ") + label;
  return labels;
}

// What the stage that found the object wants: a field of its user data "overlay-colors".
std::optional<Color> wished_color(const SightObject* object, const char* field) {
  const GValue* data = sight_object_get_user_data(object, "overlay-colors");
  if (data == nullptr || !GST_VALUE_HOLDS_STRUCTURE(data)) return std::nullopt;
  const gchar* text = gst_structure_get_string(gst_value_get_structure(data), field);
  return text == nullptr ? std::nullopt : parse_color(text);
}

Rect box_of(const SightObject* object) {
  SightBox box;
  sight_object_get_box(object, &box);
  return {box.x, box.y, box.width, box.height};
}

bool is_drawable(const Rect& box) {
  return !box.empty() && std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) &&
         std::isfinite(box.height);
}

bool is_finite(const SightPoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

// Whether keypoint `index` is one that the network is sure of, where it says.
bool is_sure(const SightObject* object, guint index) {
  constexpr float kSure = 0.5f;
  guint count = 0;
  const gfloat* sure = sight_object_get_landmark_confidences(object, &count);
  return index >= count || sure[index] >= kSure;
}

int to_pixel(double position) {
  return static_cast<int>(std::lround(std::clamp<double>(position, -kFarAway, kFarAway)));
}

constexpr char kNoFont[] =
    "no font is installed, so that labels are left out. Install one (Debian: fonts-dejavu-core), "
    "or "
    "set show-labels=false";

// A part of a cache key.
template <typename T>
void append_bytes(std::string& key, const T& value) {
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

void Painter::configure(const OverlayStyle& style, Size frame) {
  if (text_ && style == style_ && frame == frame_) return;
  style_ = style;
  frame_ = frame;
  cache_.clear();
  bars_.clear();
  text_.emplace(style.font, frame.height);
}

bool Painter::may_paint(const SightFrame* frame, const OverlayStyle& style) {
  return sight_frame_get_n_objects(frame) > 0 ||
         sight_frame_get_user_data(frame, kOverlayUserData) != nullptr ||
         (style.segmentation && sight_frame_find_tensor(frame, kSegmentation) != nullptr);
}

Sprites Painter::paint(const SightFrame* frame) {
  problem_ = style_.labels && !text_->has_font() ? kNoFont : "";
  Sprites marks, labels;
  paint_maps(frame, nullptr, marks);
  const Rect whole{0, 0, static_cast<float>(frame_.width), static_cast<float>(frame_.height)};
  paint_shapes(sight_frame_get_user_data(frame, kOverlayUserData), whole, kNeutral, marks, labels);
  const guint count = sight_frame_get_n_objects(frame);
  for (guint i = 0; i < count; ++i) paint_maps(frame, sight_frame_get_object(frame, i), marks);
  for (guint i = 0; i < count; ++i) paint_object(sight_frame_get_object(frame, i), marks, labels);
  // Labels lie on top of every line.
  marks.insert(marks.end(), std::make_move_iterator(labels.begin()),
               std::make_move_iterator(labels.end()));
  return marks;
}

int Painter::line_width() const {
  if (style_.line_width > 0) return style_.line_width;
  return std::max(2, (frame_.height + kLinesPerPixelOfWidth / 2) / kLinesPerPixelOfWidth);
}

Color Painter::color_of(const SightObject* object) const {
  if (style_.color_by == ColorBy::kIdentity) {
    if (const SightIdentity* identity = sight_object_get_identity(object)) {
      const char* person = sight_identity_get_person(identity);
      return person != nullptr ? palette_color(std::string_view(person)) : kNeutral;
    }
  }
  if (style_.color_by == ColorBy::kTrack) {
    guint64 track = 0;
    if (sight_object_get_track(object, &track)) return palette_color(track);
  }
  const gint class_id = sight_object_get_class_id(object);
  return class_id >= 0 ? palette_color(static_cast<std::uint64_t>(class_id)) : kNeutral;
}

void Painter::paint_object(const SightObject* object, Sprites& marks, Sprites& labels) {
  const auto wished =
      style_.color_by == ColorBy::kClass ? wished_color(object, "border") : std::nullopt;
  const Color color = wished.value_or(color_of(object));
  const Rect box = box_of(object);
  if (is_drawable(box)) {
    if (const auto background = wished_color(object, "background"))
      paint_background(box, *background, marks);
    paint_shapes(sight_object_get_user_data(object, kOverlayUserData), box, color, marks, labels);
    if (style_.masks) paint_mask(object, color, marks);
    if (style_.boxes && !paint_corners(object, color, marks)) paint_box(box, color, marks);
    if (shows_labels()) paint_object_label(object, box, color, labels);
  }
  if (style_.skeletons) paint_skeleton(object, color, marks);
  if (style_.landmarks) paint_landmarks(object, color, marks);
}

void Painter::place(std::shared_ptr<Sprite> sprite, int x, int y, Sprites& out) const {
  const auto [width, height] = sprite->size();
  if (x + width > 0 && y + height > 0 && x < frame_.width && y < frame_.height)
    out.push_back({std::move(sprite), x, y});
}

// Four thin bars along the inside of the box: what a blend costs is area.
void Painter::paint_box(const Rect& box, Color color, Sprites& out) {
  const int left = to_pixel(box.x), top = to_pixel(box.y);
  const int right = to_pixel(double{box.x} + box.width);
  const int bottom = to_pixel(double{box.y} + box.height);
  const int line = line_width();
  if (right - left <= 2 * line || bottom - top <= 2 * line) {
    paint_bar(left, top, right, bottom, color, out);
    return;
  }
  paint_bar(left, top, right, top + line, color, out);
  paint_bar(left, bottom - line, right, bottom, color, out);
  paint_bar(left, top + line, left + line, bottom - line, color, out);
  paint_bar(right - line, top + line, right, bottom - line, color, out);
}

void Painter::paint_background(const Rect& box, Color color, Sprites& out) {
  const int left = std::clamp(to_pixel(box.x), 0, frame_.width),
            top = std::clamp(to_pixel(box.y), 0, frame_.height);
  const int right = std::clamp(to_pixel(double{box.x} + box.width), 0, frame_.width),
            bottom = std::clamp(to_pixel(double{box.y} + box.height), 0, frame_.height);
  if (left >= right || top >= bottom || color.alpha == 0) return;
  place(Sprite::solid(premultiplied_argb(color), {right - left, bottom - top}), left, top, out);
}

void Painter::paint_bar(int left, int top, int right, int bottom, Color color, Sprites& out) {
  left = std::max(left, 0);
  top = std::max(top, 0);
  right = std::min(right, frame_.width);
  bottom = std::min(bottom, frame_.height);
  if (left >= right || top >= bottom) return;
  out.push_back({Sprite::part_of(bar_pixels(color), {right - left, bottom - top}), left, top});
}

const std::shared_ptr<Sprite>& Painter::bar_pixels(Color color) {
  const std::uint32_t argb = premultiplied_argb(color);
  std::shared_ptr<Sprite>& pixels = bars_[argb];
  // A box too thin for four bars is one bar twice as wide.
  if (pixels == nullptr)
    pixels = Sprite::solid(argb, {std::max(frame_.width, frame_.height), 2 * line_width()});
  return pixels;
}

void Painter::paint_landmarks(const SightObject* object, Color color, Sprites& out) {
  guint count = 0;
  const SightPoint* points = sight_object_get_landmarks(object, &count);
  if (count == 0) return;
  const auto sprite = dot(color);
  const auto [width, height] = sprite->size();
  for (guint i = 0; i < count; ++i) {
    if (!is_finite(points[i]) || !is_sure(object, i)) continue;
    place(sprite, to_pixel(points[i].x - width / 2.0), to_pixel(points[i].y - height / 2.0), out);
  }
}

void Painter::paint_object_label(const SightObject* object, const Rect& box, Color color,
                                 Sprites& out) {
  const int left = to_pixel(box.x), top = to_pixel(box.y);
  if (left >= frame_.width || top >= frame_.height || to_pixel(double{box.x} + box.width) <= 0 ||
      to_pixel(double{box.y} + box.height) <= 0)
    return;
  LabelText label = label_of(object);
  if (style_.tracks) label.name = track_prefix(object) + label.name;
  if (style_.classifications) label.name += classification_suffix(object);
  const auto name = text(label.name, color, 1);
  const auto [width, height] = name->size();
  const auto number = style_.confidence && !label.number.empty() ? text(label.number, color, height)
                                                                 : std::shared_ptr<Sprite>();
  const int total = width + (number != nullptr ? number->size().width : 0);
  // Above the box; inside it where there is no room above.
  const int x = std::max(0, std::min(left, frame_.width - total));
  const int y = top >= height ? top - height : std::max(0, std::min(top, frame_.height - height));
  place(name, x, y, out);
  if (number != nullptr) place(number, x + width, y, out);
}

void Painter::paint_shapes(const GValue* value, const Rect& unit, Color color, Sprites& marks,
                           Sprites& labels) {
  if (value == nullptr || !style_.shapes) return;
  try {
    for (const UserShape& shape : read_shapes(*value, unit))
      paint_shape(shape, shape.color.value_or(color), marks, labels);
  } catch (const Error& error) {
    problem_ = error.what();
  }
}

void Painter::paint_shape(const UserShape& shape, Color color, Sprites& marks, Sprites& labels) {
  const Polyline line{shape.points, shape.closed,
                      shape.width.value_or(static_cast<float>(line_width())), color};
  paint_polyline(line, marks);
  if (!shape.label.empty() && shows_labels())
    place(text(shape.label, color, 1), to_pixel(shape.points[0].x), to_pixel(shape.points[0].y),
          labels);
}

void Painter::paint_polyline(const Polyline& line, Sprites& out) {
  std::string key = line.closed ? "polygon" : "line";
  append_bytes(key, line.width);
  append_bytes(key, premultiplied_argb(line.color));
  for (const Point& point : line.points) append_bytes(key, point);
  const Sprites* tiles = cache_.find(key);
  if (tiles == nullptr) tiles = &cache_.insert(std::move(key), draw_polyline(line, frame_));
  out.insert(out.end(), tiles->begin(), tiles->end());
}

// Of an oriented box; whether the object has one.
bool Painter::paint_corners(const SightObject* object, Color color, Sprites& out) {
  const SightPoint* corners = sight_object_get_corners(object);
  if (corners == nullptr) return false;
  Polyline line{{}, true, static_cast<float>(line_width()), color};
  for (std::size_t i = 0; i < SIGHT_N_CORNERS; ++i)
    line.points.push_back({corners[i].x, corners[i].y});
  paint_polyline(line, out);
  return true;
}

void Painter::paint_mask(const SightObject* object, Color color, Sprites& out) const {
  SightBox area;
  SightTensor* mask = sight_object_get_mask(object, &area);
  if (mask == nullptr) return;
  guint dimensions = 0;
  const gint64* shape = sight_tensor_get_shape(mask, &dimensions);
  gsize count = 0;
  const gfloat* likely = sight_tensor_get_floats(mask, &count, nullptr);
  if (likely == nullptr || dimensions != 2) return;
  const CellMask cells{{likely, count},
                       {static_cast<int>(shape[1]), static_cast<int>(shape[0])},
                       {area.x, area.y, area.width, area.height},
                       color};
  if (auto placed = draw_mask(cells, frame_)) out.push_back(*std::move(placed));
}

// Of a frame, or of `object`: maps of classes whose stage said what they show.
void Painter::paint_maps(const SightFrame* frame, const SightObject* object, Sprites& out) const {
  if (!style_.segmentation) return;
  SightTensor* map = object != nullptr ? sight_object_find_tensor(object, kSegmentation)
                                       : sight_frame_find_tensor(frame, kSegmentation);
  if (map == nullptr || sight_tensor_get_element_type(map) != SIGHT_ELEMENT_INT32) return;
  guint dimensions = 0;
  const gint64* shape = sight_tensor_get_shape(map, &dimensions);
  gsize bytes = 0;
  const auto* classes = static_cast<const gint32*>(sight_tensor_get_data(map, &bytes, nullptr));
  const auto region = first_region(frame, object, sight_tensor_get_stage_id(map), kSegmentation);
  if (classes == nullptr || dimensions != 2 || !region) return;
  const CellMap cells{{classes, bytes / sizeof(gint32)},
                      {static_cast<int>(shape[1]), static_cast<int>(shape[0])},
                      region->to_frame,
                      region->content};
  if (auto placed = draw_map(cells, frame_)) out.push_back(*std::move(placed));
}

// Limbs both of whose ends the network is sure of. Points without confidences are no pose's.
void Painter::paint_skeleton(const SightObject* object, Color color, Sprites& out) {
  guint count = 0, sure = 0;
  const SightPoint* points = sight_object_get_landmarks(object, &count);
  sight_object_get_landmark_confidences(object, &sure);
  if (count != kCocoPoints || sure != kCocoPoints) return;
  std::vector<Segment> limbs;
  for (const auto& [from, to] : kCocoLimbs) {
    const SightPoint &a = points[from], &b = points[to];
    if (is_finite(a) && is_finite(b) && is_sure(object, static_cast<guint>(from)) &&
        is_sure(object, static_cast<guint>(to)))
      limbs.push_back({{a.x, a.y}, {b.x, b.y}});
  }
  const Sprites sprites = draw_segments(limbs, static_cast<float>(line_width()), color, frame_);
  out.insert(out.end(), sprites.begin(), sprites.end());
}

std::shared_ptr<Sprite> Painter::text(const std::string& text, Color background, int min_height) {
  std::string key = "text";
  append_bytes(key, premultiplied_argb(background));
  append_bytes(key, min_height);
  key += text;
  if (const Sprites* found = cache_.find(key)) return found->front().sprite;
  const TextBox box{.max_width = std::max(1, frame_.width / 2), .min_height = min_height};
  auto sprite = text_->render(text, background, box);
  cache_.insert(std::move(key), {{sprite, 0, 0}});
  return sprite;
}

std::shared_ptr<Sprite> Painter::dot(Color color) {
  std::string key = "dot";
  append_bytes(key, premultiplied_argb(color));
  if (const Sprites* found = cache_.find(key)) return found->front().sprite;
  const int diameter = 2 * line_width();
  auto sprite = draw_sprite({diameter, diameter}, [&](cairo_t* cairo) {
    const double radius = diameter / 2.0;
    cairo_arc(cairo, radius, radius, radius, 0, 2 * std::numbers::pi);
    set_source(cairo, color);
    cairo_fill(cairo);
  });
  cache_.insert(std::move(key), {{sprite, 0, 0}});
  return sprite;
}

}  // namespace sightline
