// SPDX-License-Identifier: LGPL-2.1-or-later

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sightline/analytics.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness.h"

namespace sightline::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Downwards across the middle is in; the left half is a zone.
constexpr const char* kGroups =
    "[property]\n[line-crossing]\nline-crossing-door = 0;0.5; 1;0.5\n"
    "[roi-filtering]\nroi-left = 0;0; 0.5;0; 0.5;1; 0;1\n";
constexpr const char* kElsewhere =
    "video/x-raw(memory:Elsewhere),format=NV12,width=200,height=100,framerate=10/1";

class SightAnalytics : public ::testing::Test {
 protected:
  SightAnalytics() {
    char name[] = "/tmp/sightanalytics-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~SightAnalytics() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name = "a.ini") const { return folder_ / name; }
  std::string analytics(const std::string& groups = kGroups, const std::string& more = "") const {
    std::ofstream(path()) << groups;
    return "sightanalytics config-file=" + path() + " " + more;
  }

  std::filesystem::path folder_;
};

// Objects by track, each a point that is its bottom centre; track 0 is none.
using Places = std::map<guint64, SightPoint>;

void add_places(const Ptr<GstBuffer>& buffer, const Places& places) {
  for (const auto& [track, place] : places) {
    SightObject* object = add_object(buffer, {place.x - 2, place.y - 6, 4, 6}, "person");
    if (track != 0) {
      EXPECT_TRUE(sight_object_set_track(object, track, nullptr));
    }
  }
}

Ptr<GstBuffer> frame_of(const Places& places, GstClockTime pts, const char* stream = nullptr,
                        guint64 number = 0) {
  Ptr<GstBuffer> buffer(gst_buffer_new());
  GST_BUFFER_PTS(buffer.get()) = pts;
  add_places(buffer, places);
  if (stream != nullptr)
    sight_frame_set_stream(sight_buffer_edit_frame(buffer.get(), nullptr), stream, number, nullptr);
  return buffer;
}

std::string line_count(GstBuffer* buffer, const char* line = "door") {
  guint64 in = 0, out = 0;
  if (!sight_frame_get_line_count(sight_buffer_get_frame(buffer), line, &in, &out)) return "none";
  return std::to_string(in) + " in, " + std::to_string(out) + " out";
}

std::string zone_count(GstBuffer* buffer, const char* zone = "left") {
  guint64 count = 0, in = 0, out = 0;
  if (!sight_frame_get_zone_count(sight_buffer_get_frame(buffer), zone, &count, &in, &out, nullptr))
    return "none";
  return std::to_string(count) + " now, " + std::to_string(in) + " in, " + std::to_string(out) +
         " out";
}

const SightObject* object_of(GstBuffer* buffer, guint index = 0) {
  return sight_frame_get_object(sight_buffer_get_frame(buffer), index);
}

// The structures of the messages so far, as text.
std::vector<std::string> messages(Element& element) {
  std::vector<std::string> result;
  while (const Ptr<GstMessage> message = element.message(GST_MESSAGE_ELEMENT)) {
    gchar* text = gst_structure_to_string(gst_message_get_structure(message.get()));
    result.emplace_back(text);
    g_free(text);
  }
  return result;
}

TEST_F(SightAnalytics, PutsCountsOnFramesAndFindingsOnObjects) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  const Ptr<GstBuffer> first = element.through(frame_of({{7, {50, 30}}, {0, {60, 30}}}, 0));
  ASSERT_NE(first, nullptr) << element.error_text();
  EXPECT_EQ(line_count(first.get()), "0 in, 0 out");
  EXPECT_EQ(zone_count(first.get()), "2 now, 1 in, 0 out");
  const Ptr<GstBuffer> second =
      element.through(frame_of({{7, {50, 70}}, {8, {150, 70}}}, 1500 * GST_MSECOND));
  EXPECT_EQ(line_count(second.get()), "1 in, 0 out");
  EXPECT_EQ(zone_count(second.get()), "1 now, 1 in, 0 out");
  gdouble dwell = 0;
  gboolean inwards = FALSE;
  EXPECT_TRUE(sight_object_is_in_zone(object_of(second.get()), "left", &dwell));
  EXPECT_DOUBLE_EQ(dwell, 1.5);
  EXPECT_TRUE(sight_object_has_crossed(object_of(second.get()), "door", &inwards));
  EXPECT_TRUE(inwards);
  EXPECT_FALSE(sight_object_is_in_zone(object_of(second.get(), 1), "left", nullptr));
  EXPECT_EQ(sight_object_get_user_data(object_of(second.get(), 1), "sightline-analytics"), nullptr);
}

