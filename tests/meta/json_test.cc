// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The line of an event, word for word where it is short, else read back with a parser.

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "buffer_ptr.h"
#include "event_lines.h"
#include "meta/handles.h"

namespace {

using nlohmann::json;
using sightline::CandidateHandle;
using sightline::ClassificationHandle;
using sightline::FrameHandle;
using sightline::IdentityHandle;

std::string line_of(const FrameHandle& frame, GstClockTime pts) {
  char* text = sight_frame_to_json(frame.get(), pts);
  std::string line = text;
  g_free(text);
  return keep_line(line);
}

TEST(Json, OfAnEmptyFrameHasNoOptionalKey) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  EXPECT_EQ(line_of(frame, GST_CLOCK_TIME_NONE),
            R"({"frame":0,"width":640,"height":480,"objects":[]})");
}

TEST(Json, OfABareObjectHasNoOptionalKey) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  const SightBox box = {1, 2.5f, 3, 4};
  const SightObject* object =
      sight_frame_add_object(frame.get(), nullptr, -1, 0.9f, &box, 0, nullptr);
  EXPECT_EQ(line_of(frame, 0), R"({"frame":0,"pts":0,"width":640,"height":480,"objects":[{"id":)" +
                                   std::to_string(sight_object_get_id(object)) +
                                   R"(,"confidence":0.9,"box":[1.0,2.5,3.0,4.0]}]})");
}

TEST(Json, SaysEverything) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  ASSERT_TRUE(sight_frame_set_stream(frame.get(), "door", 12, nullptr));
  const SightBox box = {1, 2, 3, 4};
  SightObject* person = sight_frame_add_object(frame.get(), "person", 0, 0.5f, &box, 0, nullptr);
  const guint64 person_id = sight_object_get_id(person);
  SightObject* face =
      sight_frame_add_object(frame.get(), "face", 1, 0.1f, &box, person_id, nullptr);
  const SightPoint points[] = {{1.5f, 2}, {3, 4}};
  ASSERT_TRUE(sight_object_set_landmarks(face, points, 2, nullptr));
  ASSERT_TRUE(sight_object_set_track(face, G_MAXUINT64, nullptr));
  auto ada = IdentityHandle::adopt(sight_identity_new("p7", "Ada", 0.875f, "p7", "Ada"));
  ASSERT_TRUE(sight_object_set_identity(face, ada.get(), nullptr));
  auto age =
      ClassificationHandle::adopt(sight_classification_new("age", "20-29", 2, 0.25f, "ages", 4));
  ASSERT_TRUE(sight_object_add_classification(face, age.get(), nullptr));
  ASSERT_TRUE(sight_frame_add_classification(frame.get(), age.get(), nullptr));

  const std::string line = line_of(frame, 40 * GST_MSECOND);
  EXPECT_EQ(line.find('\n'), std::string::npos);
  const json expected = {
      {"stream", "door"},
      {"frame", 12},
      {"pts", 40000000},
      {"width", 640},
      {"height", 480},
      {"classifications",
       {{{"attribute", "age"},
         {"label", "20-29"},
         {"class_id", 2},
         {"confidence", 0.25},
         {"stage", "ages"}}}},
      {"objects",
       {{{"id", person_id},
         {"class_id", 0},
         {"label", "person"},
         {"confidence", 0.5},
         {"box", {1.0, 2.0, 3.0, 4.0}}},
        {{"id", sight_object_get_id(face)},
         {"parent", person_id},
         {"class_id", 1},
         {"label", "face"},
         {"confidence", 0.1},
         {"box", {1.0, 2.0, 3.0, 4.0}},
         {"landmarks", {{1.5, 2.0}, {3.0, 4.0}}},
         {"track", G_MAXUINT64},
         {"identity", {{"person", "p7"}, {"name", "Ada"}, {"similarity", 0.875}}},
         {"classifications",
          {{{"attribute", "age"},
            {"label", "20-29"},
            {"class_id", 2},
            {"confidence", 0.25},
            {"stage", "ages"}}}}}}}};
  EXPECT_EQ(json::parse(line), expected) << line;
}

