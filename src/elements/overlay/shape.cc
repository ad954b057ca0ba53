// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/overlay/shape.h"

#include <cmath>
#include <string_view>

#include "core/error.h"

namespace sightline {
namespace {

constexpr guint kMaxPoints = 4096;  // of one shape
constexpr double kFarthest = 1e6;   // pixels; beyond it float coordinates lose whole pixels
constexpr float kWidest = 256;      // pixels

[[noreturn]] void fail(const GstStructure* shape, const std::string& complaint) {
  throw Error(ErrorCode::kInput, std::string("user data \"overlay\": ") +
                                     gst_structure_get_name(shape) + ": " + complaint);
}

bool is_sequence(const GValue* value) {
  return GST_VALUE_HOLDS_ARRAY(value) || GST_VALUE_HOLDS_LIST(value);
}

guint sequence_size(const GValue* value) {
  return GST_VALUE_HOLDS_ARRAY(value) ? gst_value_array_get_size(value)
                                      : gst_value_list_get_size(value);
}

const GValue* sequence_item(const GValue* value, guint index) {
  return GST_VALUE_HOLDS_ARRAY(value) ? gst_value_array_get_value(value, index)
                                      : gst_value_list_get_value(value, index);
}

std::optional<double> number(const GValue* value) {
  switch (G_VALUE_TYPE(value)) {
    case G_TYPE_DOUBLE:
      return g_value_get_double(value);
    case G_TYPE_FLOAT:
      return g_value_get_float(value);
    case G_TYPE_INT:
      return g_value_get_int(value);
    case G_TYPE_UINT:
      return g_value_get_uint(value);
    case G_TYPE_INT64:
      return static_cast<double>(g_value_get_int64(value));
    case G_TYPE_UINT64:
      return static_cast<double>(g_value_get_uint64(value));
    default:
      return std::nullopt;
  }
}

bool is_relative(const GstStructure* shape) {
  const GValue* value = gst_structure_get_value(shape, "units");
  if (value == nullptr) return false;
  const char* units = G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value) : nullptr;
  const std::string_view word = units != nullptr ? units : "";
  if (word != "pixels" && word != "relative") fail(shape, "units: expected pixels or relative");
  return word == "relative";
}

std::vector<Point> read_points(const GstStructure* shape, const Rect& unit) {
  const GValue* value = gst_structure_get_value(shape, "points");
  const guint count = value != nullptr && is_sequence(value) ? sequence_size(value) : 0;
  if (count < 2 || count % 2 != 0 || count > 2 * kMaxPoints)
    fail(shape, "points: expected an array x0, y0, x1, y1, … of 1 to " +
                    std::to_string(kMaxPoints) + " points");
  const bool relative = is_relative(shape);
  const auto coordinate = [&](guint i, double origin, double scale) {
    const auto found = number(sequence_item(value, i));
    const double pixels = found ? (relative ? origin + *found * scale : *found) : NAN;
    if (!(std::abs(pixels) <= kFarthest))
      fail(shape,
           "points: item " + std::to_string(i) + ": expected a number within ±1000000 pixels");
    return static_cast<float>(pixels);
  };
  std::vector<Point> points;
  for (guint i = 0; i < count; i += 2)
    points.push_back({coordinate(i, unit.x, unit.width), coordinate(i + 1, unit.y, unit.height)});
  return points;
}

std::optional<Color> read_color(const GstStructure* shape) {
  const GValue* value = gst_structure_get_value(shape, "color");
  if (value == nullptr) return std::nullopt;
  const char* text = G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value) : nullptr;
  const auto color = parse_color(text != nullptr ? text : "");
  if (!color) fail(shape, "color: expected \"#rrggbb\" or \"#rrggbbaa\"");
  return color;
}

std::optional<float> read_width(const GstStructure* shape) {
  const GValue* value = gst_structure_get_value(shape, "width");
  if (value == nullptr) return std::nullopt;
  const auto width = number(value);
  if (!width || !(*width > 0 && *width <= kWidest))
    fail(shape, "width: expected a number of pixels above 0, at most 256");
  return static_cast<float>(*width);
}

std::string read_label(const GstStructure* shape) {
  const GValue* value = gst_structure_get_value(shape, "label");
  if (value == nullptr) return {};
  const char* text = G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value) : nullptr;
  if (text == nullptr) fail(shape, "label: expected a string");
  return text;
}

UserShape read_shape(const GstStructure* structure, const Rect& unit) {
  UserShape shape;
  shape.closed = gst_structure_has_name(structure, "polygon");
  shape.points = read_points(structure, unit);
  shape.color = read_color(structure);
  shape.width = read_width(structure);
  shape.label = read_label(structure);
  return shape;
}

const GstStructure* structure_in(const GValue* value) {
  return GST_VALUE_HOLDS_STRUCTURE(value) ? gst_value_get_structure(value) : nullptr;
}

bool is_shape(const GstStructure* structure) {
  return structure != nullptr && (gst_structure_has_name(structure, "line") ||
                                  gst_structure_has_name(structure, "polygon"));
}

}  // namespace

std::vector<UserShape> read_shapes(const GValue& value, const Rect& unit) {
  const GstStructure* root = structure_in(&value);
  if (is_shape(root)) return {read_shape(root, unit)};

  const GValue* items = root != nullptr && gst_structure_has_name(root, "shapes")
                            ? gst_structure_get_value(root, "items")
                            : nullptr;
  if (items == nullptr || !is_sequence(items))
    throw Error(ErrorCode::kInput,
                "user data \"overlay\": expected a GstStructure \"line\", \"polygon\", or "
                "\"shapes\" with an array \"items\" of those");
  std::vector<UserShape> shapes;
  for (guint i = 0; i < sequence_size(items); ++i) {
    const GstStructure* item = structure_in(sequence_item(items, i));
    if (!is_shape(item))
      fail(root, "items: item " + std::to_string(i) + ": expected a structure line or polygon");
    shapes.push_back(read_shape(item, unit));
  }
  return shapes;
}

}  // namespace sightline