TEST_F(SightAnalytics, PostsAMessageForEachEvent) {
  Element element(analytics(
      "[property]\ntrack-timeout = 500\n[line-crossing]\nline-crossing-door = 0;0.5;1;0.5\n"
      "[overcrowding]\nroi-left = 0;0; 0.5;0; 0.5;1; 0;1\nobject-threshold = 0\n"));
  element.set_caps(kElsewhere);
  element.through(frame_of({{7, {50, 30}}}, 0, "lobby", 4));
  EXPECT_THAT(messages(element),
              ElementsAre(AllOf(HasSubstr("sightanalytics, event=(string)entered"),
                                HasSubstr("stream=(string)lobby"), HasSubstr("frame=(guint64)4"),
                                HasSubstr("running-time=(guint64)0"),
                                HasSubstr("zone=(string)left"), HasSubstr("track=(guint64)7")),
                          AllOf(HasSubstr("event=(string)overcrowded"),
                                HasSubstr("zone=(string)left"), HasSubstr("count=(guint64)1"))));
  element.through(frame_of({{7, {50, 70}}}, 200 * GST_MSECOND, "lobby", 5));
  EXPECT_THAT(messages(element),
              ElementsAre(AllOf(HasSubstr("event=(string)crossed"), HasSubstr("line=(string)door"),
                                HasSubstr("direction=(string)in"))));
  element.through(frame_of({}, GST_SECOND, "lobby", 6));
  EXPECT_THAT(messages(element),
              ElementsAre(AllOf(HasSubstr("event=(string)left"), HasSubstr("dwell=(double)0.2"),
                                HasSubstr("lost=(boolean)true")),
                          AllOf(HasSubstr("event=(string)overcrowded-end"),
                                HasSubstr("duration=(double)1"))));
}

TEST_F(SightAnalytics, PostsNothingIfToldSo) {
  Element element(analytics(kGroups, "post-messages=false"));
  element.set_caps(kElsewhere);
  element.through(frame_of({{7, {50, 30}}}, 0));
  EXPECT_THAT(messages(element), IsEmpty());
}

// A predicted box is a place like any other.
TEST_F(SightAnalytics, PredictedObjectsCount) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  element.through(frame_of({{7, {50, 30}}}, 0));
  Ptr<GstBuffer> predicted = frame_of({{7, {50, 70}}}, 100 * GST_MSECOND);
  SightFrame* frame = sight_buffer_edit_frame(predicted.get(), nullptr);
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(
      &value, gst_structure_new("sightline-track", "predicted", G_TYPE_BOOLEAN, TRUE, nullptr));
  sight_object_set_user_data(sight_frame_get_object(frame, 0), "sightline-track", &value, nullptr);
  g_value_unset(&value);
  EXPECT_EQ(line_count(element.through(std::move(predicted)).get()), "1 in, 0 out");
}

TEST_F(SightAnalytics, StreamsBehindAFunnelAreCountedApart) {
  Element element(analytics(std::string(kGroups) +
                            "[line-crossing-stream-b]\nline-crossing-gate = 0;0.2; 1;0.2\n"));
  element.set_caps(kElsewhere);
  element.through(frame_of({{1, {50, 30}}}, 0, "a", 0));
  element.through(frame_of({{1, {50, 70}}}, 10 * GST_MSECOND, "b", 0));
  const Ptr<GstBuffer> a = element.through(frame_of({{1, {50, 70}}}, 100 * GST_MSECOND, "a", 1));
  const Ptr<GstBuffer> b = element.through(frame_of({{1, {50, 60}}}, 110 * GST_MSECOND, "b", 1));
  EXPECT_EQ(line_count(a.get()), "1 in, 0 out");
  EXPECT_EQ(line_count(b.get()), "none");
  EXPECT_EQ(line_count(b.get(), "gate"), "0 in, 0 out");
}

