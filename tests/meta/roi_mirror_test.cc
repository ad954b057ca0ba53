// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/roi_mirror.h"

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "buffer_ptr.h"
#include "core/error.h"
#include "meta/handles.h"
#include "meta/mirrors.h"
#include "meta/tensor.h"

namespace {

using sightline::ClassificationHandle;
using sightline::IdentityHandle;
using sightline::import_regions;
using sightline::mirror_objects;
using sightline::TensorHandle;
using Region = GstVideoRegionOfInterestMeta;

constexpr guint kWidth = 640, kHeight = 480, kStage = 3;

// A buffer whose frame knows its size, as the first element of a pipeline leaves it.
BufferPtr make_frame_buffer() {
  BufferPtr buffer = make_buffer();
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  EXPECT_TRUE(sight_frame_set_size(frame, kWidth, kHeight, nullptr));
  return buffer;
}

std::vector<Region*> regions(const BufferPtr& buffer) {
  std::vector<Region*> found;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             buffer.get(), &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
    found.push_back(reinterpret_cast<Region*>(meta));
  return found;
}

SightObject* add(const BufferPtr& buffer, const SightBox& box, const char* label = "face",
                 guint64 parent = 0) {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  return sight_frame_add_object(frame, label, 2, 0.75f, &box, parent, nullptr);
}

SightObject* edit(const BufferPtr& buffer, guint64 id) {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  return sight_frame_edit_object(frame, sight_frame_find_object(frame, id), nullptr);
}

void remove(const BufferPtr& buffer, guint64 id) {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  ASSERT_TRUE(sight_frame_remove_object(frame, sight_frame_find_object(frame, id), nullptr));
}

double get_double(const GstStructure* structure, const char* field) {
  double value = std::numeric_limits<double>::quiet_NaN();
  gst_structure_get_double(structure, field, &value);
  return value;
}

int get_int(const GstStructure* structure, const char* field) {
  int value = -1;
  gst_structure_get_int(structure, field, &value);
  return value;
}

std::vector<float> payload(const GstStructure* structure) {
  const GValue* value = gst_structure_get_value(structure, "data_buffer");
  gsize n = 0;
  const auto* bytes =
      static_cast<const guint8*>(g_variant_get_fixed_array(g_value_get_variant(value), &n, 1));
  std::vector<float> values(n / 4);
  if (n != 0) memcpy(values.data(), bytes, n);
  return values;
}

GVariant* byte_array(const std::vector<float>& values) {
  return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, values.data(),
                                   values.size() * sizeof(float), 1);
}

// --- writing ----------------------------------------------------------------------------------