TEST(Json, OfAStrangerHasAnIdentityWithoutPerson) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  const SightBox box = {1, 2, 3, 4};
  SightObject* face = sight_frame_add_object(frame.get(), "face", 0, 1, &box, 0, nullptr);
  auto stranger = IdentityHandle::adopt(sight_identity_new(nullptr, nullptr, 0.25f, "p7", "Ada"));
  ASSERT_TRUE(sight_object_set_identity(face, stranger.get(), nullptr));
  EXPECT_EQ(json::parse(line_of(frame, 0))["objects"][0]["identity"],
            (json{{"nearest", {{"person", "p7"}, {"name", "Ada"}}}, {"similarity", 0.25}}));
}

TEST(Json, OfAnIdentityByTrackSaysHowManyVoted) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  const SightBox box = {1, 2, 3, 4};
  SightObject* face = sight_frame_add_object(frame.get(), "face", 0, 1, &box, 0, nullptr);
  auto ada = IdentityHandle::adopt(sight_identity_new_voted("p7", "Ada", 0.5f, "p7", "Ada", 12));
  ASSERT_TRUE(sight_object_set_identity(face, ada.get(), nullptr));
  EXPECT_EQ(json::parse(line_of(frame, 0))["objects"][0]["identity"],
            (json{{"person", "p7"}, {"name", "Ada"}, {"similarity", 0.5}, {"votes", 12}}));
}

TEST(Json, AnUnknownKeepsWhoIsNearAndHowProbably) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  const SightBox box = {1, 2, 3, 4};
  SightObject* face = sight_frame_add_object(frame.get(), "face", 0, 1, &box, 0, nullptr);
  auto ada = CandidateHandle::adopt(sight_candidate_new("p7", "Ada", "a.db", 0.5f, 0.25f));
  auto bob = CandidateHandle::adopt(sight_candidate_new("p8", nullptr, nullptr, 0.25f, NAN));
  SightCandidate* candidates[] = {ada.get(), bob.get()};
  auto nobody = IdentityHandle::adopt(sight_identity_new_full(
      nullptr, nullptr, 0.5f, "p7", "Ada", 0, "a.db", 0.75f, 0.25f, candidates, 2));
  ASSERT_TRUE(sight_object_set_identity(face, nobody.get(), nullptr));
  EXPECT_EQ(json::parse(line_of(frame, 0))["objects"][0]["identity"], json::parse(R"({
      "nearest": {"person": "p7", "name": "Ada"}, "gallery": "a.db", "similarity": 0.5,
      "threshold": 0.75, "probability": 0.25, "candidates": [
        {"person": "p7", "name": "Ada", "gallery": "a.db", "similarity": 0.5, "probability": 0.25},
        {"person": "p8", "similarity": 0.25}]})"));
}

TEST(Json, IsValidWhateverTheTextAndNumbersAre) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  ASSERT_TRUE(sight_frame_set_stream(frame.get(), "\"\\\n\x01\x7f/ü", 0, nullptr));
  constexpr float kLargest = std::numeric_limits<float>::max();
  const SightBox box = {-kLargest, std::numeric_limits<float>::denorm_min(), kLargest, 0};
  SightObject* face = sight_frame_add_object(frame.get(), "", 0, -0.0f, &box, 0, nullptr);
  auto odd = IdentityHandle::adopt(sight_identity_new("\xff", "\xed\xa0\x80", 0, nullptr, nullptr));
  ASSERT_TRUE(sight_object_set_identity(face, odd.get(), nullptr));
  const json read = json::parse(line_of(frame, 0));
  EXPECT_EQ(read["stream"], "\"\\\n\x01\x7f/ü");
  EXPECT_EQ(read["objects"][0]["box"][2].get<float>(), kLargest) << "nothing is lost";
  EXPECT_EQ(read["objects"][0]["label"], "");
}

}  // namespace