// As a funnel forwards them: STREAM_START before each change of pad.
TEST_F(SightAnalytics, FramesWithoutAStreamAreOfTheStreamThatStarted) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  const auto show = [&](const char* stream, float y, int time) {
    gst_harness_push_event(element.get(), gst_event_new_stream_start(stream));
    return element.through(frame_of({{1, {50, y}}}, static_cast<GstClockTime>(time) * GST_MSECOND));
  };
  show("a", 30, 0);
  show("b", 70, 10);
  const Ptr<GstBuffer> a = show("a", 70, 100);
  EXPECT_EQ(line_count(a.get()), "1 in, 0 out");
  EXPECT_STREQ(sight_frame_get_stream(sight_buffer_get_frame(a.get())), "a");
  EXPECT_EQ(sight_frame_get_number(sight_buffer_get_frame(a.get())), 1u);
  EXPECT_EQ(sight_frame_get_width(sight_buffer_get_frame(a.get())), 200u);
  EXPECT_EQ(line_count(show("b", 71, 110).get()), "0 in, 0 out");
}

TEST_F(SightAnalytics, TimeIsRunningTime) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = 100 * GST_SECOND;
  segment.rate = 2;  // a second of the clip lasts half a second
  gst_harness_push_event(element.get(), gst_event_new_segment(&segment));
  element.through(frame_of({{1, {50, 30}}}, 100 * GST_SECOND));
  const Ptr<GstBuffer> out = element.through(frame_of({{1, {50, 31}}}, 103 * GST_SECOND));
  gdouble dwell = 0;
  EXPECT_TRUE(sight_object_is_in_zone(object_of(out.get()), "left", &dwell));
  EXPECT_DOUBLE_EQ(dwell, 1.5);
}

TEST_F(SightAnalytics, FramesWithoutTimeStampsCountByTheFrameRate) {
  Element element(analytics());
  element.set_caps(kElsewhere);  // 10 frames a second
  Ptr<GstBuffer> out;
  for (int i = 0; i < 6; ++i) out = element.through(frame_of({{1, {50, 30}}}, GST_CLOCK_TIME_NONE));
  gdouble dwell = 0;
  EXPECT_TRUE(sight_object_is_in_zone(object_of(out.get()), "left", &dwell));
  EXPECT_DOUBLE_EQ(dwell, 0.5);
  EXPECT_EQ(element.warning_text(), "");
  element.through(frame_of({{2, {50, 30}}}, GST_CLOCK_TIME_NONE));
  EXPECT_THAT(messages(element),
              ElementsAre(AllOf(HasSubstr("entered"), Not(HasSubstr("running-time")))));
}

TEST_F(SightAnalytics, FramesWithoutAnyTimeAreWarnedOfOnce) {
  Element element(analytics());
  element.set_caps("video/x-raw,format=NV12,width=200,height=100");
  for (int i = 0; i < 3; ++i)
    ASSERT_NE(element.through(frame_of({{1, {50, 30}}}, GST_CLOCK_TIME_NONE)), nullptr);
  EXPECT_THAT(element.warning_text(), HasSubstr("neither time stamps nor a frame rate"));
  EXPECT_EQ(element.warning_text(), "");
}

TEST_F(SightAnalytics, AFrameOfUnknownSizeIsAnError) {
  Element element(analytics());
  element.set_caps("other/x-things");
  EXPECT_EQ(element.push(frame_of({{1, {50, 30}}}, 0)), GST_FLOW_ERROR);
  EXPECT_THAT(element.error_text(), HasSubstr("size is not known"));
}