TEST(MirrorObjects, WritesWhatDlStreamerReads) {
  BufferPtr buffer = make_frame_buffer();
  SightObject* face = add(buffer, {64, 48, 128, 96});
  const SightPoint eye = {96, 96};
  ASSERT_TRUE(sight_object_set_landmarks(face, &eye, 1, nullptr));
  ASSERT_TRUE(sight_object_set_track(face, 17, nullptr));
  auto identity = IdentityHandle::adopt(sight_identity_new_full("42", "Ada", 0.875f, "42", "Ada", 0,
                                                                "a.db", 0.85f, 0.25f, nullptr, 0));
  ASSERT_TRUE(sight_object_set_identity(face, identity.get(), nullptr));
  auto age =
      ClassificationHandle::adopt(sight_classification_new("age", "20-29", 2, 0.5f, "ages", 4));
  ASSERT_TRUE(sight_object_add_classification(face, age.get(), nullptr));
  const std::vector<float> values = {0.25f, -0.5f, 1};
  auto embedding = TensorHandle::adopt(sightline::wrap_tensor(
      sightline::Tensor::copy_of("embedding", {1, 3}, values), "embedder", 5, -1));
  ASSERT_TRUE(sight_object_add_tensor(face, embedding.get(), nullptr));

  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  ASSERT_EQ(regions(buffer).size(), 1u);
  Region* region = regions(buffer)[0];
  EXPECT_NE(region->id, 0);
  EXPECT_STREQ(g_quark_to_string(region->roi_type), "face");
  EXPECT_EQ(std::vector<guint>({region->x, region->y, region->w, region->h}),
            std::vector<guint>({64, 48, 128, 96}));

  const auto* detection = gst_video_region_of_interest_meta_get_param(region, "detection");
  ASSERT_NE(detection, nullptr);
  EXPECT_NEAR(get_double(detection, "x_min"), 0.1, 1e-6);
  EXPECT_NEAR(get_double(detection, "x_max"), 0.3, 1e-6);
  EXPECT_NEAR(get_double(detection, "y_min"), 0.1, 1e-6);
  EXPECT_NEAR(get_double(detection, "y_max"), 0.3, 1e-6);
  EXPECT_NEAR(get_double(detection, "confidence"), 0.75, 1e-6);
  EXPECT_EQ(get_int(detection, "label_id"), 2);

  const auto* track = gst_video_region_of_interest_meta_get_param(region, "object_id");
  ASSERT_NE(track, nullptr);
  EXPECT_EQ(get_int(track, "id"), 17);

  const auto* person = gst_video_region_of_interest_meta_get_param(region, "face_id");
  ASSERT_NE(person, nullptr);
  EXPECT_STREQ(gst_structure_get_string(person, "label"), "Ada");
  EXPECT_EQ(get_int(person, "label_id"), 42);
  EXPECT_NEAR(get_double(person, "confidence"), 0.875, 1e-6);
  EXPECT_NEAR(get_double(person, "probability"), 0.25, 1e-6);

  const auto* classification = gst_video_region_of_interest_meta_get_param(region, "age");
  ASSERT_NE(classification, nullptr);
  EXPECT_STREQ(gst_structure_get_string(classification, "label"), "20-29");
  EXPECT_EQ(get_int(classification, "label_id"), 2);
  EXPECT_STREQ(gst_structure_get_string(classification, "type"), "classification_result");

  const auto* landmarks = gst_video_region_of_interest_meta_get_param(region, "landmarks");
  ASSERT_NE(landmarks, nullptr);
  EXPECT_STREQ(gst_structure_get_string(landmarks, "format"), "landmark_points");
  EXPECT_EQ(payload(landmarks), (std::vector<float>{0.25f, 0.5f}));

  const auto* tensor =
      gst_video_region_of_interest_meta_get_param(region, "classification_layer_name:embedding");
  ASSERT_NE(tensor, nullptr);
  EXPECT_STREQ(gst_structure_get_string(tensor, "format"), "cosine_distance");
  EXPECT_STREQ(gst_structure_get_string(tensor, "type"), "tensor");
  EXPECT_STREQ(gst_structure_get_string(tensor, "layer_name"), "embedding");
  EXPECT_STREQ(gst_structure_get_string(tensor, "model_name"), "embedder");
  EXPECT_EQ(get_int(tensor, "precision"), 10);
  EXPECT_EQ(get_int(tensor, "layout"), 193);
  EXPECT_EQ(payload(tensor), values);
  EXPECT_FALSE(gst_structure_has_field(tensor, "data")) << "a pointer outlives what it points to";
  const GValue* dims = gst_structure_get_value(tensor, "dims");
  ASSERT_EQ(gst_value_array_get_size(dims), 2u);
  EXPECT_EQ(g_value_get_uint(gst_value_array_get_value(dims, 0)), 1u);
  EXPECT_EQ(g_value_get_uint(gst_value_array_get_value(dims, 1)), 3u);
}

TEST(MirrorObjects, WritesOnlyWhatIsNewOrChanged) {
  BufferPtr buffer = make_frame_buffer();
  const guint64 first = sight_object_get_id(add(buffer, {0, 0, 10, 10}));
  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  EXPECT_EQ(mirror_objects(buffer.get()), 0);
  add(buffer, {20, 20, 10, 10});
  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  EXPECT_EQ(regions(buffer).size(), 2u);

  auto known = IdentityHandle::adopt(sight_identity_new("a", "Ada", 1, "a", "Ada"));
  ASSERT_TRUE(sight_object_set_identity(edit(buffer, first), known.get(), nullptr));
  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  auto unknown = IdentityHandle::adopt(sight_identity_new(nullptr, nullptr, 0, "a", "Ada"));
  Region* region = regions(buffer)[0];
  ASSERT_NE(gst_video_region_of_interest_meta_get_param(region, "face_id"), nullptr);
  ASSERT_TRUE(sight_object_set_identity(edit(buffer, first), unknown.get(), nullptr));
  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  EXPECT_EQ(gst_video_region_of_interest_meta_get_param(region, "face_id"), nullptr);
  EXPECT_EQ(g_list_length(region->params), 1u) << "old results must not pile up";
  EXPECT_EQ(regions(buffer).size(), 2u);
}

TEST(MirrorObjects, NeedsNoWritableBufferWhenThereIsNothingToWrite) {
  BufferPtr buffer = make_frame_buffer();
  add(buffer, {0, 0, 10, 10});
  mirror_objects(buffer.get());
  BufferPtr second_owner(gst_buffer_ref(buffer.get()));
  EXPECT_EQ(mirror_objects(buffer.get()), 0);
  second_owner.reset();
  add(buffer, {20, 0, 10, 10});
  second_owner.reset(gst_buffer_ref(buffer.get()));
  EXPECT_THROW(mirror_objects(buffer.get()), sightline::Error);
}

