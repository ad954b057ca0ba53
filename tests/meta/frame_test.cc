// SPDX-License-Identifier: LGPL-2.1-or-later

#include "sightline/frame.h"

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include "buffer_ptr.h"
#include "gerror_matcher.h"
#include "meta/handles.h"
#include "sightline/analytics.h"

namespace {

using sightline::CandidateHandle;
using sightline::ClassificationHandle;
using sightline::FrameHandle;
using sightline::IdentityHandle;
using sightline::ObjectHandle;
using sightline::TensorHandle;

constexpr SightBox kBox = {10, 20, 30, 40};
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

SightObject* add(SightFrame* frame, const char* label = "face") {
  SightObject* object = sight_frame_add_object(frame, label, 0, 0.5f, &kBox, 0, nullptr);
  EXPECT_NE(object, nullptr);
  return object;
}

// Adds an object to what `buffer` carries, in one go.
guint64 add_to(const BufferPtr& buffer) {
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  EXPECT_NE(frame, nullptr);
  return sight_object_get_id(add(frame));
}

std::set<guint64> ids_in(const BufferPtr& buffer) {
  std::set<guint64> ids;
  const SightFrame* frame = sight_buffer_get_frame(buffer.get());
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i)
    ids.insert(sight_object_get_id(sight_frame_get_object(frame, i)));
  return ids;
}

TensorHandle make_tensor(const char* name, const std::vector<float>& values) {
  const gint64 shape = static_cast<gint64>(values.size());
  GBytes* bytes = g_bytes_new(values.data(), values.size() * sizeof(float));
  auto tensor =
      TensorHandle::adopt(sight_tensor_new(name, SIGHT_ELEMENT_FLOAT32, &shape, 1, bytes, nullptr));
  g_bytes_unref(bytes);
  return tensor;
}

TEST(Frame, GivesBackWhatWasPutIn) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  ASSERT_TRUE(sight_frame_set_stream(frame.get(), "camera 1", 7, nullptr));
  EXPECT_EQ(sight_frame_get_width(frame.get()), 640u);
  EXPECT_EQ(sight_frame_get_height(frame.get()), 480u);
  EXPECT_STREQ(sight_frame_get_stream(frame.get()), "camera 1");
  EXPECT_EQ(sight_frame_get_number(frame.get()), 7u);

  SightObject* person = add(frame.get(), "person");
  SightObject* face = sight_frame_add_object(frame.get(), "face", 3, 0.75f, &kBox,
                                             sight_object_get_id(person), nullptr);
  ASSERT_NE(face, nullptr);
  EXPECT_NE(sight_object_get_id(face), sight_object_get_id(person));
  EXPECT_EQ(sight_object_get_parent(face), sight_object_get_id(person));
  EXPECT_EQ(sight_object_get_parent(person), 0u);
  EXPECT_STREQ(sight_object_get_label(face), "face");
  EXPECT_EQ(sight_object_get_class_id(face), 3);
  EXPECT_FLOAT_EQ(sight_object_get_confidence(face), 0.75f);
  SightBox box;
  sight_object_get_box(face, &box);
  EXPECT_FLOAT_EQ(box.x, 10);
  EXPECT_FLOAT_EQ(box.height, 40);

  EXPECT_EQ(sight_frame_get_n_objects(frame.get()), 2u);
  EXPECT_EQ(sight_frame_get_object(frame.get(), 1), face);
  EXPECT_EQ(sight_frame_get_object(frame.get(), 2), nullptr);
  EXPECT_EQ(sight_frame_find_object(frame.get(), sight_object_get_id(face)), face);
  EXPECT_EQ(sight_frame_find_object(frame.get(), 0), nullptr);
}