TEST_F(SightAnalytics, CountsBeginAnewAfterAStop) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  element.through(frame_of({{1, {50, 30}}}, 0));
  EXPECT_EQ(zone_count(element.through(frame_of({{1, {50, 30}}}, 1)).get()), "1 now, 1 in, 0 out");
  GstElement* analytics = gst_harness_find_element(element.get(), "sightanalytics");
  gst_element_set_state(analytics, GST_STATE_READY);
  gst_element_set_state(analytics, GST_STATE_PLAYING);
  gst_object_unref(analytics);
  gst_harness_push_event(element.get(), gst_event_new_stream_start("again"));
  element.set_caps(kElsewhere);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(element.get(), gst_event_new_segment(&segment));
  EXPECT_EQ(zone_count(element.through(frame_of({}, 2)).get()), "0 now, 0 in, 0 out");
}

TEST_F(SightAnalytics, AFileThatIsSetAgainHoldsFromTheNextFrameOn) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  element.through(frame_of({{1, {50, 30}}}, 0));
  EXPECT_EQ(line_count(element.through(frame_of({{1, {50, 70}}}, 100 * GST_MSECOND)).get()),
            "1 in, 0 out");
  std::ofstream(path()) << "[property]\n[line-crossing]\nline-crossing-new = 0;0.4; 1;0.4\n"
                           "line-crossing-door = 0;0.8; 1;0.8\n";
  EXPECT_EQ(line_count(element.through(frame_of({{1, {50, 72}}}, 200 * GST_MSECOND)).get(), "new"),
            "none")
      << "nobody said that the file has changed";
  g_object_set(element.element(), "config-file", path().c_str(), nullptr);
  const Ptr<GstBuffer> out = element.through(frame_of({{1, {50, 90}}}, 300 * GST_MSECOND));
  EXPECT_EQ(line_count(out.get()), "2 in, 0 out");
  EXPECT_EQ(line_count(out.get(), "new"), "0 in, 0 out");
  EXPECT_EQ(zone_count(out.get()), "none");
  EXPECT_EQ(element.warning_text(), "");
}

TEST_F(SightAnalytics, AFileThatIsWrongWhileFramesComeChangesNothing) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  element.through(frame_of({{1, {50, 30}}}, 0));
  std::ofstream(path("b.ini")) << "[property]\n[line-crossing]\nline-crossing-door = 0;0.5\n";
  for (const auto& [file, complaint] :
       {std::pair(path("b.ini"), std::string("b.ini:3")), std::pair(path("c.ini"), path("c.ini")),
        std::pair(std::string(), std::string("config-file is not set"))}) {
    g_object_set(element.element(), "config-file", file.c_str(), nullptr);
    EXPECT_THAT(element.warning_text(),
                AllOf(HasSubstr(complaint), HasSubstr(path() + " said before goes on to hold")));
    gchar* holds = nullptr;
    g_object_get(element.element(), "config-file", &holds, nullptr);
    EXPECT_EQ(holds, path());
    g_free(holds);
  }
  EXPECT_EQ(line_count(element.through(frame_of({{1, {50, 70}}}, 100 * GST_MSECOND)).get()),
            "1 in, 0 out");
  EXPECT_EQ(element.error_text(), "");
}

// One thread sets the file again and again while frames pass in another.
TEST_F(SightAnalytics, FilesMayBeSetAtAnyMoment) {
  const std::string two_lines =
      "[property]\n[line-crossing]\nline-crossing-door = 0;0.5; 1;0.5\nline-crossing-b = 0;0.2; "
      "1;0.2\n";
  std::ofstream(path("b.ini")) << two_lines;
  Element element(analytics());
  element.set_caps(kElsewhere);
  std::atomic<bool> done = false;
  std::jthread setter([&] {
    for (int i = 0; !done; ++i)
      g_object_set(element.element(), "config-file", path(i % 2 == 0 ? "b.ini" : "a.ini").c_str(),
                   nullptr);
  });
  Ptr<GstBuffer> out;
  for (guint i = 0; i < 300; ++i) {
    out = element.through(frame_of({{1, {50, i % 2 == 0 ? 30.0f : 70.0f}}}, i * 10 * GST_MSECOND));
    ASSERT_NE(out, nullptr) << element.error_text();
  }
  done = true;
  setter.join();
  EXPECT_EQ(line_count(out.get()), "150 in, 149 out") << "each crossing once";
}

