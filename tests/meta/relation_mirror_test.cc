// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/relation_mirror.h"

#include <string>
#include <vector>

#include <gst/analytics/analytics.h>
#include <gtest/gtest.h>

#include "buffer_ptr.h"
#include "meta/handles.h"
#include "meta/mirrors.h"

namespace {

using sightline::ClassificationHandle;
using sightline::IdentityHandle;
using sightline::mirror_relations;
using Relations = GstAnalyticsRelationMeta;

constexpr guint kWidth = 640, kHeight = 480;

BufferPtr make_frame_buffer() {
  BufferPtr buffer = make_buffer();
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  EXPECT_TRUE(sight_frame_set_size(frame, kWidth, kHeight, nullptr));
  return buffer;
}

SightObject* add(const BufferPtr& buffer, const SightBox& box, const char* label = "face") {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  return sight_frame_add_object(frame, label, 2, 0.75f, &box, 0, nullptr);
}

SightObject* edit(const BufferPtr& buffer, guint64 id) {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  return sight_frame_edit_object(frame, sight_frame_find_object(frame, id), nullptr);
}

void remove(const BufferPtr& buffer, guint64 id) {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  ASSERT_TRUE(sight_frame_remove_object(frame, sight_frame_find_object(frame, id), nullptr));
}

// What a reader of GStreamer's own metadata finds: a line each detection.
std::vector<std::string> found_on(const BufferPtr& buffer) {
  std::vector<std::string> lines;
  Relations* relations = gst_buffer_get_analytics_relation_meta(buffer.get());
  gpointer detections = nullptr;
  GstAnalyticsODMtd found;
  while (relations != nullptr &&
         gst_analytics_relation_meta_iterate(relations, &detections,
                                             gst_analytics_od_mtd_get_mtd_type(), &found)) {
    gint x, y, width, height;
    gfloat confidence;
    gst_analytics_od_mtd_get_location(&found, &x, &y, &width, &height, &confidence);
    std::string line = g_quark_to_string(gst_analytics_od_mtd_get_obj_type(&found));
    for (const gint number : {x, y, width, height}) line += " " + std::to_string(number);
    for (const auto how : {GST_ANALYTICS_REL_TYPE_RELATE_TO, GST_ANALYTICS_REL_TYPE_CONTAIN}) {
      gpointer classes = nullptr;
      GstAnalyticsClsMtd entry;
      while (gst_analytics_relation_meta_get_direct_related(
          relations, found.id, how, gst_analytics_cls_mtd_get_mtd_type(), &classes, &entry))
        line += std::string(how == GST_ANALYTICS_REL_TYPE_CONTAIN ? " contains " : " relates to ") +
                g_quark_to_string(gst_analytics_cls_mtd_get_quark(&entry, 0));
    }
    gpointer tracks = nullptr;
    GstAnalyticsTrackingMtd track;
    while (gst_analytics_relation_meta_get_direct_related(
        relations, found.id, GST_ANALYTICS_REL_TYPE_RELATE_TO,
        gst_analytics_tracking_mtd_get_mtd_type(), &tracks, &track)) {
      guint64 number = 0;
      GstClockTime first, last;
      gboolean lost = TRUE;
      gst_analytics_tracking_mtd_get_info(&track, &number, &first, &last, &lost);
      line += " track " + std::to_string(number) + (lost ? " lost" : "");
    }
    lines.push_back(line);
  }
  return lines;
}

TEST(RelationMirror, ObjectsAreDetectionsInWholePixelsOfTheFrame) {
  const BufferPtr buffer = make_frame_buffer();
  add(buffer, {10.4f, 20.6f, 30, 40});
  add(buffer, {-20, 460, 50, 50}, nullptr);
  add(buffer, {700, 10, 20, 20}, "outside");
  mirror_relations(buffer.get());
  EXPECT_EQ(found_on(buffer), (std::vector<std::string>{"face 10 21 30 40", "object 0 460 30 20"}));
}

TEST(RelationMirror, PersonComesBeforeClassesAndTextsAreLeftOut) {
  const BufferPtr buffer = make_frame_buffer();
  SightObject* face = add(buffer, {10, 20, 30, 40});
  const auto classify = [&](const char* label, int class_id) {
    const auto found = ClassificationHandle::adopt(
        sight_classification_new("attribute", label, class_id, 0.5f, "stage", 3));
    sight_object_add_classification(face, found.get(), nullptr);
  };
  classify("happy", 3);
  classify("any text that somebody holds into the camera", -1);
  const auto identity =
      IdentityHandle::adopt(sight_identity_new("p4", "Ada Lovelace", 0.9f, "p4", "Ada Lovelace"));
  sight_object_set_identity(face, identity.get(), nullptr);
  sight_object_set_track(face, 7, nullptr);
  mirror_relations(buffer.get());
  EXPECT_EQ(found_on(buffer),
            (std::vector<std::string>{"face 10 20 30 40 relates to p4 relates to happy contains p4 "
                                      "contains happy track 7"}));
}

TEST(RelationMirror, UnknownPersonsAreNoClass) {
  const BufferPtr buffer = make_frame_buffer();
  const auto unknown =
      IdentityHandle::adopt(sight_identity_new(nullptr, nullptr, 0.5f, "p4", "Ada Lovelace"));
  sight_object_set_identity(add(buffer, {10, 20, 30, 40}), unknown.get(), nullptr);
  mirror_relations(buffer.get());
  EXPECT_EQ(found_on(buffer), (std::vector<std::string>{"face 10 20 30 40"}));
}

TEST(RelationMirror, WhatChangesIsWrittenAnewAndOnlyOnFramesThatAreMirrored) {
  const BufferPtr buffer = make_frame_buffer();
  const guint64 first = sight_object_get_id(add(buffer, {10, 20, 30, 40}));
  const guint64 second = sight_object_get_id(add(buffer, {100, 100, 10, 10}, "car"));
  sightline::update_mirrors(buffer.get());
  EXPECT_EQ(found_on(buffer), std::vector<std::string>{});
  mirror_relations(buffer.get());
  ASSERT_EQ(found_on(buffer).size(), 2U);

  sight_object_set_track(edit(buffer, first), 7, nullptr);
  remove(buffer, second);
  add(buffer, {200, 200, 20, 20}, "bag");
  sightline::update_mirrors(buffer.get());
  EXPECT_EQ(found_on(buffer),
            (std::vector<std::string>{"face 10 20 30 40 track 7", "bag 200 200 20 20"}));
}

TEST(RelationMirror, ABufferThatIsUpToDateNeedNotBeWritable) {
  const BufferPtr buffer = make_frame_buffer();
  add(buffer, {10, 20, 30, 40});
  mirror_relations(buffer.get());
  const BufferPtr shared(gst_buffer_ref(buffer.get()));
  EXPECT_NO_THROW(mirror_relations(buffer.get()));
}

TEST(RelationMirror, WhatOthersHaveAddedStays) {
  const BufferPtr buffer = make_frame_buffer();
  const guint64 face = sight_object_get_id(add(buffer, {10, 20, 30, 40}));
  mirror_relations(buffer.get());
  GstAnalyticsODMtd theirs;
  gst_analytics_relation_meta_add_od_mtd(gst_buffer_get_analytics_relation_meta(buffer.get()),
                                         g_quark_from_string("theirs"), 1, 2, 3, 4, 0.5f, &theirs);
  sight_object_set_track(edit(buffer, face), 7, nullptr);
  add(buffer, {200, 200, 20, 20}, "bag");
  mirror_relations(buffer.get());
  EXPECT_EQ(found_on(buffer),
            (std::vector<std::string>{"face 10 20 30 40", "theirs 1 2 3 4", "bag 200 200 20 20"}));
}

TEST(RelationMirror, TheBuffersCopyHasAMirrorOfItsOwn) {
  const BufferPtr buffer = make_frame_buffer();
  add(buffer, {10, 20, 30, 40});
  mirror_relations(buffer.get());
  const BufferPtr copy(gst_buffer_copy(buffer.get()));
  add(copy, {200, 200, 20, 20}, "bag");
  sightline::update_mirrors(copy.get());
  EXPECT_EQ(found_on(copy).size(), 2U);
  EXPECT_EQ(found_on(buffer).size(), 1U);
}

}  // namespace