TEST(Object, GivesBackWhatWasPutIn) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  SightObject* object = add(frame.get(), nullptr);
  EXPECT_EQ(sight_object_get_label(object), nullptr);

  guint n = 9;
  guint64 track = 9;
  EXPECT_EQ(sight_object_get_landmarks(object, &n), nullptr);
  EXPECT_EQ(n, 0u);
  EXPECT_FALSE(sight_object_get_track(object, &track));
  EXPECT_EQ(sight_object_get_identity(object), nullptr);

  const SightPoint points[] = {{1, 2}, {3, 4}};
  ASSERT_TRUE(sight_object_set_landmarks(object, points, 2, nullptr));
  const SightPoint* got = sight_object_get_landmarks(object, &n);
  ASSERT_EQ(n, 2u);
  EXPECT_FLOAT_EQ(got[1].y, 4);
  ASSERT_TRUE(sight_object_set_landmarks(object, nullptr, 0, nullptr));
  EXPECT_EQ(sight_object_get_landmarks(object, &n), nullptr);

  ASSERT_TRUE(sight_object_set_track(object, 0, nullptr));
  EXPECT_TRUE(sight_object_get_track(object, &track)) << "track 0 is a track";
  ASSERT_TRUE(sight_object_set_stage_id(object, 4, nullptr));
  EXPECT_EQ(sight_object_get_stage_id(object), 4u);

  auto identity = IdentityHandle::adopt(sight_identity_new("p1", "Ada", 0.9f, "p1", "Ada"));
  ASSERT_TRUE(sight_object_set_identity(object, identity.get(), nullptr));
  EXPECT_STREQ(sight_identity_get_name(sight_object_get_identity(object)), "Ada");
  ASSERT_TRUE(sight_object_set_identity(object, nullptr, nullptr));
  EXPECT_EQ(sight_object_get_identity(object), nullptr);

  auto classification =
      ClassificationHandle::adopt(sight_classification_new("age", "20-29", 2, 0.6f, "ages", 5));
  ASSERT_TRUE(sight_object_add_classification(object, classification.get(), nullptr));
  ASSERT_EQ(sight_object_get_n_classifications(object), 1u);
  EXPECT_EQ(sight_object_get_classification(object, 0), classification.get());
  EXPECT_EQ(sight_object_get_classification(object, 1), nullptr);

  auto older = make_tensor("embedding", {1}), newer = make_tensor("embedding", {2});
  ASSERT_TRUE(sight_object_add_tensor(object, older.get(), nullptr));
  ASSERT_TRUE(sight_object_add_tensor(object, newer.get(), nullptr));
  EXPECT_EQ(sight_object_get_n_tensors(object), 2u);
  EXPECT_EQ(sight_object_get_tensor(object, 0), older.get());
  EXPECT_EQ(sight_object_find_tensor(object, "embedding"), newer.get());
  EXPECT_EQ(sight_object_find_tensor(object, "other"), nullptr);
}

TEST(Identity, OfAStrangerKnowsTheNearest) {
  auto stranger = IdentityHandle::adopt(sight_identity_new(nullptr, nullptr, 0.2f, "p1", "Ada"));
  EXPECT_FALSE(sight_identity_is_known(stranger.get()));
  EXPECT_EQ(sight_identity_get_person(stranger.get()), nullptr);
  EXPECT_EQ(sight_identity_get_name(stranger.get()), nullptr);
  EXPECT_FLOAT_EQ(sight_identity_get_similarity(stranger.get()), 0.2f);
  EXPECT_STREQ(sight_identity_get_nearest_person(stranger.get()), "p1");
  EXPECT_STREQ(sight_identity_get_nearest_name(stranger.get()), "Ada");
}

TEST(Identity, KnowsHowManyVoted) {
  auto alone = IdentityHandle::adopt(sight_identity_new("p1", "Ada", 0.9f, "p1", "Ada"));
  EXPECT_EQ(sight_identity_get_votes(alone.get()), 0u);
  auto voted = IdentityHandle::adopt(sight_identity_new_voted("p1", "Ada", 0.9f, "p1", "Ada", 3));
  EXPECT_EQ(sight_identity_get_votes(voted.get()), 3u);
  EXPECT_STREQ(sight_identity_get_name(voted.get()), "Ada");
}