TEST(UpdateMirrors, CarriesOnWithWhatWasBegun) {
  BufferPtr buffer = make_frame_buffer();
  const guint64 id = sight_object_get_id(add(buffer, {0, 0, 10, 10}));
  sightline::update_mirrors(buffer.get());
  EXPECT_TRUE(regions(buffer).empty()) << "nobody asked for regions";
  mirror_objects(buffer.get());
  ASSERT_TRUE(sight_object_set_track(edit(buffer, id), 5, nullptr));
  add(buffer, {20, 0, 10, 10});
  sightline::update_mirrors(buffer.get());
  ASSERT_EQ(regions(buffer).size(), 2u);
  const auto* track = gst_video_region_of_interest_meta_get_param(regions(buffer)[0], "object_id");
  ASSERT_NE(track, nullptr);
  EXPECT_EQ(get_int(track, "id"), 5);
}

TEST(UpdateMirrors, WhatHadNoObjectYetIsMirroredToo) {
  BufferPtr buffer = make_frame_buffer();
  mirror_objects(buffer.get());
  BufferPtr later(gst_buffer_copy(buffer.get()));
  add(later, {20, 0, 10, 10});
  sightline::update_mirrors(later.get());
  EXPECT_EQ(regions(later).size(), 1u);
  EXPECT_TRUE(regions(buffer).empty());
}

// Regions of others are theirs, unless ours are written as well.
TEST(UpdateMirrors, LeavesImportedRegionsAlone) {
  BufferPtr buffer = make_frame_buffer();
  gst_buffer_add_video_region_of_interest_meta(buffer.get(), "face", 1, 2, 30, 40);
  ASSERT_EQ(import_regions(buffer.get(), kStage), 1);
  const guint64 id =
      sight_object_get_id(sight_frame_get_object(sight_buffer_get_frame(buffer.get()), 0));
  ASSERT_TRUE(sight_object_set_track(edit(buffer, id), 5, nullptr));
  sightline::update_mirrors(buffer.get());
  EXPECT_EQ(gst_video_region_of_interest_meta_get_param(regions(buffer)[0], "object_id"), nullptr);
}

TEST(MirrorObjects, FollowsAnObjectThatMovesOrLeaves) {
  BufferPtr buffer = make_frame_buffer();
  const guint64 id = sight_object_get_id(add(buffer, {0, 0, 10, 10}));
  mirror_objects(buffer.get());
  const gint region_id = regions(buffer)[0]->id;
  const SightBox moved = {100, 50, 20, 20}, outside = {-50, 0, 20, 20};
  ASSERT_TRUE(sight_object_set_box(edit(buffer, id), &moved, nullptr));
  mirror_objects(buffer.get());
  ASSERT_EQ(regions(buffer).size(), 1u);
  EXPECT_EQ(regions(buffer)[0]->x, 100u);
  EXPECT_EQ(regions(buffer)[0]->id, region_id);

  ASSERT_TRUE(sight_object_set_box(edit(buffer, id), &outside, nullptr));
  mirror_objects(buffer.get());
  EXPECT_TRUE(regions(buffer).empty());

  ASSERT_TRUE(sight_object_set_box(edit(buffer, id), &moved, nullptr));
  mirror_objects(buffer.get());
  EXPECT_EQ(regions(buffer).size(), 1u);
  remove(buffer, id);
  mirror_objects(buffer.get());
  EXPECT_TRUE(regions(buffer).empty());
}

TEST(MirrorObjects, ClipsToTheFrameAndSkipsWhatCannotBeSeen) {
  BufferPtr buffer = make_frame_buffer();
  add(buffer, {-10, -20, 30, 40});
  add(buffer, {630, 470, 100, 100});
  add(buffer, {3.2f, 3.2f, 0.2f, 0.2f});
  add(buffer, {0, 0, 0, 10});
  add(buffer, {640, 0, 10, 10});
  add(buffer, {0, -30, 10, 30});
  add(buffer, {1e38f, 1e38f, 3e38f, 3e38f});
  EXPECT_EQ(mirror_objects(buffer.get()), 3);
  const auto found = regions(buffer);
  ASSERT_EQ(found.size(), 3u);
  const auto box = [](const Region* r) { return std::vector<guint>{r->x, r->y, r->w, r->h}; };
  EXPECT_EQ(box(found[0]), (std::vector<guint>{0, 0, 20, 20}));
  EXPECT_EQ(box(found[1]), (std::vector<guint>{630, 470, 10, 10}));
  EXPECT_EQ(box(found[2]), (std::vector<guint>{3, 3, 1, 1})) << "less than a pixel is one";
  const auto* detection = gst_video_region_of_interest_meta_get_param(found[1], "detection");
  EXPECT_DOUBLE_EQ(get_double(detection, "x_max"), 1);
  EXPECT_EQ(mirror_objects(buffer.get()), 0);
}

