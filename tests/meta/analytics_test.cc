// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What analytics leave on frames and objects: written, read back through the C API and as JSON.

#include "meta/analytics.h"

#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "meta/handles.h"
#include "sightline/analytics.h"

namespace sightline {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

json json_of(const FrameHandle& frame) {
  char* text = sight_frame_to_json(frame.get(), GST_CLOCK_TIME_NONE);
  json read = json::parse(text);
  g_free(text);
  return read;
}

SightObject* add_object(const FrameHandle& frame) {
  const SightBox box = {1, 2, 3, 4};
  return sight_frame_add_object(frame.get(), "person", 0, 0.5f, &box, 0, nullptr);
}

std::vector<std::string> taken(char** names) {
  std::vector<std::string> result;
  for (char** name = names; *name != nullptr; ++name) result.emplace_back(*name);
  g_strfreev(names);
  return result;
}

TEST(AnalyticsMeta, OfAFrameIsReadAsItWasWritten) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  add_report(frame.get(), {{{"door", 3, G_MAXUINT64}, {"gate", 0, 0}},
                           {{"queue", 4, 10, 6, true}, {"yard", 1, 2, 3, {}}}});
  EXPECT_THAT(taken(sight_frame_get_lines(frame.get())), ElementsAre("door", "gate"));
  EXPECT_THAT(taken(sight_frame_get_zones(frame.get())), ElementsAre("queue", "yard"));
  guint64 count = 0, in = 0, out = 0;
  gboolean overcrowded = FALSE;
  EXPECT_TRUE(sight_frame_get_line_count(frame.get(), "door", &in, &out));
  EXPECT_EQ(in, 3u);
  EXPECT_EQ(out, G_MAXUINT64);
  EXPECT_TRUE(sight_frame_get_zone_count(frame.get(), "queue", &count, &in, &out, &overcrowded));
  EXPECT_EQ(count, 4u);
  EXPECT_EQ(in, 10u);
  EXPECT_EQ(out, 6u);
  EXPECT_TRUE(overcrowded);
  EXPECT_TRUE(
      sight_frame_get_zone_count(frame.get(), "yard", nullptr, nullptr, nullptr, &overcrowded));
  EXPECT_FALSE(overcrowded);
  EXPECT_FALSE(sight_frame_get_zone_count(frame.get(), "door", &count, &in, &out, &overcrowded));
  EXPECT_EQ(count + in + out, 0u);
  EXPECT_FALSE(sight_frame_get_line_count(frame.get(), "queue", nullptr, nullptr));

  EXPECT_EQ(
      json_of(frame)["analytics"],
      json({{"lines",
             {{{"name", "door"}, {"in", 3}, {"out", G_MAXUINT64}},
              {{"name", "gate"}, {"in", 0}, {"out", 0}}}},
            {"zones",
             {{{"name", "queue"}, {"count", 4}, {"in", 10}, {"out", 6}, {"overcrowded", true}},
              {{"name", "yard"}, {"count", 1}, {"in", 2}, {"out", 3}}}}}));
}

TEST(AnalyticsMeta, OfAnObjectIsReadAsItWasWritten) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  SightObject* object = add_object(frame);
  add_report(object, {{{"queue", 2.5}, {"yard", {}}}, {{"door", true}, {"gate", false}}, "north"});
  gdouble dwell = 0;
  gboolean inwards = FALSE;
  EXPECT_TRUE(sight_object_is_in_zone(object, "queue", &dwell));
  EXPECT_EQ(dwell, 2.5);
  EXPECT_TRUE(sight_object_is_in_zone(object, "yard", &dwell));
  EXPECT_EQ(dwell, 0);
  EXPECT_FALSE(sight_object_is_in_zone(object, "door", nullptr));
  EXPECT_TRUE(sight_object_has_crossed(object, "door", &inwards));
  EXPECT_TRUE(inwards);
  EXPECT_TRUE(sight_object_has_crossed(object, "gate", &inwards));
  EXPECT_FALSE(inwards);
  EXPECT_FALSE(sight_object_has_crossed(object, "queue", nullptr));
  EXPECT_STREQ(sight_object_get_direction(object), "north");
  EXPECT_EQ(
      json_of(frame)["objects"][0]["analytics"],
      json({{"zones", {{{"name", "queue"}, {"dwell", 2.5}}, {{"name", "yard"}}}},
            {"crossed",
             {{{"line", "door"}, {"direction", "in"}}, {{"line", "gate"}, {"direction", "out"}}}},
            {"direction", "north"}}));
}

