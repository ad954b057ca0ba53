// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/track_data.h"

#include "meta/error.h"

namespace sightline {

namespace {

constexpr const char* kKey = "sightline-track";

}  // namespace

void set_track_data(SightObject* object, const TrackData& data) {
  GstStructure* fields = gst_structure_new(
      kKey, "state", G_TYPE_STRING, data.state.c_str(), "age", G_TYPE_UINT, data.age, "hits",
      G_TYPE_UINT, data.hits, "predicted", G_TYPE_BOOLEAN, gboolean{data.predicted}, "velocity-x",
      G_TYPE_DOUBLE, data.velocity_x, "velocity-y", G_TYPE_DOUBLE, data.velocity_y, nullptr);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, fields);
  GError* error = nullptr;
  sight_object_set_user_data(object, kKey, &value, &error);
  g_value_unset(&value);
  if (error != nullptr) throw take_error(error);
}

std::optional<TrackData> find_track_data(const SightObject* object) {
  const GValue* value = sight_object_get_user_data(object, kKey);
  if (value == nullptr || !GST_VALUE_HOLDS_STRUCTURE(value)) return std::nullopt;
  const GstStructure* fields = gst_value_get_structure(value);
  const gchar* state = fields != nullptr ? gst_structure_get_string(fields, "state") : nullptr;
  TrackData data;
  gboolean predicted = FALSE;
  if (state == nullptr ||
      !gst_structure_get(fields, "age", G_TYPE_UINT, &data.age, "hits", G_TYPE_UINT, &data.hits,
                         "predicted", G_TYPE_BOOLEAN, &predicted, "velocity-x", G_TYPE_DOUBLE,
                         &data.velocity_x, "velocity-y", G_TYPE_DOUBLE, &data.velocity_y, nullptr))
    return std::nullopt;
  data.state = state;
  data.predicted = predicted != FALSE;
  return data;
}

bool is_predicted(const SightObject* object) {
  const auto data = find_track_data(object);
  return data && data->predicted;
}

}  // namespace sightline
