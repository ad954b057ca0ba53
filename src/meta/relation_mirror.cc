// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/relation_mirror.h"

#include <map>

#include <gst/analytics/analytics.h>

#include "meta/frame.h"
#include "meta/frame_meta.h"
#include "meta/visible_part.h"

namespace sightline {

namespace {

using Relations = GstAnalyticsRelationMeta;

// GStreamer's own decoders relate a detection to its classes, DL Streamer has it contain them.
constexpr auto kHas = static_cast<GstAnalyticsRelTypes>(GST_ANALYTICS_REL_TYPE_CONTAIN |
                                                        GST_ANALYTICS_REL_TYPE_RELATE_TO);

bool is_up_to_date(GstBuffer* buffer, const SightFrame& frame) {
  std::map<guint64, guint64> wanted;
  for (const ObjectHandle& object : frame.objects)
    if (!visible(object->box, frame).empty()) wanted[object->id] = object->revision;
  return wanted == frame.relations.revisions &&
         (wanted.empty() || gst_buffer_get_analytics_relation_meta(buffer) != nullptr);
}

// The meta to write to; one of its own if all of it is ours, or somebody has taken it away.
Relations* open_relations(GstBuffer* buffer, SightFrame& frame) {
  Relations* relations = gst_buffer_get_analytics_relation_meta(buffer);
  const bool foreign = relations != nullptr &&
                       gst_analytics_relation_get_length(relations) != frame.relations.written;
  if (foreign) return relations;
  if (relations != nullptr) gst_buffer_remove_meta(buffer, GST_META_CAST(relations));
  frame.relations.written = 0;
  frame.relations.revisions.clear();
  return gst_buffer_add_analytics_relation_meta(buffer);
}

class ObjectWriter {
 public:
  ObjectWriter(Relations* relations, const SightFrame& frame, const SightObject& object)
      : relations_(relations) {
    const PixelBox box = nearest_pixels(visible(object.box, frame));
    // Readers make a string of the label, so there has to be one.
    const GQuark label = g_quark_from_string(object.label ? object.label->c_str() : "object");
    gst_analytics_relation_meta_add_od_mtd(relations_, label, static_cast<gint>(box.x),
                                           static_cast<gint>(box.y), static_cast<gint>(box.width),
                                           static_cast<gint>(box.height), object.confidence,
                                           &detection_);
    add_classes(object);
    if (object.track) add_track(*object.track);
  }

 private:
  // Overlays show the first class, so who somebody is comes before what they look like. A person
  // is written by the id, and text of no known class not at all: quarks are never freed.
  void add_classes(const SightObject& object) {
    const SightIdentity* identity = object.identity.get();
    if (identity != nullptr && sight_identity_is_known(identity))
      add_class(sight_identity_get_person(identity), sight_identity_get_similarity(identity));
    for (const ClassificationHandle& found : object.classifications)
      if (sight_classification_get_class_id(found.get()) >= 0)
        add_class(sight_classification_get_label(found.get()),
                  sight_classification_get_confidence(found.get()));
  }

  void add_class(const char* label, float confidence) {
    GstAnalyticsClsMtd entry;
    if (gst_analytics_relation_meta_add_one_cls_mtd(relations_, confidence,
                                                    g_quark_from_string(label), &entry))
      relate(kHas, entry.id);
  }

  // When it was first seen is not known here.
  void add_track(guint64 track) {
    GstAnalyticsTrackingMtd entry;
    if (gst_analytics_relation_meta_add_tracking_mtd(relations_, track, GST_CLOCK_TIME_NONE,
                                                     &entry))
      relate(GST_ANALYTICS_REL_TYPE_RELATE_TO, entry.id);
  }

  void relate(GstAnalyticsRelTypes how, guint part) {
    gst_analytics_relation_meta_set_relation(relations_, how, detection_.id, part);
    gst_analytics_relation_meta_set_relation(relations_, GST_ANALYTICS_REL_TYPE_IS_PART_OF, part,
                                             detection_.id);
  }

  Relations* relations_;
  GstAnalyticsODMtd detection_{};
};

}  // namespace

bool has_relations() { return true; }

void mirror_relations(GstBuffer* buffer) {
  const SightFrame* current = peek_frame(buffer);
  if (current == nullptr || (current->relations.wanted && is_up_to_date(buffer, *current))) return;

  SightFrame& frame = edit_frame(buffer);
  frame.relations.wanted = true;
  Relations* relations = open_relations(buffer, frame);
  const gsize before = gst_analytics_relation_get_length(relations);
  for (const ObjectHandle& object : frame.objects) {
    if (visible(object->box, frame).empty()) continue;
    if (frame.relations.revisions.emplace(object->id, object->revision).second)
      ObjectWriter(relations, frame, *object);
  }
  frame.relations.written += gst_analytics_relation_get_length(relations) - before;
}

}  // namespace sightline
