// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/relation_import.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gst/analytics/analytics.h>

#include "meta/frame.h"
#include "meta/frame_meta.h"
#include "meta/visible_part.h"

namespace sightline {

namespace {

// From a detection to what is said of it. Upstream elements follow the first, DL Streamer the
// second; relations are tested by AND, so both find it.
constexpr auto kSaysOf = static_cast<GstAnalyticsRelTypes>(GST_ANALYTICS_REL_TYPE_RELATE_TO |
                                                           GST_ANALYTICS_REL_TYPE_CONTAIN);

std::vector<GstAnalyticsODMtd> detections_on(GstAnalyticsRelationMeta* meta) {
  std::vector<GstAnalyticsODMtd> found;
  gpointer state = nullptr;
  GstAnalyticsODMtd detection;
  while (meta != nullptr && gst_analytics_relation_meta_iterate(
                                meta, &state, gst_analytics_od_mtd_get_mtd_type(), &detection))
    found.push_back(detection);
  return found;
}

// What is said of `detection` and is of `type`.
std::vector<GstAnalyticsMtd> related(const GstAnalyticsODMtd& detection, GstAnalyticsMtdType type) {
  std::vector<GstAnalyticsMtd> found;
  gpointer state = nullptr;
  GstAnalyticsMtd mtd;
  while (gst_analytics_relation_meta_get_direct_related(detection.meta, detection.id, kSaysOf, type,
                                                        &state, &mtd))
    found.push_back(mtd);
  return found;
}

// The likeliest class; none of a list of all labels, whose levels are 0.
ClassificationHandle classification_from(const GstAnalyticsClsMtd& mtd) {
  gsize best = 0;
  const gsize count = gst_analytics_cls_mtd_get_length(&mtd);
  for (gsize i = 1; i < count; ++i)
    if (gst_analytics_cls_mtd_get_level(&mtd, i) > gst_analytics_cls_mtd_get_level(&mtd, best))
      best = i;
  if (count == 0) return {};
  const float level = gst_analytics_cls_mtd_get_level(&mtd, best);
  const char* label = g_quark_to_string(gst_analytics_cls_mtd_get_quark(&mtd, best));
  if (!std::isfinite(level) || level <= 0 || label == nullptr) return {};
  return ClassificationHandle::adopt(
      sight_classification_new("classification", label, -1, level, nullptr, 0));
}

void add_track(SightObject& object, const GstAnalyticsODMtd& detection) {
  for (const GstAnalyticsMtd& mtd : related(detection, gst_analytics_tracking_mtd_get_mtd_type())) {
    guint64 track = 0;
    GstClockTime first, last;
    gboolean lost;
    if (gst_analytics_tracking_mtd_get_info(&mtd, &track, &first, &last, &lost))
      object.track = track;
  }
}

// Empty: it cannot be seen, or says nothing that makes sense.
ObjectHandle import_detection(const GstAnalyticsODMtd& detection, const SightFrame& frame,
                              guint stage_id) {
  gint x, y, width, height;
  gfloat confidence;
  if (!gst_analytics_od_mtd_get_location(&detection, &x, &y, &width, &height, &confidence))
    return {};
  const SightBox box = {static_cast<float>(x), static_cast<float>(y), static_cast<float>(width),
                        static_cast<float>(height)};
  if (width <= 0 || height <= 0 || !std::isfinite(confidence) || visible(box, frame).empty())
    return {};
  Text label = repaired(g_quark_to_string(gst_analytics_od_mtd_get_obj_type(&detection)));
  std::vector<ClassificationHandle> classifications;
  for (const GstAnalyticsMtd& mtd : related(detection, gst_analytics_cls_mtd_get_mtd_type())) {
    ClassificationHandle classification = classification_from(mtd);
    if (!classification) continue;
    // Upstream's decoders say the object's own class this way.
    if (const char* name = sight_classification_get_label(classification.get());
        !label || *label == name)
      label = name;
    else
      classifications.push_back(std::move(classification));
  }
  ObjectHandle object = make_object(frame.token, c_str(label), -1, confidence, box, 0);
  object->stage_id = stage_id;
  object->classifications = std::move(classifications);
  add_track(*object, detection);
  return object;
}

}  // namespace

bool has_detections(GstBuffer* buffer) {
  return !detections_on(gst_buffer_get_analytics_relation_meta(buffer)).empty();
}

int import_detections(GstBuffer* buffer, guint stage_id) {
  const auto detections = detections_on(gst_buffer_get_analytics_relation_meta(buffer));
  if (detections.empty()) return 0;
  SightFrame& frame = edit_frame(buffer);
  int imported = 0;
  for (const GstAnalyticsODMtd& detection : detections) {
    ObjectHandle object = import_detection(detection, frame, stage_id);
    if (!object) continue;
    frame.relations.revisions.emplace(object->id, object->revision);  // it is there already
    frame.objects.push_back(std::move(object));
    ++imported;
  }
  return imported;
}

}  // namespace sightline