TEST(MirrorObjects, KeepsTwoEqualBoxesApart) {
  BufferPtr buffer = make_frame_buffer();
  add(buffer, {5, 5, 10, 10}, "cat");
  add(buffer, {5, 5, 10, 10}, "cat");
  EXPECT_EQ(mirror_objects(buffer.get()), 2);
  ASSERT_EQ(regions(buffer).size(), 2u);
  EXPECT_NE(regions(buffer)[0]->id, regions(buffer)[1]->id);
  EXPECT_EQ(import_regions(buffer.get(), kStage), 0) << "our own mirrors are not foreign";
}

TEST(MirrorObjects, NamesTheParentsRegion) {
  BufferPtr buffer = make_frame_buffer();
  const guint64 person = sight_object_get_id(add(buffer, {0, 0, 100, 200}, "person"));
  add(buffer, {10, 10, 20, 20}, "face", person);
  mirror_objects(buffer.get());
  const auto found = regions(buffer);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]->parent_id, 0);
  EXPECT_EQ(found[1]->parent_id, found[0]->id);
}

TEST(MirrorObjects, MakesNamesOutOfAnyText) {
  BufferPtr buffer = make_frame_buffer();
  SightObject* object = add(buffer, {0, 0, 10, 10}, nullptr);
  for (const char* attribute : {"", "1st", "hair colour", "größe", "a\"b,;=c"}) {
    auto classification =
        ClassificationHandle::adopt(sight_classification_new(attribute, "x", -1, 1, nullptr, 0));
    ASSERT_TRUE(sight_object_add_classification(object, classification.get(), nullptr));
  }
  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  const Region* region = regions(buffer)[0];
  EXPECT_STREQ(g_quark_to_string(region->roi_type), "object");
  EXPECT_EQ(g_list_length(region->params), 6u) << "detection and five classifications";
}

TEST(MirrorObjects, WritesAgainWhatAConverterLost) {
  BufferPtr buffer = make_frame_buffer();
  add(buffer, {5, 5, 10, 10});
  mirror_objects(buffer.get());
  Region* region = regions(buffer)[0];
  g_list_free_full(region->params, reinterpret_cast<GDestroyNotify>(gst_structure_free));
  region->params = nullptr;
  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  EXPECT_NE(gst_video_region_of_interest_meta_get_param(region, "detection"), nullptr);
}

// --- reading ----------------------------------------------------------------------------------

Region* add_foreign(const BufferPtr& buffer, const char* type, guint x, guint y, guint w, guint h) {
  return gst_buffer_add_video_region_of_interest_meta(buffer.get(), type, x, y, w, h);
}

void add_param(Region* region, GstStructure* structure) {
  gst_video_region_of_interest_meta_add_param(region, structure);
}

const SightFrame* frame_of(const BufferPtr& buffer) { return sight_buffer_get_frame(buffer.get()); }

TEST(ImportRegions, ReadsWhatDlStreamerWrites) {
  BufferPtr buffer = make_frame_buffer();
  Region* region = add_foreign(buffer, "face", 64, 48, 128, 96);
  region->id = 11;
  add_param(region, gst_structure_new("detection", "x_min", G_TYPE_DOUBLE, 64.4 / kWidth, "x_max",
                                      G_TYPE_DOUBLE, 192.4 / kWidth, "y_min", G_TYPE_DOUBLE,
                                      48.25 / kHeight, "y_max", G_TYPE_DOUBLE, 144.25 / kHeight,
                                      "confidence", G_TYPE_DOUBLE, 0.625, "label_id", G_TYPE_INT, 7,
                                      nullptr));
  add_param(region, gst_structure_new("object_id", "id", G_TYPE_INT, 5, nullptr));
  add_param(region, gst_structure_new("classification_layer_name:x", "format", G_TYPE_STRING,
                                      "landmark_points", "precision", G_TYPE_INT, 10, "data_buffer",
                                      G_TYPE_VARIANT, byte_array({0.5f, 0.25f, 0, 1}), nullptr));

  EXPECT_EQ(import_regions(buffer.get(), kStage), 1);
  const SightObject* object = sight_frame_get_object(frame_of(buffer), 0);
  ASSERT_NE(object, nullptr);
  EXPECT_STREQ(sight_object_get_label(object), "face");
  EXPECT_EQ(sight_object_get_class_id(object), 7);
  EXPECT_FLOAT_EQ(sight_object_get_confidence(object), 0.625f);
  EXPECT_EQ(sight_object_get_stage_id(object), kStage);
  guint64 track = 0;
  EXPECT_TRUE(sight_object_get_track(object, &track));
  EXPECT_EQ(track, 5u);
  SightBox box;
  sight_object_get_box(object, &box);
  EXPECT_NEAR(box.x, 64.4, 1e-3) << "the fraction of a pixel is in the detection only";
  EXPECT_NEAR(box.y, 48.25, 1e-3);
  EXPECT_NEAR(box.width, 128, 1e-3);
  guint n = 0;
  const SightPoint* points = sight_object_get_landmarks(object, &n);
  ASSERT_EQ(n, 2u);
  EXPECT_NEAR(points[0].x, 64.4 + 64, 1e-3);
  EXPECT_NEAR(points[0].y, 48.25 + 24, 1e-3);
  EXPECT_NEAR(points[1].x, 64.4, 1e-3);
  EXPECT_NEAR(points[1].y, 144.25, 1e-3);
}

