// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness.h"
#include "meta/roi_mirror.h"
#include "meta/track_data.h"
#include "stage/attach.h"

namespace sightline::testing {
namespace {

using ::testing::HasSubstr;

using Region = GstVideoRegionOfInterestMeta;

constexpr const char* kCaps =
    "video/x-raw(memory:Elsewhere),format=NV12,width=640,height=480,framerate=25/1";
constexpr guint kStage = 7;
constexpr GstClockTime kFrame = 40 * GST_MSECOND;

// A tracker that confirms what it sees.
struct Tracking : Element {
  explicit Tracking(const std::string& properties = "")
      : Element("sighttrack min-hits=1 " + properties) {
    set_caps(kCaps);
  }
};

Ptr<GstBuffer> frame_at(GstClockTime pts, const char* stream = "door") {
  Ptr<GstBuffer> buffer(gst_buffer_new());
  GST_BUFFER_PTS(buffer.get()) = pts;
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  sight_frame_set_size(frame, 640, 480, nullptr);
  sight_frame_set_stream(frame, stream, pts / kFrame, nullptr);
  return buffer;
}

SightObject* add_face(const Ptr<GstBuffer>& buffer, float x, guint stage = kStage,
                      float confidence = 0.9f) {
  SightObject* object = add_object(buffer, {x, 100, 40, 50}, "face", 0, confidence);
  sight_object_set_stage_id(object, stage, nullptr);
  return object;
}

Ptr<GstBuffer> face_at(GstClockTime pts, float x, const char* stream = "door") {
  Ptr<GstBuffer> buffer = frame_at(pts, stream);
  add_face(buffer, x);
  return buffer;
}

Ptr<GstBuffer> skipped(GstClockTime pts, guint stage = kStage) {
  Ptr<GstBuffer> buffer = frame_at(pts);
  set_skipped(sight_buffer_edit_frame(buffer.get(), nullptr), stage, kSkippedByInterval);
  return buffer;
}

const SightObject* object_in(const Ptr<GstBuffer>& buffer, guint index = 0) {
  return sight_frame_get_object(sight_buffer_get_frame(buffer.get()), index);
}
guint count_in(const Ptr<GstBuffer>& buffer) {
  return sight_frame_get_n_objects(sight_buffer_get_frame(buffer.get()));
}
// 0 if it has none.
guint64 track_of(const Ptr<GstBuffer>& buffer, guint index = 0) {
  guint64 track = 0;
  sight_object_get_track(object_in(buffer, index), &track);
  return track;
}

guint64 stat(Element& element, const char* field) {
  GstStructure* stats = nullptr;
  GstElement* tracker = gst_bin_get_by_name(GST_BIN(element.get()->element), "tracker");
  g_object_get(tracker, "stats", &stats, nullptr);
  gst_object_unref(tracker);
  guint64 value = 0;
  EXPECT_TRUE(gst_structure_get_uint64(stats, field, &value)) << field;
  gst_structure_free(stats);
  return value;
}

TEST(SightTrack, AnObjectKeepsItsNumberAndSaysHowItIs) {
  Element element("sighttrack");
  element.set_caps(kCaps);
  std::set<guint64> tracks;
  std::vector<std::string> states;
  for (guint i = 0; i < 20; ++i) {
    const Ptr<GstBuffer> out =
        element.through(face_at(i * kFrame, 100 + 4 * static_cast<float>(i)));
    ASSERT_NE(out, nullptr) << element.error_text();
    ASSERT_EQ(count_in(out), 1u);
    tracks.insert(track_of(out));
    const auto data = find_track_data(object_in(out));
    ASSERT_TRUE(data);
    states.push_back(data->state);
    EXPECT_EQ(data->age, i);
    EXPECT_EQ(data->hits, i + 1);
    EXPECT_FALSE(data->predicted);
    if (i == 19) {
      EXPECT_NEAR(data->velocity_x, 100, 1) << "4 pixels each 40 ms";
    }
  }
  EXPECT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks.count(0), 0u);
  EXPECT_EQ(states[1], "tentative");
  EXPECT_EQ(states[2], "confirmed");
}

// As DL Streamer's elements read it; 0: the region has none.
int track_of_region(const Region* region) {
  const GstStructure* track =
      gst_video_region_of_interest_meta_get_param(const_cast<Region*>(region), "object_id");
  int id = 0;
  if (track != nullptr) gst_structure_get_int(track, "id", &id);
  return id;
}

std::vector<const Region*> regions_of(const Ptr<GstBuffer>& buffer) {
  std::vector<const Region*> regions;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             buffer.get(), &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE))
    regions.push_back(reinterpret_cast<Region*>(meta));
  return regions;
}

