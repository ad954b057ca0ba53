// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/analytics_event.h"

#include <chrono>
#include <string>

namespace sightline {
namespace {

constexpr const char* kMessageName = "sightanalytics";

void set_text(GstStructure* structure, const char* field, const char* text) {
  if (text == nullptr) return;
  gchar* valid = g_utf8_make_valid(text, -1);
  gst_structure_set(structure, field, G_TYPE_STRING, valid, nullptr);
  g_free(valid);
}

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

const char* name_of(SceneEvent::Kind kind) {
  switch (kind) {
    case SceneEvent::Kind::kCrossed:
      return "crossed";
    case SceneEvent::Kind::kEntered:
      return "entered";
    case SceneEvent::Kind::kLeft:
      return "left";
    case SceneEvent::Kind::kOvercrowded:
      return "overcrowded";
    case SceneEvent::Kind::kOvercrowdedEnd:
      return "overcrowded-end";
  }
  return "";
}

}  // namespace

GstStructure* to_structure(const SceneEvent& event, const StreamRules& rules,
                           const SightFrame* frame, GstClockTime time) {
  using Kind = SceneEvent::Kind;
  GstStructure* structure =
      gst_structure_new(kMessageName, "event", G_TYPE_STRING, name_of(event.kind), "frame",
                        G_TYPE_UINT64, sight_frame_get_number(frame), nullptr);
  const auto set_number = [&](const char* field, std::uint64_t number) {
    gst_structure_set(structure, field, G_TYPE_UINT64, guint64{number}, nullptr);
  };
  const auto set_seconds = [&](const char* field) {
    gst_structure_set(structure, field, G_TYPE_DOUBLE, seconds(event.time), nullptr);
  };
  set_text(structure, "stream", sight_frame_get_stream(frame));
  if (GST_CLOCK_TIME_IS_VALID(time)) set_number("running-time", time);

  if (event.kind == Kind::kCrossed) {
    set_text(structure, "line", rules.lines[event.index].name.c_str());
    set_text(structure, "direction", event.inwards ? "in" : "out");
  } else {
    set_text(structure, "zone", rules.zones[event.index].name.c_str());
  }
  if (event.kind == Kind::kOvercrowded || event.kind == Kind::kOvercrowdedEnd)
    set_number("count", event.count);
  else
    set_number("track", event.track);
  if (event.kind == Kind::kOvercrowdedEnd) set_seconds("duration");
  if (event.kind == Kind::kLeft) {
    set_seconds("dwell");
    gst_structure_set(structure, "lost", G_TYPE_BOOLEAN, gboolean{event.lost}, nullptr);
  }
  return structure;
}

}  // namespace sightline