TEST_F(SightAnalytics, LeavesPixelsAndSharedBuffersAsTheyAre) {
  Element element(analytics());
  element.set_caps(video_caps("RGB", 200, 100));
  Ptr<GstBuffer> in = make_buffer(video_info("RGB", 200, 100), 7);
  add_places(in, {{1, {50, 30}}});
  sight_frame_seal(sight_buffer_get_frame(in.get()));
  const Ptr<GstBuffer> kept(gst_buffer_ref(in.get()));
  const GstMemory* memory = gst_buffer_peek_memory(kept.get(), 0);
  const Ptr<GstBuffer> out = element.through(std::move(in));
  EXPECT_EQ(gst_buffer_peek_memory(out.get(), 0), memory);
  EXPECT_EQ(zone_count(out.get()), "1 now, 1 in, 0 out");
  EXPECT_EQ(zone_count(kept.get()), "none");
  EXPECT_EQ(sight_frame_get_user_data(sight_buffer_get_frame(kept.get()), "overlay"), nullptr);
}

TEST_F(SightAnalytics, FramesWithoutMetadataAreCountedToo) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  Ptr<GstBuffer> bare(gst_buffer_new());
  GST_BUFFER_PTS(bare.get()) = 0;
  EXPECT_EQ(line_count(element.through(std::move(bare)).get()), "0 in, 0 out");
}

// What the metadata accepts as a box may be as large as single precision.
TEST_F(SightAnalytics, HugeBoxesDoNoHarm) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  for (const SightBox& box : {SightBox{3e38f, 3e38f, 3e38f, 3e38f}, SightBox{-3e38f, 0, 3e38f, 0},
                              SightBox{0, -3e38f, 0, 3e38f}}) {
    Ptr<GstBuffer> buffer = frame_of({}, 0);
    sight_object_set_track(add_object(buffer, box), 5, nullptr);
    ASSERT_NE(element.through(std::move(buffer)), nullptr) << element.error_text();
  }
}

TEST_F(SightAnalytics, TwoInARowAddToEachOther) {
  std::ofstream(path("b.ini"))
      << "[property]\n[line-crossing]\nline-crossing-gate = 0.5;0; 0.5;1\n";
  Element element(analytics() + " ! sightanalytics config-file=" + path("b.ini"));
  element.set_caps(kElsewhere);
  element.through(frame_of({{1, {150, 30}}}, 0));
  const Ptr<GstBuffer> out = element.through(frame_of({{1, {50, 70}}}, 1));
  EXPECT_EQ(line_count(out.get(), "door") + "; " + line_count(out.get(), "gate"),
            "1 in, 0 out; 1 in, 0 out");
  EXPECT_TRUE(sight_object_has_crossed(object_of(out.get()), "door", nullptr));
  EXPECT_TRUE(sight_object_has_crossed(object_of(out.get()), "gate", nullptr));
}

TEST_F(SightAnalytics, JsonSaysTheSame) {
  Element element(analytics() + " ! sightjson location=" + path("events.jsonl"));
  element.set_caps(kElsewhere);
  element.through(frame_of({{7, {50, 30}}}, 0));
  element.through(frame_of({{7, {50, 70}}}, GST_SECOND));
  std::ifstream file(path("events.jsonl"));
  std::string line;
  std::getline(file, line);
  std::getline(file, line);
  const nlohmann::json read = nlohmann::json::parse(line);
  EXPECT_EQ(read["analytics"]["lines"][0],
            (nlohmann::json{{"name", "door"}, {"in", 1}, {"out", 0}}));
  EXPECT_EQ(read["objects"][0]["analytics"]["zones"][0],
            (nlohmann::json{{"name", "left"}, {"dwell", 1.0}}));
}

