// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../meta/event_lines.h"
#include "harness.h"

namespace sightline::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class SightJson : public ::testing::Test {
 protected:
  SightJson() {
    char name[] = "/tmp/sightjson-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~SightJson() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name = "events.jsonl") const { return folder_ / name; }
  std::string writer(const std::string& properties = "") const {
    return "sightjson location=" + path() + " " + properties;
  }
  std::string text() const {
    std::ifstream file(path());
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // Every line of the file, which must end in a line feed.
  std::vector<json> lines() const {
    std::vector<json> result;
    const std::string all = text();
    EXPECT_TRUE(all.empty() || all.back() == '\n');
    std::istringstream stream(all);
    for (std::string line; std::getline(stream, line);)
      result.push_back(json::parse(keep_line(line)));
    return result;
  }

  std::filesystem::path folder_;
};

Ptr<GstBuffer> frame_with(int objects, GstClockTime pts = 0) {
  Ptr<GstBuffer> buffer = make_buffer(video_info("RGB", 64, 48));
  for (int i = 0; i < objects; ++i) add_object(buffer, {1, 2, 3, 4}, "a \"quoted\" \n label", i);
  GST_BUFFER_PTS(buffer.get()) = pts;
  return buffer;
}

TEST_F(SightJson, WritesALineAFrameAtOnce) {
  Element element(writer());
  element.set_caps(video_caps("RGB", 64, 48));
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(element.push(frame_with(i, static_cast<GstClockTime>(i) * 40)), GST_FLOW_OK);
    ASSERT_EQ(lines().size(), static_cast<std::size_t>(i) + 1);
  }
  const auto all = lines();
  for (int i = 0; i < 3; ++i) {
    const json& line = all[static_cast<std::size_t>(i)];
    EXPECT_EQ(line["frame"], i);
    EXPECT_EQ(line["pts"], i * 40);
    EXPECT_EQ(line["width"], 64);
    EXPECT_EQ(line["height"], 48);
    EXPECT_FALSE(line["stream"].get<std::string>().empty());
    EXPECT_EQ(line["objects"].size(), static_cast<std::size_t>(i));
  }
  EXPECT_EQ(all[1]["objects"][0]["box"], json({1, 2, 3, 4}));
  EXPECT_EQ(all[1]["objects"][0]["label"], "a \"quoted\" \n label");
}

TEST_F(SightJson, FramesWithoutResultsGetALineFromTheCaps) {
  Element element(writer());
  element.set_caps("video/x-raw(memory:Elsewhere),format=NV12,width=320,height=240,framerate=30/1");
  for (int i = 0; i < 2; ++i) {
    Ptr<GstBuffer> buffer(gst_buffer_new());
    GstBuffer* const pushed = buffer.get();
    const Ptr<GstBuffer> out = element.through(std::move(buffer));
    EXPECT_EQ(out.get(), pushed);
    EXPECT_EQ(sight_buffer_get_frame(out.get()), nullptr);  // it only looks
  }
  const auto all = lines();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1]["frame"], 1);
  EXPECT_EQ(all[1]["width"], 320);
  EXPECT_EQ(all[1]["height"], 240);
  EXPECT_FALSE(all[1].contains("pts"));
  EXPECT_EQ(all[1]["objects"], json::array());
}

TEST_F(SightJson, StreamAndNumberOfTheFrameAreKept) {
  Element element(writer());
  element.set_caps(video_caps("RGB", 64, 48));
  Ptr<GstBuffer> buffer = frame_with(1);
  sight_frame_set_stream(sight_buffer_edit_frame(buffer.get(), nullptr), "door", 41, nullptr);
  element.push(std::move(buffer));
  EXPECT_EQ(lines()[0]["stream"], "door");
  EXPECT_EQ(lines()[0]["frame"], 41);
}

TEST_F(SightJson, SkipsEmptyFramesIfAsked) {
  Element element(writer("skip-empty=true"));
  element.set_caps(video_caps("RGB", 64, 48));
  for (const int objects : {0, 1, 0, 2}) element.push(frame_with(objects));
  const auto all = lines();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0]["frame"], 1);
  EXPECT_EQ(all[1]["frame"], 3);
}

TEST_F(SightJson, PostsMessagesIfAsked) {
  Element element("sightjson post-messages=true");
  element.set_caps(video_caps("RGB", 64, 48));
  element.push(frame_with(2));
  const Ptr<GstMessage> message = element.message(GST_MESSAGE_ELEMENT);
  ASSERT_NE(message, nullptr);
  const GstStructure* structure = gst_message_get_structure(message.get());
  EXPECT_TRUE(gst_structure_has_name(structure, "sightjson"));
  EXPECT_EQ(json::parse(gst_structure_get_string(structure, "line"))["objects"].size(), 2u);
}