TEST(Identity, SaysByWhichGalleryHowProbablyAndWhoElseIsNear) {
  auto bare = IdentityHandle::adopt(sight_identity_new("p1", "Ada", 0.9f, "p1", "Ada"));
  gfloat number = -7;
  EXPECT_EQ(sight_identity_get_gallery(bare.get()), nullptr);
  EXPECT_FALSE(sight_identity_get_threshold(bare.get(), &number));
  EXPECT_FALSE(sight_identity_get_probability(bare.get(), &number));
  EXPECT_EQ(number, -7);
  EXPECT_EQ(sight_identity_get_n_candidates(bare.get()), 0u);
  EXPECT_EQ(sight_identity_get_candidate(bare.get(), 0), nullptr);

  auto ada = CandidateHandle::adopt(sight_candidate_new("p1", "Ada", "a.db", 0.8f, 0.25f));
  auto bob = CandidateHandle::adopt(sight_candidate_new("p2\xff", nullptr, nullptr, 0.7f, NAN));
  SightCandidate* candidates[] = {ada.get(), bob.get()};
  auto full = IdentityHandle::adopt(sight_identity_new_full(nullptr, nullptr, 0.8f, "p1", "Ada", 3,
                                                            "a.db", 0.85f, 0.25f, candidates, 2));
  ada = bob = {};  // the identity holds them
  EXPECT_FALSE(sight_identity_is_known(full.get()));
  EXPECT_STREQ(sight_identity_get_nearest_name(full.get()), "Ada");
  EXPECT_EQ(sight_identity_get_votes(full.get()), 3u);
  EXPECT_STREQ(sight_identity_get_gallery(full.get()), "a.db");
  EXPECT_TRUE(sight_identity_get_threshold(full.get(), &number));
  EXPECT_EQ(number, 0.85f);
  EXPECT_TRUE(sight_identity_get_probability(full.get(), &number));
  EXPECT_EQ(number, 0.25f);
  EXPECT_TRUE(sight_identity_get_probability(full.get(), nullptr));

  ASSERT_EQ(sight_identity_get_n_candidates(full.get()), 2u);
  const SightCandidate* first = sight_identity_get_candidate(full.get(), 0);
  EXPECT_STREQ(sight_candidate_get_person(first), "p1");
  EXPECT_STREQ(sight_candidate_get_name(first), "Ada");
  EXPECT_STREQ(sight_candidate_get_gallery(first), "a.db");
  EXPECT_EQ(sight_candidate_get_similarity(first), 0.8f);
  EXPECT_TRUE(sight_candidate_get_probability(first, &number));
  const SightCandidate* second = sight_identity_get_candidate(full.get(), 1);
  EXPECT_STREQ(sight_candidate_get_person(second), "p2\xef\xbf\xbd");
  EXPECT_EQ(sight_candidate_get_name(second), nullptr);
  EXPECT_EQ(sight_candidate_get_gallery(second), nullptr);
  EXPECT_FALSE(sight_candidate_get_probability(second, nullptr));
}

TEST(Identity, RepairsWhatIsNotUtf8) {
  auto identity = IdentityHandle::adopt(sight_identity_new("p\xff", "A\xc3", 0, nullptr, nullptr));
  EXPECT_TRUE(g_utf8_validate(sight_identity_get_person(identity.get()), -1, nullptr));
  EXPECT_STREQ(sight_identity_get_name(identity.get()), "A\xef\xbf\xbd");
}