TEST(AnalyticsMeta, WhatIsAbsentIsLeftOut) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  SightObject* object = add_object(frame);
  EXPECT_THAT(taken(sight_frame_get_lines(frame.get())), IsEmpty());
  EXPECT_EQ(sight_object_get_direction(object), nullptr);
  EXPECT_FALSE(json_of(frame).contains("analytics"));
  add_report(frame.get(), {});
  add_report(object, {{}, {{"door", true}}, {}});
  EXPECT_FALSE(json_of(frame).contains("analytics"));
  EXPECT_EQ(json_of(frame)["objects"][0]["analytics"],
            json({{"crossed", {{{"line", "door"}, {"direction", "in"}}}}}));
}

TEST(AnalyticsMeta, OfTwoElementsIsOfBoth) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  SightObject* object = add_object(frame);
  add_report(frame.get(), {{{"door", 1, 2}}, {}});
  add_report(frame.get(), {{{"gate", 3, 4}}, {{"queue", 5, 6, 7, false}}});
  add_report(object, {{{"queue", 1.0}}, {}, {}});
  add_report(object, {{{"yard", 2.0}}, {}, "north"});
  EXPECT_THAT(taken(sight_frame_get_lines(frame.get())), ElementsAre("door", "gate"));
  EXPECT_TRUE(sight_object_is_in_zone(object, "queue", nullptr));
  EXPECT_TRUE(sight_object_is_in_zone(object, "yard", nullptr));
  EXPECT_STREQ(sight_object_get_direction(object), "north");
}

TEST(AnalyticsMeta, OfASealedFrameCannotChange) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  sight_frame_seal(frame.get());
  EXPECT_THROW(add_report(frame.get(), {}), Error);
}

TEST(AnalyticsMeta, NamesBecomeUtf8) {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  add_report(frame.get(), {{{"\xff", 1, 2}}, {}});
  EXPECT_THAT(taken(sight_frame_get_lines(frame.get())), ElementsAre("\uFFFD"));
}

// Whatever others put under this name is read as far as it fits, and JSON stays without null.
TEST(AnalyticsMeta, OfOthersIsReadAsFarAsItFits) {
  const char* const structures[] = {
      "x, lines=7",
      "x, lines=<1,\"a\">, zones=<(GstStructure)\"zone;\">, crossed=<(GstStructure)\"line;\">",
      "x, zones=<(GstStructure)\"zone\\,name\\=5\\,count\\=(string)many\\;\">, direction=3",
  };
  for (const char* text : structures) {
    auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
    SightObject* object = add_object(frame);
    GstStructure* structure = gst_structure_from_string(text, nullptr);
    ASSERT_NE(structure, nullptr) << text;
    GValue value = G_VALUE_INIT;
    g_value_init(&value, GST_TYPE_STRUCTURE);
    g_value_take_boxed(&value, structure);
    ASSERT_TRUE(sight_frame_set_user_data(frame.get(), kAnalyticsUserData, &value, nullptr));
    ASSERT_TRUE(sight_object_set_user_data(object, kAnalyticsUserData, &value, nullptr));
    g_value_unset(&value);
    EXPECT_EQ(json_of(frame).dump().find("null"), std::string::npos) << text;
    EXPECT_EQ(sight_object_get_direction(object), nullptr);
    add_report(frame.get(), {{{"door", 1, 2}}, {}});
    EXPECT_TRUE(sight_frame_get_line_count(frame.get(), "door", nullptr, nullptr)) << text;
  }
}

TEST(AnalyticsMeta, DwellThatIsNoNumberIsLeftOut) {
  for (const double wrong : {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(), -1.0, 1e300}) {
    auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
    add_report(add_object(frame), {{{"queue", wrong}}, {}, {}});
    EXPECT_EQ(json_of(frame)["objects"][0]["analytics"]["zones"][0], (json{{"name", "queue"}}));
  }
}

}  // namespace
}  // namespace sightline