TEST_F(SightJson, ReplacesOrAppends) {
  for (const bool append : {false, true, false}) {
    std::ofstream(path(), std::ios::app) << "{\"half\":";
    Element element(writer(append ? "append=true" : ""));
    element.set_caps(video_caps("RGB", 64, 48));
    element.push(frame_with(1));
    element.push(frame_with(1));
    std::string all = text();
    if (append) {
      const std::size_t half = all.find("{\"half\":\n");  // ended, so that our lines are whole
      ASSERT_NE(half, std::string::npos) << all;
      EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 2 + 1 + 2);
    } else {
      EXPECT_EQ(lines().size(), 2u);
    }
  }
}

TEST_F(SightJson, AllLinesAreThereAtEosAndAfterASeekItGoesOn) {
  Element element(writer());
  element.set_caps(video_caps("RGB", 64, 48));
  for (int i = 0; i < 100; ++i) element.push(frame_with(1));
  gst_harness_push_event(element.get(), gst_event_new_eos());
  EXPECT_EQ(lines().size(), 100u);
  gst_harness_push_event(element.get(), gst_event_new_flush_start());
  gst_harness_push_event(element.get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(element.get(), gst_event_new_segment(&segment));
  EXPECT_EQ(element.push(frame_with(1)), GST_FLOW_OK);
  EXPECT_EQ(lines().size(), 101u);
}

TEST_F(SightJson, AFullDeviceIsAnError) {
  Element element("sightjson location=/dev/full");
  element.set_caps(video_caps("RGB", 64, 48));
  EXPECT_EQ(element.push(frame_with(1)), GST_FLOW_ERROR);
  const std::string text = element.error_text();
  EXPECT_THAT(text, HasSubstr("/dev/full"));
  EXPECT_THAT(text, HasSubstr("No space left on device"));
}

TEST_F(SightJson, WhatDoesNotFitIsTakenBackAndFinishedLinesStayWhole) {
  Element element(writer());
  element.set_caps(video_caps("RGB", 64, 48));
  ASSERT_EQ(element.push(frame_with(1)), GST_FLOW_OK);
  const std::size_t one = text().size();

  // A file may not grow beyond two and a half lines: the third is written in part, then refused.
  struct rlimit before {};
  getrlimit(RLIMIT_FSIZE, &before);
  const struct rlimit tight { one * 5 / 2, before.rlim_max };
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &tight);
  GstFlowReturn flow = GST_FLOW_OK;
  for (int i = 0; i < 3 && flow == GST_FLOW_OK; ++i) flow = element.push(frame_with(1));
  setrlimit(RLIMIT_FSIZE, &before);

  EXPECT_EQ(flow, GST_FLOW_ERROR);
  EXPECT_THAT(element.error_text(), HasSubstr(path()));
  EXPECT_EQ(lines().size(), 2u);
}

TEST_F(SightJson, AReaderThatGoesAwayIsAnErrorAndNoSignal) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  Element element("sightjson location=" + path("pipe"));
  element.set_caps(video_caps("RGB", 64, 48));
  ASSERT_EQ(element.push(frame_with(1)), GST_FLOW_OK);
  ::close(reader);
  EXPECT_EQ(element.push(frame_with(1)), GST_FLOW_ERROR);
  EXPECT_THAT(element.error_text(), HasSubstr("reader has gone away"));
}

TEST_F(SightJson, WhatCannotBeOpenedIsAnErrorThatNamesIt) {
  EXPECT_THAT(start_error("sightjson location=" + path("no/such/folder")),
              HasSubstr(path("no/such/folder") + "\": No such file or directory"));
  EXPECT_THAT(start_error("sightjson location=" + folder_.string()), HasSubstr("Is a directory"));
  EXPECT_THAT(start_error("sightjson"), HasSubstr("location=events.jsonl"));
}

TEST_F(SightJson, ARealPipelineWritesEveryFrame) {
  const std::string description =
      "videotestsrc num-buffers=30 ! " + writer() + " ! sightoverlay ! fakesink";
  const Ptr<GstElement> pipeline(gst_parse_launch(description.c_str(), nullptr));
  ASSERT_NE(pipeline, nullptr);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const Ptr<GstBus> bus(gst_element_get_bus(pipeline.get()));
  const Ptr<GstMessage> end(
      gst_bus_timed_pop_filtered(bus.get(), 20 * GST_SECOND,
                                 static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  ASSERT_NE(end, nullptr);
  EXPECT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
  EXPECT_EQ(lines().size(), 30u);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
}

}  // namespace
}  // namespace sightline::testing