TEST(ImportRegions, ImportsOnce) {
  BufferPtr buffer = make_frame_buffer();
  add_foreign(buffer, "a", 0, 0, 10, 10);
  add_foreign(buffer, "a", 0, 0, 10, 10);  // equal, but another one
  EXPECT_EQ(import_regions(buffer.get(), kStage), 2);
  EXPECT_EQ(import_regions(buffer.get(), kStage), 0);
  BufferPtr copy = copy_of(buffer);
  EXPECT_EQ(import_regions(copy.get(), kStage), 0);
  add_foreign(copy, "late", 0, 0, 10, 10);
  EXPECT_EQ(import_regions(copy.get(), kStage), 1);
  EXPECT_EQ(sight_frame_get_n_objects(frame_of(copy)), 3u);
  EXPECT_EQ(sight_frame_get_n_objects(frame_of(buffer)), 2u);
}

TEST(ImportRegions, TakesAnIdOnce) {
  BufferPtr buffer = make_frame_buffer();
  add_foreign(buffer, "a", 0, 0, 10, 10)->id = 9;
  add_foreign(buffer, "a", 1, 0, 10, 10)->id = 9;
  EXPECT_EQ(import_regions(buffer.get(), kStage), 1);
}

TEST(ImportRegions, LinksParentsInAnyOrder) {
  BufferPtr buffer = make_frame_buffer();
  Region* face = add_foreign(buffer, "face", 10, 10, 10, 10);
  face->id = 2;
  face->parent_id = 1;
  add_foreign(buffer, "person", 0, 0, 100, 100)->id = 1;
  Region* odd = add_foreign(buffer, "odd", 0, 0, 100, 100);
  odd->id = odd->parent_id = -4;
  EXPECT_EQ(import_regions(buffer.get(), kStage), 3);
  const SightFrame* frame = frame_of(buffer);
  EXPECT_EQ(sight_object_get_parent(sight_frame_get_object(frame, 0)),
            sight_object_get_id(sight_frame_get_object(frame, 1)));
  EXPECT_EQ(sight_object_get_parent(sight_frame_get_object(frame, 1)), 0u);
  EXPECT_EQ(sight_object_get_parent(sight_frame_get_object(frame, 2)), 0u);
}

TEST(ImportRegions, SkipsWhatCannotBeSeenAndLeavesItThere) {
  BufferPtr buffer = make_frame_buffer();
  add_foreign(buffer, "flat", 10, 10, 0, 10);
  add_foreign(buffer, "far", 640, 10, 10, 10);
  add_foreign(buffer, "huge", G_MAXUINT, G_MAXUINT, G_MAXUINT, G_MAXUINT);
  add_foreign(buffer, "half", 630, 10, 100, 10);
  EXPECT_EQ(import_regions(buffer.get(), kStage), 1);
  EXPECT_STREQ(sight_object_get_label(sight_frame_get_object(frame_of(buffer), 0)), "half");
  EXPECT_EQ(import_regions(buffer.get(), kStage), 0);
  mirror_objects(buffer.get());
  EXPECT_EQ(regions(buffer).size(), 4u);
}

