// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/analytics_shapes.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>
#include <utility>

#include <gst/gst.h>

#include "elements/overlay/shape.h"
#include "meta/error.h"

namespace sightline {
namespace {

constexpr const char* kLineColor = "#ffc800";
constexpr const char* kZoneColor = "#00b4ff";
constexpr const char* kOvercrowdedColor = "#ff2020";
constexpr const char* kDirectionColor = "#60ff60";
constexpr int kLinesPerPixelOfHighlight = 120;  // of the frame: three times the overlay's own width
constexpr float kArrow = 0.06f;                 // heights of the frame
constexpr float kArrowHead = 0.02f;
constexpr float kBeyondThePicture = 3;  // pictures, of a line that has no ends

// Takes `item` into the list `items`.
void append_structure(GValue* items, GstStructure* item) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, item);
  gst_value_array_append_and_take_value(items, &value);
}

// What a shape's `points` are: shares of the frame.
void set_points(GstStructure* shape, const std::vector<Point>& points) {
  GValue list = G_VALUE_INIT;
  gst_value_array_init(&list, static_cast<guint>(2 * points.size()));
  for (const Point point : points)
    for (const float coordinate : {point.x, point.y}) {
      GValue number = G_VALUE_INIT;
      g_value_init(&number, G_TYPE_FLOAT);
      g_value_set_float(&number, coordinate);
      gst_value_array_append_and_take_value(&list, &number);
    }
  gst_structure_take_value(shape, "points", &list);
}

GstStructure* new_shape(const char* kind, const std::vector<Point>& points, const char* color) {
  GstStructure* shape = gst_structure_new(kind, "units", G_TYPE_STRING, "relative", "color",
                                          G_TYPE_STRING, color, nullptr);
  set_points(shape, points);
  return shape;
}

void set_label(GstStructure* shape, const std::string& label) {
  gchar* valid = g_utf8_make_valid(label.c_str(), -1);
  gst_structure_set(shape, "label", G_TYPE_STRING, valid, nullptr);
  g_free(valid);
}

Point moved(Point from, Point step, float times) {
  return {from.x + times * step.x, from.y + times * step.y};
}

std::vector<Point> ends_of(const LineRule& line) {
  if (!line.extended) return {line.from, line.to};
  const Point along{line.to.x - line.from.x, line.to.y - line.from.y};
  const float times = kBeyondThePicture / std::max(std::abs(along.x), std::abs(along.y));
  return {moved(line.from, along, -times), moved(line.to, along, times)};
}

// With its head. Points and `step` in heights of the frame, the result in shares of it.
std::vector<Point> arrow(Point tail, Point step, float aspect) {
  const float length = std::hypot(step.x, step.y);
  const Point ahead{step.x / length, step.y / length};
  const Point aside{-ahead.y, ahead.x};
  const auto to_share = [&](Point p) { return Point{p.x / aspect, p.y}; };
  const Point tip = moved(tail, step, 1);
  const Point neck = moved(tip, ahead, -kArrowHead);
  return {to_share(tail), to_share(tip), to_share(moved(neck, aside, kArrowHead)), to_share(tip),
          to_share(moved(neck, aside, -kArrowHead))};
}

// From the middle of the line inwards.
std::vector<Point> arrow_of(const LineRule& line, float aspect) {
  const Point along{(line.to.x - line.from.x) * aspect, line.to.y - line.from.y};
  const Point to_right{-along.y, along.x};
  const Point inwards = line.inwards ? Point{line.inwards->x * aspect, line.inwards->y} : to_right;
  const float length = std::hypot(inwards.x, inwards.y);
  const Point middle{(line.from.x + line.to.x) / 2 * aspect, (line.from.y + line.to.y) / 2};
  return arrow(middle, {kArrow * inwards.x / length, kArrow * inwards.y / length}, aspect);
}