TEST(SightTrack, RegionsThatAStageBeforeWroteSayTheTrack) {
  Tracking element;
  Ptr<GstBuffer> seen = face_at(0, 100);
  mirror_objects(seen.get());
  ASSERT_EQ(track_of_region(regions_of(seen).at(0)), 0);
  const Ptr<GstBuffer> out = element.through(std::move(seen));
  ASSERT_EQ(regions_of(out).size(), 1u);
  EXPECT_EQ(track_of_region(regions_of(out)[0]), static_cast<int>(track_of(out)));
  EXPECT_EQ(regions_of(out)[0]->x, 100u);

  // Where it is expected there is a region, too.
  Ptr<GstBuffer> nobody_looked = skipped(kFrame);
  mirror_objects(nobody_looked.get());
  const Ptr<GstBuffer> expected = element.through(std::move(nobody_looked));
  ASSERT_EQ(regions_of(expected).size(), 1u);
  EXPECT_EQ(track_of_region(regions_of(expected)[0]), static_cast<int>(track_of(out)));

  const Ptr<GstBuffer> plain = element.through(face_at(2 * kFrame, 100));
  EXPECT_TRUE(regions_of(plain).empty()) << "nobody asked for regions";
}

TEST(SightTrack, WhatWasPushedStaysAsItIs) {
  Tracking element;
  Ptr<GstBuffer> buffer = face_at(0, 100);
  const Ptr<GstBuffer> other_owner(gst_buffer_ref(buffer.get()));
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  EXPECT_NE(track_of(out), 0u);
  EXPECT_EQ(track_of(other_owner), 0u);
}

TEST(SightTrack, BuffersThatDoNotChangePassAsTheyAre) {
  Tracking element;
  Ptr<GstBuffer> bare(gst_buffer_new());
  GstBuffer* const pushed = bare.get();
  const Ptr<GstBuffer> other_owner(gst_buffer_ref(pushed));
  const Ptr<GstBuffer> out = element.through(std::move(bare));
  EXPECT_EQ(out.get(), pushed);
  EXPECT_EQ(sight_buffer_get_frame(out.get()), nullptr);
}

TEST(SightTrack, SkippedFramesGetWhatIsExpected) {
  Tracking element;
  guint64 track = 0;
  for (guint i = 0; i < 10; ++i)
    track = track_of(element.through(face_at(i * kFrame, 100 + 4 * static_cast<float>(i))));
  for (guint i = 10; i < 13; ++i) {
    const Ptr<GstBuffer> out = element.through(skipped(i * kFrame));
    ASSERT_EQ(count_in(out), 1u);
    const SightObject* object = object_in(out);
    EXPECT_EQ(track_of(out), track);
    EXPECT_STREQ(sight_object_get_label(object), "face");
    EXPECT_EQ(sight_object_get_class_id(object), 0);
    EXPECT_EQ(sight_object_get_stage_id(object), kStage);
    EXPECT_FLOAT_EQ(sight_object_get_confidence(object), 0.9f);
    SightBox box;
    sight_object_get_box(object, &box);
    EXPECT_NEAR(box.x, 100 + 4 * static_cast<float>(i), 1);
    const auto data = find_track_data(object);
    ASSERT_TRUE(data);
    EXPECT_TRUE(data->predicted);
    EXPECT_EQ(data->state, "confirmed");
  }
  EXPECT_EQ(track_of(element.through(face_at(13 * kFrame, 152))), track);
  EXPECT_EQ(count_in(element.through(frame_at(14 * kFrame))), 0u) << "looked at, and not found";
}

TEST(SightTrack, AFrameThatFailedIsNoFrameWithoutObjects) {
  Tracking element("max-lost=50");
  const guint64 track = track_of(element.through(face_at(0, 100)));
  Ptr<GstBuffer> failed = frame_at(kFrame);
  set_failure(sight_buffer_edit_frame(failed.get(), nullptr), {"detector", kStage}, "no memory");
  EXPECT_EQ(track_of(element.through(std::move(failed))), track);
}