TEST(ImportRegions, TreatsNonsenseAsAbsent) {
  BufferPtr buffer = make_frame_buffer();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  int victim = 0;
  Region* region = add_foreign(buffer, "x", 10, 20, 30, 40);
  region->roi_type = g_quark_from_string("f\xff");
  add_param(region, gst_structure_new("detection", "confidence", G_TYPE_STRING, "much", "label_id",
                                      G_TYPE_DOUBLE, 1e300, "x_min", G_TYPE_BOOLEAN, TRUE, "x_max",
                                      G_TYPE_DOUBLE, nan, "y_min", G_TYPE_POINTER, &victim, "y_max",
                                      G_TYPE_INT, -1, nullptr));
  add_param(region, gst_structure_new("object_id", "id", G_TYPE_STRING, "7", nullptr));
  add_param(region, gst_structure_new("a", "format", G_TYPE_INT, 3, nullptr));
  add_param(region, gst_structure_new("b", "format", G_TYPE_STRING, "landmark_points", "data",
                                      G_TYPE_POINTER, GUINT_TO_POINTER(1), "data_buffer",
                                      G_TYPE_VARIANT, g_variant_new_string("no bytes"), nullptr));
  add_param(region, gst_structure_new_empty("detection"));
  region->params = g_list_append(region->params, nullptr);
  EXPECT_EQ(import_regions(buffer.get(), kStage), 1);
  const SightObject* object = sight_frame_get_object(frame_of(buffer), 0);
  EXPECT_TRUE(g_utf8_validate(sight_object_get_label(object), -1, nullptr));
  EXPECT_FLOAT_EQ(sight_object_get_confidence(object), 1);
  EXPECT_EQ(sight_object_get_class_id(object), -1);
  EXPECT_FALSE(sight_object_get_track(object, nullptr));
  guint n = 0;
  EXPECT_EQ(sight_object_get_landmarks(object, &n), nullptr);
  SightBox box;
  sight_object_get_box(object, &box);
  EXPECT_FLOAT_EQ(box.x, 10);
  EXPECT_FLOAT_EQ(box.height, 40);

  // Writing beside it must not trip over it either.
  ASSERT_TRUE(sight_object_set_track(edit(buffer, sight_object_get_id(object)), 8, nullptr));
  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  EXPECT_EQ(get_int(gst_video_region_of_interest_meta_get_param(region, "object_id"), "id"), 8);
  region->params = g_list_remove(region->params, nullptr);  // GStreamer itself would trip
}

// Every payload that is not pairs of finite float32 gives no landmarks, or the whole pairs in it.
TEST(ImportRegions, ReadsLandmarksOfAnyLength) {
  const auto landmarks = [](GVariant* payload, int precision) {
    BufferPtr buffer = make_frame_buffer();
    Region* region = add_foreign(buffer, "x", 0, 0, 100, 100);
    add_param(region, gst_structure_new("x", "format", G_TYPE_STRING, "landmark_points",
                                        "precision", G_TYPE_INT, precision, "data_buffer",
                                        G_TYPE_VARIANT, payload, nullptr));
    import_regions(buffer.get(), kStage);
    guint n = 0;
    sight_object_get_landmarks(sight_frame_get_object(frame_of(buffer), 0), &n);
    return n;
  };
  const std::vector<guint8> bytes(64, 0);
  for (gsize size = 0; size <= bytes.size(); ++size)
    EXPECT_EQ(landmarks(g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, bytes.data(), size, 1), 10),
              size / 8);
  EXPECT_EQ(landmarks(byte_array({0, 0}), 11), 0u) << "half precision is not read";
  EXPECT_EQ(landmarks(byte_array({0, INFINITY, 0, 0}), 10), 0u);
}

TEST(ImportRegions, BelievesPixelsWhereTheDetectionDisagrees) {
  BufferPtr buffer = make_frame_buffer();
  Region* region = add_foreign(buffer, "x", 10, 10, 20, 20);
  add_param(region,
            gst_structure_new("detection", "x_min", G_TYPE_DOUBLE, 0.5, "x_max", G_TYPE_DOUBLE, 0.6,
                              "y_min", G_TYPE_DOUBLE, 0.5, "y_max", G_TYPE_DOUBLE, 0.6, nullptr));
  import_regions(buffer.get(), kStage);
  SightBox box;
  sight_object_get_box(sight_frame_get_object(frame_of(buffer), 0), &box);
  EXPECT_FLOAT_EQ(box.x, 10);
}

TEST(ImportRegions, TakesADetectionInPixelsAsThat) {
  BufferPtr buffer = make_frame_buffer();
  Region* region = add_foreign(buffer, "x", 10, 10, 20, 20);
  add_param(region, gst_structure_new("detection", "x_min", G_TYPE_DOUBLE, 10.25, "x_max",
                                      G_TYPE_DOUBLE, 30.5, "y_min", G_TYPE_DOUBLE, 9.75, "y_max",
                                      G_TYPE_DOUBLE, 29.75, nullptr));
  import_regions(buffer.get(), kStage);
  SightBox box;
  sight_object_get_box(sight_frame_get_object(frame_of(buffer), 0), &box);
  EXPECT_FLOAT_EQ(box.x, 10.25f);
  EXPECT_FLOAT_EQ(box.y, 9.75f);
  EXPECT_FLOAT_EQ(box.width, 20.25f);
}

