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
  GError* error = nullptr;
  sight_object_set_user_boxed(object, kKey, GST_TYPE_STRUCTURE, fields, &error);
  gst_structure_free(fields);
  if (error != nullptr) throw take_error(error);
}

std::optional<TrackData> find_track_data(const SightObject* object) {
  const auto* fields = static_cast<const GstStructure*>(
      sight_object_get_user_boxed(object, kKey, GST_TYPE_STRUCTURE));
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
