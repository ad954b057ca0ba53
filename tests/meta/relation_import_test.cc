// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The two conventions of neighbours, read.

#include "meta/relation_import.h"

#include <string>
#include <vector>

#include <gst/analytics/analytics.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "buffer_ptr.h"
#include "core/error.h"
#include "meta/relation_mirror.h"
#include "meta/roi_mirror.h"
#include "sightline/frame.h"

namespace {

using sightline::import_detections;
using sightline::import_regions;

constexpr guint kStage = 3;
constexpr auto kContainAndRelate = static_cast<GstAnalyticsRelTypes>(
    GST_ANALYTICS_REL_TYPE_CONTAIN | GST_ANALYTICS_REL_TYPE_RELATE_TO);

BufferPtr make_frame_buffer() {
  BufferPtr buffer = make_buffer();
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  EXPECT_TRUE(sight_frame_set_size(frame, 640, 480, nullptr));
  return buffer;
}

GstAnalyticsRelationMeta* meta_of(const BufferPtr& buffer) {
  return gst_buffer_get_analytics_relation_meta(buffer.get());
}

GstAnalyticsODMtd add_foreign(const BufferPtr& buffer, const char* type, gint x, gint y, gint w,
                              gint h, float confidence = 0.5f) {
  GstAnalyticsRelationMeta* meta = meta_of(buffer);
  if (meta == nullptr) meta = gst_buffer_add_analytics_relation_meta(buffer.get());
  GstAnalyticsODMtd mtd;
  EXPECT_TRUE(gst_analytics_relation_meta_add_od_mtd(
      meta, type != nullptr ? g_quark_from_string(type) : 0, x, y, w, h, confidence, &mtd));
  return mtd;
}

void say_class(const GstAnalyticsODMtd& of, GstAnalyticsRelTypes relation,
               std::vector<float> levels, const std::vector<const char*>& labels) {
  std::vector<GQuark> quarks;
  for (const char* label : labels) quarks.push_back(g_quark_from_string(label));
  GstAnalyticsClsMtd mtd;
  EXPECT_TRUE(gst_analytics_relation_meta_add_cls_mtd(of.meta, levels.size(), levels.data(),
                                                      quarks.data(), &mtd));
  EXPECT_TRUE(gst_analytics_relation_meta_set_relation(of.meta, relation, of.id, mtd.id));
}

const SightObject* object(const BufferPtr& buffer, guint index) {
  return sight_frame_get_object(sight_buffer_get_frame(buffer.get()), index);
}

TEST(ImportDetections, ReadsWhatUpstreamsDecodersWrite) {
  BufferPtr buffer = make_frame_buffer();
  const GstAnalyticsODMtd car = add_foreign(buffer, nullptr, 10, 20, 30, 40);
  say_class(car, GST_ANALYTICS_REL_TYPE_RELATE_TO, {0.1f, 0.8f}, {"bus", "car"});
  GstAnalyticsTrackingMtd track;
  ASSERT_TRUE(gst_analytics_relation_meta_add_tracking_mtd(car.meta, 17, 0, &track));
  ASSERT_TRUE(gst_analytics_relation_meta_set_relation(car.meta, GST_ANALYTICS_REL_TYPE_RELATE_TO,
                                                       car.id, track.id));
  EXPECT_TRUE(sightline::has_detections(buffer.get()));
  EXPECT_EQ(import_detections(buffer.get(), kStage), 1);
  EXPECT_STREQ(sight_object_get_label(object(buffer, 0)), "car");
  EXPECT_EQ(sight_object_get_n_classifications(object(buffer, 0)), 0u);
  EXPECT_EQ(sight_object_get_confidence(object(buffer, 0)), 0.5f);
  EXPECT_EQ(sight_object_get_stage_id(object(buffer, 0)), kStage);
  guint64 number = 0;
  EXPECT_TRUE(sight_object_get_track(object(buffer, 0), &number));
  EXPECT_EQ(number, 17u);
}

TEST(ImportDetections, ReadsWhatDlStreamerWritesOnce) {
  BufferPtr buffer = make_frame_buffer();
  const GstAnalyticsODMtd face = add_foreign(buffer, "face", 10, 20, 30, 40);
  say_class(face, GST_ANALYTICS_REL_TYPE_RELATE_TO, {0, 0}, {"person", "face"});  // all labels
  say_class(face, GST_ANALYTICS_REL_TYPE_CONTAIN, {0.75f}, {"glad"});
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "face", 10, 20, 30, 40)->id =
      static_cast<gint>(face.id);
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "other", 10, 20, 30, 40)->id = 99;
  EXPECT_EQ(import_detections(buffer.get(), kStage), 1);
  EXPECT_EQ(import_regions(buffer.get(), kStage), 1) << "the other one";
  EXPECT_EQ(import_regions(buffer.get(), kStage), 0);
  EXPECT_STREQ(sight_object_get_label(object(buffer, 0)), "face");
  ASSERT_EQ(sight_object_get_n_classifications(object(buffer, 0)), 1u);
  EXPECT_STREQ(
      sight_classification_get_label(sight_object_get_classification(object(buffer, 0), 0)),
      "glad");
  EXPECT_STREQ(sight_object_get_label(object(buffer, 1)), "other");
  const gsize before = gst_analytics_relation_get_length(meta_of(buffer));
  sightline::mirror_relations(buffer.get());
  EXPECT_EQ(gst_analytics_relation_get_length(meta_of(buffer)), before + 1)
      << "the other; the face is there";
}

TEST(ImportDetections, KeepsEqualBoxesApartAndSkipsNonsense) {
  BufferPtr buffer = make_frame_buffer();
  for (int i = 0; i < 2; ++i) add_foreign(buffer, "cat", 5, 5, 10, 10);
  add_foreign(buffer, "far", 640, 5, 10, 10);
  add_foreign(buffer, "flat", 5, 5, 0, 10);
  add_foreign(buffer, "odd", 5, 5, -5, 10);
  const GstAnalyticsODMtd cat = add_foreign(buffer, "cat", 9, 9, 10, 10);
  say_class(cat, kContainAndRelate, {-1}, {"unlikely"});
  EXPECT_EQ(import_detections(buffer.get(), kStage), 3);
  EXPECT_EQ(sight_object_get_n_classifications(object(buffer, 2)), 0u);
}

TEST(ImportDetections, NeedsAWritableBufferOnlyIfThereAreAny) {
  BufferPtr buffer = make_frame_buffer();
  BufferPtr second(gst_buffer_ref(buffer.get()));
  EXPECT_EQ(import_detections(buffer.get(), kStage), 0);
  second.reset();
  add_foreign(buffer, "x", 0, 0, 10, 10);
  second.reset(gst_buffer_ref(buffer.get()));
  EXPECT_THROW(import_detections(buffer.get(), kStage), sightline::Error);
}

}  // namespace