// By their fields, whatever they are called.
TEST(ImportRegions, ReadsResultsOfLaterStages) {
  BufferPtr buffer = make_frame_buffer();
  Region* region = add_foreign(buffer, "face", 10, 10, 20, 20);
  add_param(region,
            gst_structure_new("emotion", "label", G_TYPE_STRING, "glad", "label_id", G_TYPE_INT, 3,
                              "confidence", G_TYPE_DOUBLE, 0.75, "model_name", G_TYPE_STRING,
                              "emotions", "precision", G_TYPE_INT, 10, "data_buffer",
                              G_TYPE_VARIANT, byte_array({0.25f, 0.75f}), nullptr));
  GstStructure* embedding = gst_structure_new(
      "classification_layer_name:658", "type", G_TYPE_STRING, "tensor", "format", G_TYPE_STRING,
      "cosine_distance", "precision", G_TYPE_INT, 10, "layout", G_TYPE_INT, 193, "layer_name",
      G_TYPE_STRING, "658", "element_id", G_TYPE_STRING, "gvainference1", "data", G_TYPE_POINTER,
      GUINT_TO_POINTER(1), "data_buffer", G_TYPE_VARIANT, byte_array({1, 2, 3, 4}), nullptr);
  GValueArray* dims = nullptr;  // as their own code writes it: of the whole batch
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  dims = g_value_array_new(2);
  GValue dim = G_VALUE_INIT;
  g_value_init(&dim, G_TYPE_UINT);
  for (const guint size : {8u, 4u}) {
    g_value_set_uint(&dim, size);
    g_value_array_append(dims, &dim);
  }
  gst_structure_set_array(embedding, "dims", dims);
  g_value_array_free(dims);
  G_GNUC_END_IGNORE_DEPRECATIONS
  add_param(region, embedding);
  add_param(region, gst_structure_new("half", "precision", G_TYPE_INT, 11, "data_buffer",
                                      G_TYPE_VARIANT, byte_array({0, 0}), nullptr));
  add_param(region, gst_structure_new("odd", "precision", G_TYPE_INT, 255, "data_buffer",
                                      G_TYPE_VARIANT, byte_array({0}), nullptr));
  import_regions(buffer.get(), kStage);

  const SightObject* object = sight_frame_get_object(frame_of(buffer), 0);
  ASSERT_EQ(sight_object_get_n_classifications(object), 1u);
  const SightClassification* emotion = sight_object_get_classification(object, 0);
  EXPECT_STREQ(sight_classification_get_attribute(emotion), "emotion");
  EXPECT_STREQ(sight_classification_get_label(emotion), "glad");
  EXPECT_EQ(sight_classification_get_class_id(emotion), 3);
  EXPECT_FLOAT_EQ(sight_classification_get_confidence(emotion), 0.75f);
  EXPECT_STREQ(sight_classification_get_stage(emotion), "emotions");

  ASSERT_EQ(sight_object_get_n_tensors(object), 3u) << "a precision that says nothing is no tensor";
  SightTensor* tensor = sight_object_find_tensor(object, "658");
  ASSERT_NE(tensor, nullptr);
  gsize n = 0;
  const gfloat* values = sight_tensor_get_floats(tensor, &n, nullptr);
  EXPECT_EQ(std::vector<float>(values, values + n), (std::vector<float>{1, 2, 3, 4}));
  guint n_dims = 0;
  const gint64* shape = sight_tensor_get_shape(tensor, &n_dims);
  EXPECT_EQ(std::vector<gint64>(shape, shape + n_dims), (std::vector<gint64>{1, 4}))
      << "bytes are believed, not the batch's shape";
  EXPECT_STREQ(sight_tensor_get_stage(tensor), "gvainference1");
  EXPECT_EQ(sight_tensor_get_element_type(sight_object_find_tensor(object, "half")),
            SIGHT_ELEMENT_FLOAT16);
}

TEST(MirrorObjects, DoesNotRepeatWhatWasImported) {
  BufferPtr buffer = make_frame_buffer();
  Region* region = add_foreign(buffer, "face", 10, 10, 20, 20);
  add_param(region, gst_structure_new("emotion", "label", G_TYPE_STRING, "glad", nullptr));
  add_param(region, gst_structure_new("inference_layer_name:out", "precision", G_TYPE_INT, 10,
                                      "data_buffer", G_TYPE_VARIANT, byte_array({1, 2}), nullptr));
  import_regions(buffer.get(), kStage);
  const guint64 id = sight_object_get_id(sight_frame_get_object(frame_of(buffer), 0));
  auto age =
      ClassificationHandle::adopt(sight_classification_new("age", "20-29", -1, 1, nullptr, 0));
  ASSERT_TRUE(sight_object_add_classification(edit(buffer, id), age.get(), nullptr));
  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  EXPECT_EQ(g_list_length(region->params), 4u) << "theirs, a detection, and the age";
}