TEST(Frame, RefusesNumbersAndTextThatMeanNothing) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  for (const SightBox& box : {SightBox{kNan, 0, 1, 1}, SightBox{0, kInfinity, 1, 1},
                              SightBox{0, 0, -1, 1}, SightBox{0, 0, 1, kNan}}) {
    expect_error(SIGHT_ERROR_INPUT, "an object's box is x", [&](GError** error) {
      return sight_frame_add_object(frame.get(), "face", 0, 1, &box, 0, error) != nullptr;
    });
  }
  expect_error(SIGHT_ERROR_INPUT, "confidence is nan", [&](GError** error) {
    return sight_frame_add_object(frame.get(), "face", 0, kNan, &kBox, 0, error) != nullptr;
  });
  expect_error(SIGHT_ERROR_INPUT, "not UTF-8", [&](GError** error) {
    return sight_frame_add_object(frame.get(), "f\xff", 0, 1, &kBox, 0, error) != nullptr;
  });
  expect_error(SIGHT_ERROR_NOT_FOUND, "no object with id", [&](GError** error) {
    return sight_frame_add_object(frame.get(), "face", 0, 1, &kBox, ~guint64{0}, error) != nullptr;
  });
  expect_error(SIGHT_ERROR_INPUT, "not UTF-8", [&](GError** error) {
    return sight_frame_set_stream(frame.get(), "\xc0\x80", 0, error);
  });
  EXPECT_EQ(sight_frame_get_n_objects(frame.get()), 0u);

  SightObject* object = add(frame.get());
  const SightBox bad_box = {0, 0, kInfinity, 1};
  expect_error(SIGHT_ERROR_INPUT, "width inf",
               [&](GError** error) { return sight_object_set_box(object, &bad_box, error); });
  const SightPoint points[] = {{1, 2}, {3, kNan}};
  expect_error(SIGHT_ERROR_INPUT, "landmark 1", [&](GError** error) {
    return sight_object_set_landmarks(object, points, 2, error);
  });
  SightBox box;
  sight_object_get_box(object, &box);
  EXPECT_EQ(box.width, kBox.width) << "what was refused must not stay";
}

// A critical is logged and nothing happens, also where the environment makes criticals fatal.
TEST(Frame, SurvivesNull) {
  const GLogLevelFlags fatal = g_log_set_always_fatal(G_LOG_LEVEL_ERROR);
  const GLogFunc before = g_log_set_default_handler([](auto...) {}, nullptr);
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  EXPECT_EQ(sight_frame_add_object(frame.get(), "face", 0, 1, nullptr, 0, nullptr), nullptr);
  EXPECT_EQ(sight_frame_add_tensor(frame.get(), nullptr, nullptr), FALSE);
  EXPECT_EQ(sight_frame_to_json(nullptr, 0), nullptr);
  EXPECT_EQ(sight_buffer_get_frame(nullptr), nullptr);
  EXPECT_EQ(sight_buffer_edit_frame(nullptr, nullptr), nullptr);
  EXPECT_EQ(sight_object_get_label(nullptr), nullptr);
  EXPECT_EQ(sight_object_find_tensor(nullptr, "x"), nullptr);
  EXPECT_EQ(sight_tensor_new(nullptr, SIGHT_ELEMENT_UINT8, nullptr, 0, nullptr, nullptr), nullptr);
  EXPECT_EQ(sight_identity_new("p", "n", kNan, nullptr, nullptr), nullptr);
  EXPECT_EQ(sight_identity_new_voted("p", "n", kNan, nullptr, nullptr, 2), nullptr);
  EXPECT_EQ(sight_classification_new("a", nullptr, 0, 0, nullptr, 0), nullptr);
  SightBox box = kBox;
  sight_object_get_box(nullptr, &box);
  EXPECT_EQ(box.width, 0);
  sight_frame_unref(nullptr);
  g_log_set_default_handler(before, nullptr);
  g_log_set_always_fatal(fatal);
}

TEST(Frame, SealedChangesNoMore) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  SightObject* object = add(frame.get());
  const guint64 id = sight_object_get_id(object);
  EXPECT_FALSE(sight_frame_is_sealed(frame.get()));
  sight_frame_seal(frame.get());
  EXPECT_TRUE(sight_frame_is_sealed(frame.get()));

  auto tensor = make_tensor("t", {1});
  auto classification =
      ClassificationHandle::adopt(sight_classification_new("a", "b", 0, 1, nullptr, 0));
  const SightPoint point = {1, 2};
  GValue value = G_VALUE_INIT;
  g_value_set_int(g_value_init(&value, G_TYPE_INT), 1);
  const auto refused = [](auto call) {
    expect_error(SIGHT_ERROR_READ_ONLY, "can no longer", call);
  };
  refused([&](GError** e) { return sight_frame_set_size(frame.get(), 1, 1, e); });
  refused([&](GError** e) { return sight_frame_set_stream(frame.get(), "s", 1, e); });
  refused([&](GError** e) {
    return sight_frame_add_object(frame.get(), "x", 0, 1, &kBox, 0, e) != nullptr;
  });
  const SightObject* seen = sight_frame_find_object(frame.get(), id);
  refused([&](GError** e) { return sight_frame_edit_object(frame.get(), seen, e) != nullptr; });
  refused([&](GError** e) { return sight_frame_remove_object(frame.get(), seen, e); });
  refused([&](GError** e) { return sight_frame_add_tensor(frame.get(), tensor.get(), e); });
  refused([&](GError** e) {
    return sight_frame_add_classification(frame.get(), classification.get(), e);
  });
  refused([&](GError** e) { return sight_frame_set_user_data(frame.get(), "n", &value, e); });
  refused([&](GError** e) { return sight_object_set_box(object, &kBox, e); });
  refused([&](GError** e) { return sight_object_set_landmarks(object, &point, 1, e); });
  refused([&](GError** e) { return sight_object_set_track(object, 1, e); });
  refused([&](GError** e) { return sight_object_set_stage_id(object, 1, e); });
  refused([&](GError** e) { return sight_object_set_identity(object, nullptr, e); });
  refused(
      [&](GError** e) { return sight_object_add_classification(object, classification.get(), e); });
  refused([&](GError** e) { return sight_object_add_tensor(object, tensor.get(), e); });
  refused([&](GError** e) { return sight_object_set_user_data(object, "n", &value, e); });
  g_value_unset(&value);
}