// --- drawing

void set_overlay(const Ptr<GstBuffer>& buffer, const char* structure) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, GST_TYPE_STRUCTURE);
  g_value_take_boxed(&value, gst_structure_from_string(structure, nullptr));
  SightFrame* frame = sight_buffer_edit_frame(buffer.get(), nullptr);
  ASSERT_TRUE(sight_frame_set_user_data(frame, "overlay", &value, nullptr));
  g_value_unset(&value);
}

std::string overlay_of(GstBuffer* buffer) {
  const GValue* value = sight_frame_get_user_data(sight_buffer_get_frame(buffer), "overlay");
  if (value == nullptr) return "none";
  gchar* text = gst_structure_to_string(gst_value_get_structure(value));
  std::string result(text);
  g_free(text);
  return result;
}

TEST_F(SightAnalytics, ShapesOfOthersStayAndOursFollow) {
  for (const char* before :
       {"line, points=<1,2,3,4>, label=(string)mine",
        "shapes, items=<(GstStructure)\"line\\,\\ points\\=<1,2,3,4>\\,\\ label\\=mine\\;\">",
        "shapes, items={(GstStructure)\"line\\,\\ points\\=<1,2,3,4>\\,\\ label\\=mine\\;\"}"}) {
    Element element(analytics());
    element.set_caps(kElsewhere);
    Ptr<GstBuffer> buffer = frame_of({}, 0);
    set_overlay(buffer, before);
    const std::string overlay = overlay_of(element.through(std::move(buffer)).get());
    EXPECT_THAT(overlay, AllOf(HasSubstr("mine"), HasSubstr("door"), HasSubstr("left"))) << before;
    EXPECT_LT(overlay.find("mine"), overlay.find("left"));
  }
}

TEST_F(SightAnalytics, AnOverlayThatIsNoneStaysAsItIs) {
  Element element(analytics());
  element.set_caps(kElsewhere);
  Ptr<GstBuffer> buffer = frame_of({}, 0);
  set_overlay(buffer, "shapes, items=5");
  EXPECT_EQ(overlay_of(element.through(std::move(buffer)).get()), "shapes, items=(int)5;");
}

TEST_F(SightAnalytics, DrawsNothingIfToldSo) {
  Element element(analytics(kGroups, "draw=false"));
  element.set_caps(kElsewhere);
  EXPECT_EQ(overlay_of(element.through(frame_of({}, 0)).get()), "none");
}

using Colors = std::set<std::vector<guint8>>;

// The colours that sightoverlay draws on a black picture of 400 × 200, without text.
Colors colors_drawn(const std::string& description, const Places& places) {
  Element element(description + " ! sightoverlay mode=blend show-boxes=false show-labels=false");
  const GstVideoInfo info = video_info("RGB", 400, 200);
  element.set_caps(video_caps("RGB", 400, 200));
  Ptr<GstBuffer> buffer = make_buffer(info);
  add_places(buffer, places);
  const Ptr<GstBuffer> out = element.through(std::move(buffer));
  EXPECT_EQ(element.warning_text(), "");
  Colors colors;
  const std::vector<guint8> bytes = bytes_of(out.get());
  for (int y = 0; y < 200; ++y)
    for (int x = 0; x < 400; ++x) {
      const auto pixel = bytes.begin() + y * info.stride[0] + 3 * x;
      colors.insert({pixel, pixel + 3});
    }
  return colors;
}

TEST_F(SightAnalytics, TheOverlayDrawsLinesAndZonesRedWhileOvercrowded) {
  const std::vector<guint8> line{0xff, 0xc8, 0}, zone{0, 0xb4, 0xff}, crowd{0xff, 0x20, 0x20};
  const std::string description = analytics(
      "[property]\n[line-crossing]\nline-crossing-door = 0.1;0.5; 0.9;0.5\n"
      "[overcrowding]\nroi-left = 0.1;0.1; 0.5;0.1; 0.5;0.9; 0.1;0.9\nobject-threshold = 0\n");
  const Colors quiet = colors_drawn(description, {});
  EXPECT_TRUE(quiet.contains(line));
  EXPECT_TRUE(quiet.contains(zone));
  EXPECT_FALSE(quiet.contains(crowd));
  const Colors crowded = colors_drawn(description, {{1, {100, 100}}});
  EXPECT_TRUE(crowded.contains(line));
  EXPECT_FALSE(crowded.contains(zone));
  EXPECT_TRUE(crowded.contains(crowd));
}

