// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/late_result_event.h"

#include "meta/handles.h"

namespace sightline {

namespace {

constexpr char kName[] = "sightline-late-result";

// A frame with this object alone.
std::string line_of(const LateResult& result, const StageName& stage,
                    const Postprocessor& postprocessor, const char* reason) {
  const auto frame = FrameHandle::adopt(sight_frame_new(static_cast<guint>(result.size.width),
                                                        static_cast<guint>(result.size.height)));
  const SightObject* then = result.object.get();
  SightBox box{};
  sight_object_get_box(then, &box);
  sight_frame_set_stream(frame.get(), result.stream.c_str(), result.frame, nullptr);
  SightObject* object = sight_frame_add_object(frame.get(), sight_object_get_label(then),
                                               sight_object_get_class_id(then),
                                               sight_object_get_confidence(then), &box, 0, nullptr);
  sight_object_set_track(object, result.track, nullptr);
  if (result.problem.empty())
    attach(frame.get(), stage, postprocessor,
           {sight_object_get_id(object), {}, result.quality, result.results});
  else
    set_failure(frame.get(), stage, result.problem);
  gchar* json = sight_frame_to_json(frame.get(), GST_CLOCK_TIME_NONE);
  std::string line = std::string("{\"late\":\"") + reason + "\"," + (json + 1);
  g_free(json);
  return line;
}

}  // namespace

GstStructure* late_result_structure(const LateResult& result, const StageName& stage,
                                    const Postprocessor& postprocessor, const char* reason) {
  GstStructure* structure =
      gst_structure_new(kName, "stream", G_TYPE_STRING, result.stream.c_str(), "track",
                        G_TYPE_UINT64, static_cast<guint64>(result.track), "frame", G_TYPE_UINT64,
                        static_cast<guint64>(result.frame), "stage-id", G_TYPE_UINT, stage.id,
                        "reason", G_TYPE_STRING, reason, "line", G_TYPE_STRING,
                        line_of(result, stage, postprocessor, reason).c_str(), nullptr);
  if (!result.problem.empty())
    gst_structure_set(structure, "problem", G_TYPE_STRING, result.problem.c_str(), nullptr);
  return structure;
}

std::optional<std::string> late_result_line(GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM || !gst_event_has_name(event, kName))
    return std::nullopt;
  const gchar* line = gst_structure_get_string(gst_event_get_structure(event), "line");
  return line == nullptr ? std::nullopt : std::optional<std::string>(line);
}

}  // namespace sightline