TEST(ImportRegions, NeedsAWritableBufferOnlyIfThereAreAny) {
  BufferPtr buffer = make_buffer();
  BufferPtr second_owner(gst_buffer_ref(buffer.get()));
  EXPECT_EQ(import_regions(buffer.get(), kStage), 0);
  EXPECT_EQ(sight_buffer_get_frame(buffer.get()), nullptr) << "nothing found, nothing made";
  second_owner.reset();
  add_foreign(buffer, "x", 0, 0, 10, 10);
  second_owner.reset(gst_buffer_ref(buffer.get()));
  EXPECT_THROW(import_regions(buffer.get(), kStage), sightline::Error);
}

// What we add to an imported object goes to the region that was there, beside what it says.
TEST(MirrorObjects, CompletesTheForeignRegionOfAnImportedObject) {
  BufferPtr buffer = make_frame_buffer();
  Region* region = add_foreign(buffer, "face", 64, 48, 128, 96);
  add_param(region, gst_structure_new("detection", "confidence", G_TYPE_DOUBLE, 0.5, "model_name",
                                      G_TYPE_STRING, "theirs", nullptr));
  add_param(region, gst_structure_new("emotion", "label", G_TYPE_STRING, "glad", nullptr));
  import_regions(buffer.get(), kStage);
  EXPECT_EQ(mirror_objects(buffer.get()), 0);
  const guint64 id = sight_object_get_id(sight_frame_get_object(frame_of(buffer), 0));
  auto ada = IdentityHandle::adopt(sight_identity_new("a", "Ada", 1, "a", "Ada"));
  ASSERT_TRUE(sight_object_set_identity(edit(buffer, id), ada.get(), nullptr));
  EXPECT_EQ(mirror_objects(buffer.get()), 1);
  ASSERT_EQ(regions(buffer).size(), 1u);
  const auto* detection = gst_video_region_of_interest_meta_get_param(region, "detection");
  EXPECT_STREQ(gst_structure_get_string(detection, "model_name"), "theirs");
  EXPECT_NE(gst_video_region_of_interest_meta_get_param(region, "emotion"), nullptr);
  EXPECT_NE(gst_video_region_of_interest_meta_get_param(region, "face_id"), nullptr);
}

// What we write reads back as what it was.
TEST(MirrorObjects, RoundTrip) {
  BufferPtr buffer = make_frame_buffer();
  const SightBox box = {100.25f, 50.5f, 33.75f, 44.125f};
  SightObject* object = add(buffer, box);
  const SightPoint points[] = {{110, 60}, {120.5f, 80.25f}};
  ASSERT_TRUE(sight_object_set_landmarks(object, points, 2, nullptr));
  auto age =
      ClassificationHandle::adopt(sight_classification_new("age", "20-29", 2, 0.5f, "ages", 4));
  ASSERT_TRUE(sight_object_add_classification(object, age.get(), nullptr));
  const std::vector<float> values = {0.25f, -0.5f, 1};
  auto embedding = TensorHandle::adopt(sightline::wrap_tensor(
      sightline::Tensor::copy_of("embedding", {1, 3}, values), "embedder", 5, -1));
  ASSERT_TRUE(sight_object_add_tensor(object, embedding.get(), nullptr));
  mirror_objects(buffer.get());

  BufferPtr received = make_frame_buffer();  // by somebody who got the regions only
  Region* sent = regions(buffer)[0];
  Region* copy = add_foreign(received, "face", sent->x, sent->y, sent->w, sent->h);
  for (const GList* item = sent->params; item != nullptr; item = item->next)
    add_param(copy, gst_structure_copy(static_cast<GstStructure*>(item->data)));
  ASSERT_EQ(import_regions(received.get(), kStage), 1);
  const SightObject* read = sight_frame_get_object(frame_of(received), 0);
  SightBox read_box;
  sight_object_get_box(read, &read_box);
  EXPECT_NEAR(read_box.x, box.x, 1e-3);
  EXPECT_NEAR(read_box.height, box.height, 1e-3);
  guint n = 0;
  const SightPoint* read_points = sight_object_get_landmarks(read, &n);
  ASSERT_EQ(n, 2u);
  EXPECT_NEAR(read_points[1].x, 120.5, 1e-3);
  EXPECT_NEAR(read_points[1].y, 80.25, 1e-3);
  ASSERT_EQ(sight_object_get_n_classifications(read), 1u);
  EXPECT_STREQ(sight_classification_get_label(sight_object_get_classification(read, 0)), "20-29");
  const SightTensor* tensor = sight_object_find_tensor(read, "embedding");
  ASSERT_NE(tensor, nullptr);
  gsize size = 0;
  EXPECT_EQ(sight_tensor_get_floats(tensor, &size, nullptr)[2], 1);
  EXPECT_EQ(size, 3u);
}

}  // namespace