// The arrow goes from one point to the other, its head behind the second.
TEST_F(SightAnalytics, TheOverlayDrawsAnArrowForEachDirection) {
  Element element(
      analytics("[property]\n[direction-detection]\ndirection-east = 0.2;0.5; 0.8;0.5\n") +
      " ! sightoverlay mode=blend show-labels=false");
  const GstVideoInfo info = video_info("RGB", 400, 200);
  element.set_caps(video_caps("RGB", 400, 200));
  const Ptr<GstBuffer> out = element.through(make_buffer(info));
  EXPECT_EQ(element.warning_text(), "");
  const std::vector<guint8> bytes = bytes_of(out.get());
  const auto drawn = [&](int x, int y) {
    return bytes[static_cast<std::size_t>(y * info.stride[0] + 3 * x + 1)] > 128;
  };
  const auto column = [&](int x) {  // pixels of the arrow in it
    int count = 0;
    for (int y = 0; y < 200; ++y) count += drawn(x, y);
    return count;
  };
  EXPECT_TRUE(drawn(200, 100));
  EXPECT_FALSE(drawn(60, 100));
  EXPECT_FALSE(drawn(340, 100));
  EXPECT_GT(column(317), column(200)) << "the head";
  EXPECT_EQ(column(83), column(200)) << "no head at the tail";
}

// A line without ends is drawn to the edges of the picture.
TEST_F(SightAnalytics, AnExtendedLineIsDrawnFromEdgeToEdge) {
  Element element(analytics("[property]\n[line-crossing]\nline-crossing-door = 0.4;0.5; 0.6;0.5\n"
                            "extended = 1\n") +
                  " ! sightoverlay mode=blend show-labels=false");
  const GstVideoInfo info = video_info("RGB", 400, 200);
  element.set_caps(video_caps("RGB", 400, 200));
  const std::vector<guint8> bytes = bytes_of(element.through(make_buffer(info)).get());
  for (const int x : {0, 399})
    EXPECT_EQ(bytes[static_cast<std::size_t>(100 * info.stride[0] + 3 * x)], 0xff) << x;
}

// --- configuration

TEST_F(SightAnalytics, AConfigurationThatIsMissingOrWrongIsAnError) {
  EXPECT_THAT(start_error("sightanalytics"), HasSubstr("config-file is not set"));
  EXPECT_THAT(start_error("sightanalytics config-file=/nowhere.ini"),
              HasSubstr("/nowhere.ini: no such configuration file"));
  EXPECT_THAT(start_error(analytics("[line-crossing]\nline-crossing-a = 1\n")),
              HasSubstr("a.ini:2: line-crossing-a = 1"));
  EXPECT_THAT(start_error(analytics("[line-crossing]\nline-crossing-a = 0;0;1;1\nmood = any\n")),
              AllOf(HasSubstr("a.ini:3: mood: no such key"), HasSubstr("Did you mean mode?")));
}

TEST_F(SightAnalytics, NamesThatAreNotUtf8AreRepaired) {
  Element element(analytics("[line-crossing]\nline-crossing-t\xfcr = 0;0.5;1;0.5\n"));
  element.set_caps(kElsewhere);
  element.through(frame_of({{1, {50, 30}}}, 0));
  const Ptr<GstBuffer> out = element.through(frame_of({{1, {50, 70}}}, 1));
  EXPECT_EQ(line_count(out.get(), "t\uFFFDr"), "1 in, 0 out");
  EXPECT_THAT(messages(element), ElementsAre(HasSubstr("crossed")));
}

}  // namespace
}  // namespace sightline::testing
