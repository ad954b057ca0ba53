// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/class_colors.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include <gst/gst.h>

#include "meta/error.h"

namespace sightline {

namespace {

constexpr const char* kUserData = "overlay-colors";

std::string read_color(const ConfigFile& config, const std::string& group, const char* key,
                       const std::string& otherwise) {
  const auto value = config.find(group, key);
  if (!value) return otherwise;
  const std::vector<float> parts = value->as_floats();
  bool fits = parts.size() == 4;
  for (const float part : parts) fits = fits && part >= 0 && part <= 1;
  if (!fits) value->fail("expected red;green;blue;alpha, each from 0 to 1");
  char text[10];
  const auto byte = [&](std::size_t i) {
    return static_cast<unsigned>(std::lround(parts[i] * 255));
  };
  std::snprintf(text, sizeof text, "#%02x%02x%02x%02x", byte(0), byte(1), byte(2), byte(3));
  return text;
}

}  // namespace

ClassColors ClassColors::from_config(const ConfigFile& config) {
  constexpr std::string_view kPrefix = "class-attrs-";
  ClassColors colors;
  const auto read = [&](const std::string& group, const Colors& otherwise) {
    return Colors{read_color(config, group, "border-color", otherwise.border),
                  read_color(config, group, "bg-color", otherwise.background)};
  };
  colors.all_ = read("class-attrs-all", {});
  for (const std::string& group : config.groups()) {
    if (!group.starts_with(kPrefix)) continue;
    int id = 0;
    const auto [end, error] =
        std::from_chars(group.data() + kPrefix.size(), group.data() + group.size(), id);
    if (error == std::errc() && end == group.data() + group.size() && id >= 0)
      colors.of_class_[id] = read(group, colors.all_);
  }
  return colors;
}

void ClassColors::mark(SightObject* object, int class_id) const {
  const auto found = of_class_.find(class_id);
  const Colors& colors = found == of_class_.end() ? all_ : found->second;
  if (colors.border.empty() && colors.background.empty()) return;
  GstStructure* structure = gst_structure_new_empty(kUserData);
  if (!colors.border.empty())
    gst_structure_set(structure, "border", G_TYPE_STRING, colors.border.c_str(), nullptr);
  if (!colors.background.empty())
    gst_structure_set(structure, "background", G_TYPE_STRING, colors.background.c_str(), nullptr);
  GError* error = nullptr;
  sight_object_set_user_boxed(object, kUserData, GST_TYPE_STRUCTURE, structure, &error);
  gst_structure_free(structure);
  if (error != nullptr) throw take_error(error);
}

}  // namespace sightline