TEST(SightTrack, PredictedObjectsTakeTheirLandmarksAlongAndLeaveWithThePicture) {
  Tracking element;
  for (guint i = 0; i < 10; ++i) {
    Ptr<GstBuffer> buffer = frame_at(i * kFrame);
    const float x = 560 + 6 * static_cast<float>(i);
    const SightPoint eye{x + 10, 120};
    sight_object_set_landmarks(add_face(buffer, x), &eye, 1, nullptr);
    element.push(std::move(buffer));
    element.pull();
  }
  const Ptr<GstBuffer> out = element.through(skipped(10 * kFrame));
  ASSERT_EQ(count_in(out), 1u);
  guint count = 0;
  const SightPoint* eye = sight_object_get_landmarks(object_in(out), &count);
  ASSERT_EQ(count, 1u);
  EXPECT_NEAR(eye->x, 630, 1);
  EXPECT_NEAR(eye->y, 120, 2);
  EXPECT_EQ(count_in(element.through(skipped(14 * kFrame))), 0u) << "x is 644 of 640";
}

TEST(SightTrack, CoastingBridgesWhatTheDetectorMisses) {
  Tracking element("coast=50");
  const guint64 track = track_of(element.through(face_at(0, 100)));
  const Ptr<GstBuffer> missed = element.through(frame_at(kFrame));
  ASSERT_EQ(count_in(missed), 1u);
  EXPECT_EQ(track_of(missed), track);
  EXPECT_EQ(find_track_data(object_in(missed))->state, "lost");
  EXPECT_TRUE(find_track_data(object_in(missed))->predicted);
  EXPECT_EQ(count_in(element.through(frame_at(2 * kFrame))), 0u);
}

TEST(SightTrack, StreamsBehindAFunnelAreKeptApart) {
  Tracking element;
  std::map<std::string, std::set<guint64>> tracks;
  for (guint i = 0; i < 10; ++i)
    for (const char* stream : {"door", "yard", "hall"})
      tracks[stream].insert(track_of(element.through(face_at(i * kFrame, 100, stream))));
  std::set<guint64> all;
  for (const auto& [stream, own] : tracks) {
    EXPECT_EQ(own.size(), 1u) << stream;
    all.insert(own.begin(), own.end());
  }
  EXPECT_EQ(all.size(), 3u);
}

TEST(SightTrack, StagesAndClassesAreKeptApart) {
  Tracking element;
  std::set<guint64> tracks;
  for (guint i = 0; i < 5; ++i) {
    Ptr<GstBuffer> buffer = frame_at(i * kFrame);
    add_face(buffer, 100, i % 2 == 0 ? 7 : 8);
    tracks.insert(track_of(element.through(std::move(buffer))));
  }
  EXPECT_EQ(tracks.size(), 2u);
}

TEST(SightTrack, OnlyTheStageThatWasAskedForAndNoParts) {
  for (const auto& [properties, first, part, other] :
       {std::tuple("", true, false, true), std::tuple("stage-id=7", true, false, false),
        std::tuple("stage-id=9", false, true, false)}) {
    Tracking element(properties);
    Ptr<GstBuffer> buffer = frame_at(0);
    const guint64 person = sight_object_get_id(add_face(buffer, 100, 7));
    const SightBox box{110, 110, 10, 10};
    SightObject* nose = sight_frame_add_object(sight_buffer_edit_frame(buffer.get(), nullptr),
                                               "nose", 0, 0.9f, &box, person, nullptr);
    sight_object_set_stage_id(nose, 9, nullptr);
    add_face(buffer, 300, 8);
    const Ptr<GstBuffer> out = element.through(std::move(buffer));
    EXPECT_EQ(track_of(out, 0) != 0, first) << properties;
    EXPECT_EQ(track_of(out, 1) != 0, part) << properties;
    EXPECT_EQ(track_of(out, 2) != 0, other) << properties;
    EXPECT_EQ(sight_object_get_parent(object_in(out, 1)), person);
  }
}