TEST(Frame, TakesObjectsAwayAndSaysWhichIsNotThere) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  const auto first = ObjectHandle::share(add(frame.get()));
  const std::string id = std::to_string(sight_object_get_id(first.get()));
  const guint64 second = sight_object_get_id(add(frame.get()));
  ASSERT_TRUE(sight_frame_remove_object(frame.get(), first.get(), nullptr));
  EXPECT_EQ(sight_frame_get_n_objects(frame.get()), 1u);
  EXPECT_NE(sight_frame_find_object(frame.get(), second), nullptr);
  expect_error(SIGHT_ERROR_NOT_FOUND, id.c_str(), [&](GError** error) {
    return sight_frame_remove_object(frame.get(), first.get(), error);
  });
  expect_error(SIGHT_ERROR_NOT_FOUND, id.c_str(), [&](GError** error) {
    return sight_frame_edit_object(frame.get(), first.get(), error) != nullptr;
  });
  const SightObject* none = sight_frame_get_object(frame.get(), 1);
  expect_error(SIGHT_ERROR_NOT_FOUND, "no object was given", [&](GError** error) {
    return sight_frame_edit_object(frame.get(), none, error) != nullptr;
  });
  expect_error(SIGHT_ERROR_NOT_FOUND, "no object was given",
               [&](GError** error) { return sight_frame_remove_object(frame.get(), none, error); });
}