// From one of its points to the other.
void add_direction(GValue* items, const DirectionRule& rule, float aspect) {
  const Point tail{rule.from.x * aspect, rule.from.y};
  GstStructure* shape = new_shape(
      "line", arrow(tail, {rule.vector.x * aspect, rule.vector.y}, aspect), kDirectionColor);
  set_label(shape, rule.name);
  append_structure(items, shape);
}

void add_line(GValue* items, const LineRule& line, const LineCount& count, float aspect) {
  append_structure(items, new_shape("line", ends_of(line), kLineColor));
  append_structure(items, new_shape("line", arrow_of(line, aspect), kLineColor));
  GstStructure* label = new_shape("line", {line.from}, kLineColor);  // an end may be out of sight
  set_label(label,
            line.name + "  in " + std::to_string(count.in) + "  out " + std::to_string(count.out));
  append_structure(items, label);
}

void add_zone(GValue* items, const ZoneRule& zone, const ZoneCount& count, int height) {
  GstStructure* shape =
      new_shape("polygon", zone.corners, count.overcrowded ? kOvercrowdedColor : kZoneColor);
  set_label(shape, zone.name + "  " + std::to_string(count.now));
  if (count.overcrowded)
    gst_structure_set(shape, "width", G_TYPE_INT,
                      std::clamp(height / kLinesPerPixelOfHighlight, 4, 256), nullptr);
  append_structure(items, shape);
}

bool is_sequence(const GValue* value) {
  return value != nullptr && (GST_VALUE_HOLDS_ARRAY(value) || GST_VALUE_HOLDS_LIST(value));
}

// Appends the shapes in `value`. False: it is something else.
bool append_shapes(GValue* items, const GValue* value) {
  if (value == nullptr) return true;
  const GstStructure* root =
      GST_VALUE_HOLDS_STRUCTURE(value) ? gst_value_get_structure(value) : nullptr;
  if (root == nullptr) return false;
  if (!gst_structure_has_name(root, "shapes")) {
    append_structure(items, gst_structure_copy(root));
    return true;
  }
  const GValue* known = gst_structure_get_value(root, "items");
  if (!is_sequence(known)) return false;
  const bool array = GST_VALUE_HOLDS_ARRAY(known);
  const guint count = array ? gst_value_array_get_size(known) : gst_value_list_get_size(known);
  for (guint i = 0; i < count; ++i)
    gst_value_array_append_value(
        items, array ? gst_value_array_get_value(known, i) : gst_value_list_get_value(known, i));
  return true;
}

// Takes `items`.
void set_shapes(SightFrame* frame, GValue* items) {
  GstStructure* shapes = gst_structure_new_empty("shapes");
  gst_structure_take_value(shapes, "items", items);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, shapes);
  GError* error = nullptr;
  const gboolean done = sight_frame_set_user_data(frame, kOverlayUserData, &value, &error);
  g_value_unset(&value);
  if (!done) throw take_error(error);
}

}  // namespace

void add_shapes(SightFrame* frame, Size size, const StreamRules& rules, const Findings& findings) {
  if (rules.lines.empty() && rules.zones.empty() && rules.directions.empty()) return;
  const float aspect = static_cast<float>(size.width) / static_cast<float>(size.height);
  GValue items = G_VALUE_INIT;
  gst_value_array_init(&items, 0);
  if (!append_shapes(&items, sight_frame_get_user_data(frame, kOverlayUserData))) {
    g_value_unset(&items);
    return;
  }
  for (std::size_t i = 0; i < rules.zones.size(); ++i)
    add_zone(&items, rules.zones[i], findings.zones[i], size.height);
  for (const DirectionRule& direction : rules.directions) add_direction(&items, direction, aspect);
  for (std::size_t i = 0; i < rules.lines.size(); ++i)
    add_line(&items, rules.lines[i], findings.lines[i], aspect);
  set_shapes(frame, &items);
}

}  // namespace sightline