TEST(SightTrack, APredictedPartIsPartOfWhatIsPredicted) {
  Element element("sighttrack stage-id=7 min-hits=1 ! sighttrack stage-id=9 min-hits=1");
  element.set_caps(kCaps);
  for (guint i = 0; i < 3; ++i) {
    Ptr<GstBuffer> buffer = frame_at(i * kFrame);
    const guint64 person = sight_object_get_id(add_face(buffer, 100, 7));
    const SightBox box{110, 110, 10, 10};
    SightObject* nose = sight_frame_add_object(sight_buffer_edit_frame(buffer.get(), nullptr),
                                               "nose", 0, 0.9f, &box, person, nullptr);
    sight_object_set_stage_id(nose, 9, nullptr);
    ASSERT_NE(element.through(std::move(buffer)), nullptr);
  }
  Ptr<GstBuffer> buffer = skipped(3 * kFrame, 7);
  set_skipped(sight_buffer_edit_frame(buffer.get(), nullptr), 9, kSkippedByInterval);
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_EQ(count_in(out), 2u);
  EXPECT_STREQ(sight_object_get_label(object_in(out, 1)), "nose");
  EXPECT_EQ(sight_object_get_parent(object_in(out, 1)), sight_object_get_id(object_in(out, 0)));
}

TEST(SightTrack, SeveralInARowDoNotDisturbEachOther) {
  Element element("sighttrack min-hits=1 ! sighttrack min-hits=1");
  Tracking alone;
  element.set_caps(kCaps);
  std::set<guint64> tracks;
  for (guint i = 0; i < 10; ++i) {
    const bool look = i % 2 == 0;
    Ptr<GstBuffer> buffer = look ? face_at(i * kFrame, 100) : skipped(i * kFrame);
    const Ptr<GstBuffer> out = element.through(std::move(buffer));
    ASSERT_EQ(count_in(out), 1u);
    tracks.insert(track_of(out));
  }
  EXPECT_EQ(tracks.size(), 1u);
  EXPECT_EQ(tracks.count(track_of(alone.through(face_at(0, 100)))), 0u) << "unique in the process";
}