// What sight_buffer_get_frame() gives for a buffer without results needs no question before it.
TEST(Frame, NoneReadsAsAnEmptyOne) {
  const GLogLevelFlags before =
      g_log_set_always_fatal(GLogLevelFlags(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
  BufferPtr buffer = make_buffer();
  const SightFrame* none = sight_buffer_get_frame(buffer.get());
  ASSERT_EQ(none, nullptr);
  EXPECT_EQ(sight_frame_get_width(none), 0u);
  EXPECT_EQ(sight_frame_get_height(none), 0u);
  EXPECT_EQ(sight_frame_get_stream(none), nullptr);
  EXPECT_EQ(sight_frame_get_number(none), 0u);
  EXPECT_EQ(sight_frame_get_n_objects(none), 0u);
  EXPECT_EQ(sight_frame_get_object(none, 0), nullptr);
  EXPECT_EQ(sight_frame_find_object(none, 1), nullptr);
  EXPECT_EQ(sight_frame_get_n_tensors(none), 0u);
  EXPECT_EQ(sight_frame_get_tensor(none, 0), nullptr);
  EXPECT_EQ(sight_frame_find_tensor(none, "x"), nullptr);
  EXPECT_EQ(sight_frame_get_n_classifications(none), 0u);
  EXPECT_EQ(sight_frame_get_classification(none, 0), nullptr);
  EXPECT_EQ(sight_frame_get_user_data(none, "x"), nullptr);
  g_auto(GStrv) names = sight_frame_get_user_data_names(none);
  EXPECT_EQ(names[0], nullptr);
  g_auto(GStrv) lines = sight_frame_get_lines(none);
  g_auto(GStrv) zones = sight_frame_get_zones(none);
  EXPECT_EQ(lines[0], nullptr);
  EXPECT_EQ(zones[0], nullptr);
  EXPECT_FALSE(sight_frame_get_line_count(none, "x", nullptr, nullptr));
  EXPECT_FALSE(sight_frame_get_zone_count(none, "x", nullptr, nullptr, nullptr, nullptr));
  g_log_set_always_fatal(before);
}

TEST(Frame, HasTensorsAndClassificationsOfItsOwn) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  auto older = make_tensor("scene", {1}), newer = make_tensor("scene", {2});
  ASSERT_TRUE(sight_frame_add_tensor(frame.get(), older.get(), nullptr));
  ASSERT_TRUE(sight_frame_add_tensor(frame.get(), newer.get(), nullptr));
  EXPECT_EQ(sight_frame_get_n_tensors(frame.get()), 2u);
  EXPECT_EQ(sight_frame_get_tensor(frame.get(), 0), older.get());
  EXPECT_EQ(sight_frame_get_tensor(frame.get(), 2), nullptr);
  EXPECT_EQ(sight_frame_find_tensor(frame.get(), "scene"), newer.get());

  auto indoors =
      ClassificationHandle::adopt(sight_classification_new("scene", "indoors", 1, 1, "s", 2));
  ASSERT_TRUE(sight_frame_add_classification(frame.get(), indoors.get(), nullptr));
  EXPECT_EQ(sight_frame_get_n_classifications(frame.get()), 1u);
  EXPECT_EQ(sight_frame_get_classification(frame.get(), 0), indoors.get());
  EXPECT_EQ(sight_frame_get_classification(frame.get(), 1), nullptr);
}

TEST(Buffer, WithoutResultsHasNone) {
  BufferPtr buffer = make_buffer();
  EXPECT_EQ(sight_buffer_get_frame(buffer.get()), nullptr);
}

TEST(Buffer, TakesTheSizeOfANewFrameFromItsVideoMeta) {
  BufferPtr buffer(gst_buffer_new_allocate(nullptr, 64 * 48, nullptr));
  gst_buffer_add_video_meta(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, 64,
                            48);
  const SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  EXPECT_EQ(sight_frame_get_width(frame), 64u);
  EXPECT_EQ(sight_frame_get_height(frame), 48u);
}

TEST(Buffer, SharedBufferRefusesAdditions) {
  BufferPtr buffer = make_buffer();
  BufferPtr second_owner(gst_buffer_ref(buffer.get()));
  expect_error(SIGHT_ERROR_READ_ONLY, "2 owners", [&](GError** error) {
    return sight_buffer_edit_frame(buffer.get(), error) != nullptr;
  });
}

TEST(Buffer, EditsOneFrameUntilItIsRead) {
  BufferPtr buffer = make_buffer();
  SightFrame* first = sight_buffer_edit_frame(buffer.get(), nullptr);
  EXPECT_EQ(sight_buffer_edit_frame(buffer.get(), nullptr), first) << "nobody has read it";
  SightObject* object = add(first);

  auto snapshot = FrameHandle::share(sight_buffer_get_frame(buffer.get()));
  EXPECT_EQ(snapshot.get(), first);
  SightFrame* second = sight_buffer_edit_frame(buffer.get(), nullptr);
  EXPECT_NE(second, first);
  EXPECT_EQ(sight_frame_get_object(second, 0), object) << "unchanged objects are shared";
  add(second);
  EXPECT_EQ(sight_frame_get_n_objects(snapshot.get()), 1u);
  EXPECT_EQ(sight_frame_get_n_objects(second), 2u);
}

TEST(Buffer, EditingAnObjectLeavesTheSnapshotAsItWas) {
  BufferPtr buffer = make_buffer();
  const guint64 id = add_to(buffer);
  auto snapshot = FrameHandle::share(sight_buffer_get_frame(buffer.get()));

  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  SightObject* shared = sight_frame_find_object(frame, id);
  expect_error(SIGHT_ERROR_READ_ONLY, "can no longer",
               [&](GError** error) { return sight_object_set_track(shared, 5, error); });
  SightObject* mine = sight_frame_edit_object(frame, shared, nullptr);
  ASSERT_NE(mine, nullptr);
  EXPECT_EQ(sight_object_get_id(mine), id);
  EXPECT_EQ(sight_frame_edit_object(frame, mine, nullptr), mine) << "copied once";
  EXPECT_EQ(sight_frame_edit_object(frame, sight_frame_get_object(snapshot.get(), 0), nullptr),
            mine)
      << "of an earlier snapshot the id counts";
  ASSERT_TRUE(sight_object_set_track(mine, 5, nullptr));
  EXPECT_FALSE(sight_object_get_track(sight_frame_find_object(snapshot.get(), id), nullptr));
  EXPECT_TRUE(sight_object_get_track(sight_frame_find_object(frame, id), nullptr));
}

TEST(Buffer, CopiesShareUntilOneAdds) {
  BufferPtr original = make_buffer();
  const guint64 before = add_to(original);
  BufferPtr copy = copy_of(original);
  EXPECT_EQ(sight_buffer_get_frame(copy.get()), sight_buffer_get_frame(original.get()));

  const guint64 in_original = add_to(original), in_copy = add_to(copy);
  EXPECT_EQ(ids_in(original), (std::set<guint64>{before, in_original}));
  EXPECT_EQ(ids_in(copy), (std::set<guint64>{before, in_copy}));
}

// A writer may keep the pointer that it edits through; a copy of the buffer ends its right.
TEST(Buffer, CopyingTheBufferSeals) {
  BufferPtr original = make_buffer();
  SightFrame* frame = sight_buffer_edit_frame(original.get(), nullptr);
  BufferPtr copy = copy_of(original);
  EXPECT_TRUE(sight_frame_is_sealed(frame));
}

TEST(Buffer, FrameAndObjectsOutliveIt) {
  BufferPtr buffer = make_buffer();
  add_to(buffer);
  auto frame = FrameHandle::share(sight_buffer_get_frame(buffer.get()));
  auto object = ObjectHandle::share(sight_frame_get_object(frame.get(), 0));
  buffer.reset();
  EXPECT_EQ(sight_frame_get_n_objects(frame.get()), 1u);
  frame = FrameHandle();
  EXPECT_STREQ(sight_object_get_label(object.get()), "face");
}

TEST(Buffer, CarriesTheTagsThatLetItSurviveConversionOnly) {
  const gchar* const* tags = gst_meta_api_type_get_tags(sight_frame_meta_api_get_type());
  std::set<std::string> found;
  for (; *tags != nullptr; ++tags) found.insert(*tags);
  EXPECT_EQ(found, (std::set<std::string>{"video", "size", "orientation"}));
}

TEST(UserData, IsCopiedWithFrameAndObject) {
  BufferPtr buffer = make_buffer();
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  SightObject* object = add(frame);
  const guint64 id = sight_object_get_id(object);

  GstStructure* zone = gst_structure_new("zone", "name", G_TYPE_STRING, "door", nullptr);
  GValue boxed = G_VALUE_INIT;
  g_value_take_boxed(g_value_init(&boxed, GST_TYPE_STRUCTURE), zone);
  ASSERT_TRUE(sight_frame_set_user_data(frame, "zone", &boxed, nullptr));
  ASSERT_TRUE(sight_object_set_user_data(object, "zone", &boxed, nullptr));
  g_value_unset(&boxed);
  GValue number = G_VALUE_INIT;
  g_value_set_double(g_value_init(&number, G_TYPE_DOUBLE), 1.5);
  ASSERT_TRUE(sight_object_set_user_data(object, "speed", &number, nullptr));
  g_value_unset(&number);

  BufferPtr copy = copy_of(buffer);
  SightFrame* copied = sight_buffer_edit_frame(copy.get(), nullptr);
  SightObject* copied_object =
      sight_frame_edit_object(copied, sight_frame_find_object(copied, id), nullptr);
  buffer.reset();

  const auto* structure = static_cast<const GstStructure*>(
      g_value_get_boxed(sight_frame_get_user_data(copied, "zone")));
  EXPECT_STREQ(gst_structure_get_string(structure, "name"), "door");
  EXPECT_DOUBLE_EQ(g_value_get_double(sight_object_get_user_data(copied_object, "speed")), 1.5);
  char** names = sight_object_get_user_data_names(copied_object);
  EXPECT_STREQ(names[0], "speed");
  EXPECT_STREQ(names[1], "zone");
  EXPECT_EQ(names[2], nullptr);
  g_strfreev(names);

  ASSERT_TRUE(sight_object_set_user_data(copied_object, "speed", nullptr, nullptr));
  EXPECT_EQ(sight_object_get_user_data(copied_object, "speed"), nullptr);
}

TEST(UserData, BoxedValuesNeedNoGValue) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  SightObject* object = add(frame.get());
  g_autoptr(GstStructure) zone = gst_structure_new("zone", "name", G_TYPE_STRING, "door", nullptr);
  ASSERT_TRUE(sight_frame_set_user_boxed(frame.get(), "zone", GST_TYPE_STRUCTURE, zone, nullptr));
  ASSERT_TRUE(sight_object_set_user_boxed(object, "box", SIGHT_TYPE_BOX, &kBox, nullptr));
  gst_structure_set(zone, "name", G_TYPE_STRING, "window", nullptr);  // theirs is a copy

  const auto* kept = static_cast<const GstStructure*>(
      sight_frame_get_user_boxed(frame.get(), "zone", GST_TYPE_STRUCTURE));
  ASSERT_NE(kept, nullptr);
  EXPECT_STREQ(gst_structure_get_string(kept, "name"), "door");
  const GValue* value = sight_object_get_user_data(object, "box");
  ASSERT_TRUE(G_VALUE_HOLDS(value, SIGHT_TYPE_BOX));
  EXPECT_EQ(sight_object_get_user_boxed(object, "box", SIGHT_TYPE_BOX), g_value_get_boxed(value));
  EXPECT_EQ(static_cast<const SightBox*>(g_value_get_boxed(value))->width, kBox.width);

  EXPECT_EQ(sight_object_get_user_boxed(object, "box", GST_TYPE_STRUCTURE), nullptr);
  EXPECT_EQ(sight_object_get_user_boxed(object, "box", G_TYPE_INVALID), nullptr);
  EXPECT_EQ(sight_object_get_user_boxed(object, "none", SIGHT_TYPE_BOX), nullptr);
  EXPECT_EQ(sight_frame_get_user_boxed(nullptr, "zone", GST_TYPE_STRUCTURE), nullptr);
  expect_error(SIGHT_ERROR_INPUT, "not empty", [&](GError** error) {
    return sight_object_set_user_boxed(object, "", SIGHT_TYPE_BOX, &kBox, error);
  });
  sight_frame_seal(frame.get());
  expect_error(SIGHT_ERROR_READ_ONLY, "can no longer", [&](GError** error) {
    return sight_object_set_user_boxed(object, "box", SIGHT_TYPE_BOX, &kBox, error);
  });
}

TEST(UserData, RefusesWhatNobodyOwns) {
  auto frame = FrameHandle::adopt(sight_frame_new(1, 1));
  GValue value = G_VALUE_INIT;
  expect_error(SIGHT_ERROR_INPUT, "not initialised", [&](GError** error) {
    return sight_frame_set_user_data(frame.get(), "x", &value, error);
  });
  g_value_set_pointer(g_value_init(&value, G_TYPE_POINTER), &value);
  expect_error(SIGHT_ERROR_INPUT, "gpointer", [&](GError** error) {
    return sight_frame_set_user_data(frame.get(), "x", &value, error);
  });
  g_value_unset(&value);
  g_value_init(&value, G_TYPE_INT);
  expect_error(SIGHT_ERROR_INPUT, "not empty", [&](GError** error) {
    return sight_frame_set_user_data(frame.get(), "", &value, error);
  });
  expect_error(SIGHT_ERROR_INPUT, "not UTF-8", [&](GError** error) {
    return sight_frame_set_user_data(frame.get(), "\xff", &value, error);
  });
}

}  // namespace