TEST(SightTrack, AFlushAndATimeThatGoesBackForget) {
  Tracking element;
  const auto push = [&](GstClockTime pts) { return track_of(element.through(face_at(pts, 100))); };
  const guint64 first = push(10 * GST_SECOND);
  EXPECT_EQ(push(10 * GST_SECOND + kFrame), first);

  gst_harness_push_event(element.get(), gst_event_new_flush_start());
  gst_harness_push_event(element.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(element.get(), gst_event_new_segment(&segment));
  const guint64 flushed = push(10 * GST_SECOND + 2 * kFrame);
  EXPECT_NE(flushed, first);

  gst_harness_push_event(element.get(), gst_event_new_segment(&segment));
  EXPECT_EQ(push(10 * GST_SECOND + 3 * kFrame), flushed) << "a segment that goes on";
  gst_harness_push_event(element.get(), gst_event_new_segment(&segment));
  const guint64 looped = push(10 * GST_SECOND);
  EXPECT_NE(looped, flushed) << "a segment that goes back";
  EXPECT_EQ(push(10 * GST_SECOND - kFrame), looped) << "a little, as clocks do";
  EXPECT_NE(push(0), looped);
}

TEST(SightTrack, BuffersWithoutATimeAreOneFrameApart) {
  Tracking element("max-lost=130");  // three frames of 40 ms, by the caps
  const auto push = [&](bool seen) {
    const Ptr<GstBuffer> out =
        element.through(seen ? face_at(GST_CLOCK_TIME_NONE, 100) : frame_at(GST_CLOCK_TIME_NONE));
    return seen ? track_of(out) : 0;
  };
  guint64 first = 0;
  for (int i = 0; i < 5; ++i) first = push(true);
  push(false);
  push(false);
  EXPECT_EQ(push(true), first);
  for (int i = 0; i < 3; ++i) push(false);
  EXPECT_NE(push(true), first);
}

TEST(SightTrack, PlayedBackwardsItTracksToo) {
  Tracking element;
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.rate = -1;
  segment.stop = 10 * GST_SECOND;
  gst_harness_push_event(element.get(), gst_event_new_segment(&segment));
  std::set<guint64> tracks;
  for (guint i = 0; i < 50; ++i)
    tracks.insert(track_of(element.through(face_at(9 * GST_SECOND - i * kFrame, 100))));
  EXPECT_EQ(tracks.size(), 1u);
}

TEST(SightTrack, EmbeddingsFindSomebodyAgain) {
  const auto face = [](GstClockTime pts, float x, const std::vector<float>& values) {
    Ptr<GstBuffer> buffer = frame_at(pts);
    const gint64 shape[] = {static_cast<gint64>(values.size())};
    GBytes* bytes = g_bytes_new(values.data(), values.size() * sizeof(float));
    const Ptr<SightTensor> tensor(
        sight_tensor_new("embedding", SIGHT_ELEMENT_FLOAT32, shape, 1, bytes, nullptr));
    g_bytes_unref(bytes);
    sight_object_add_tensor(add_face(buffer, x), tensor.get(), nullptr);
    return buffer;
  };
  Tracking element("use-embeddings=embedding max-lost=100");
  const guint64 ada = track_of(element.through(face(0, 100, {1, 0, 0})));
  EXPECT_EQ(track_of(element.through(face(kFrame, 100, {1, 0, 0}))), ada);
  element.through(frame_at(2 * GST_SECOND));
  EXPECT_NE(track_of(element.through(face(3 * GST_SECOND, 400, {0, 1, 0}))), ada);
  EXPECT_EQ(track_of(element.through(face(3 * GST_SECOND + kFrame, 200, {1, 0.1f, 0}))), ada);
}

TEST(SightTrack, MemoryIsBoundedForAnyNumberOfStreamsAndTracks) {
  Element element("sighttrack name=tracker min-hits=1 max-tracks=5 ! identity");
  element.set_caps(kCaps);
  for (guint i = 0; i < 1100; ++i) {
    Ptr<GstBuffer> buffer = frame_at(i * kFrame, ("camera" + std::to_string(i)).c_str());
    for (int k = 0; k < 8; ++k) add_face(buffer, 60 * static_cast<float>(k));
    ASSERT_NE(element.through(std::move(buffer)), nullptr);
  }
  EXPECT_EQ(stat(element, "frames"), 1100u);
  EXPECT_EQ(stat(element, "streams"), 1024u);
  EXPECT_EQ(stat(element, "tracks"), 5 * 1024u);
  EXPECT_EQ(stat(element, "objects-tracked"), 5 * 1100u);
  EXPECT_EQ(stat(element, "objects-predicted"), 0u);
}

TEST(SightTrack, HugeAndEmptyBoxesPassWithoutATrack) {
  Tracking element;
  Ptr<GstBuffer> buffer = frame_at(0);
  const float most = std::numeric_limits<float>::max();
  for (const SightBox& box :
       {SightBox{-most, -most, most, most}, SightBox{most, most, most, most}, SightBox{0, 0, 0, 0},
        SightBox{1e30f, 0, 1e-30f, 1}, SightBox{10, 10, 20, 20}})
    ASSERT_NE(add_object(buffer, box, nullptr, -1, 0.9f), nullptr);
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  ASSERT_NE(out, nullptr);
  for (guint i = 0; i < 4; ++i) EXPECT_EQ(track_of(out, i), 0u) << i;
  EXPECT_NE(track_of(out, 4), 0u);
}

TEST(SightTrack, PropertiesReadBackAndContradictionsAreErrors) {
  const Ptr<GstElement> element(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
      "sighttrack algorithm=iou stage-id=3 high-confidence=0.7 max-lost=1234 coast=56 "
      "use-embeddings=reid max-tracks=9",
      nullptr))));
  gint algorithm = -1;
  guint stage = 0, lost = 0, coast = 0, most = 0;
  gfloat high = 0;
  gchar* tensor = nullptr;
  g_object_get(element.get(), "algorithm", &algorithm, "stage-id", &stage, "high-confidence", &high,
               "max-lost", &lost, "coast", &coast, "use-embeddings", &tensor, "max-tracks", &most,
               nullptr);
  EXPECT_EQ(algorithm, 0);
  EXPECT_EQ(stage, 3u);
  EXPECT_FLOAT_EQ(high, 0.7f);
  EXPECT_EQ(lost, 1234u);
  EXPECT_EQ(coast, 56u);
  EXPECT_STREQ(tensor, "reid");
  EXPECT_EQ(most, 9u);
  g_free(tensor);
  EXPECT_THAT(start_error("sighttrack low-confidence=0.8 high-confidence=0.4"),
              HasSubstr("low-confidence is 0.8"));
}

TEST(SightTrack, TheEventSaysWhatIsPredicted) {
  Tracking element;
  const guint64 track = track_of(element.through(face_at(0, 100)));
  const Ptr<GstBuffer> out = element.through(skipped(kFrame));
  gchar* line = sight_frame_to_json(sight_buffer_get_frame(out.get()), 0);
  const auto object = nlohmann::json::parse(line)["objects"][0];
  g_free(line);
  EXPECT_EQ(object["track"], track);
  EXPECT_EQ(object["track_state"], "confirmed");
  EXPECT_EQ(object["predicted"], true);
}

}  // namespace
}  // namespace sightline::testing
