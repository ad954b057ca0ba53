// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What was written comes back onto the frames: the same line, the right frame, or a clear error.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../meta/every_result.h"
#include "harness.h"
#include "meta/frame.h"
#include "meta/frame_meta.h"
#include "meta/json.h"

namespace sightline::testing {
namespace {

using ::testing::HasSubstr;

class SightReplay : public ::testing::Test {
 protected:
  SightReplay() {
    char name[] = "/tmp/sightreplay-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~SightReplay() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name = "events.jsonl") const { return folder_ / name; }
  std::string element(const std::string& properties = "") const {
    return "sightreplay location=" + path() + " " + properties;
  }
  void write(const std::string& text) const { std::ofstream(path()) << text; }
  static std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::filesystem::path folder_;
};

std::string line(int number, long pts, const std::string& label, const std::string& stream = "a") {
  return R"({"stream":")" + stream + R"(","frame":)" + std::to_string(number) +
         (pts < 0 ? "" : R"(,"pts":)" + std::to_string(pts)) +
         R"(,"width":64,"height":48,"objects":[{"id":)" + std::to_string(number + 1) +
         R"(,"label":")" + label + R"(","confidence":0.5,"box":[1.0,2.0,3.0,4.0]}]})" + "\n";
}

Ptr<GstBuffer> bare(GstClockTime pts) {
  Ptr<GstBuffer> buffer(gst_buffer_new());
  GST_BUFFER_PTS(buffer.get()) = pts;
  return buffer;
}

// The labels of the objects on a buffer.
std::string labels(const Ptr<GstBuffer>& buffer) {
  std::string text;
  const SightFrame* frame = buffer != nullptr ? sight_buffer_get_frame(buffer.get()) : nullptr;
  for (guint i = 0; frame != nullptr && i < sight_frame_get_n_objects(frame); ++i)
    text += std::string(sight_object_get_label(sight_frame_get_object(frame, i))) + ";";
  return text;
}

TEST_F(SightReplay, WhatWasWrittenIsWrittenAgainTheSame) {
  for (const std::string tensors : {"none", "base64", "array"}) {
    const std::string writer = "sightjson tensors=" + tensors + " location=";
    {
      Element json(writer + path());
      json.set_caps(video_caps("RGB", 640, 480));
      for (guint64 i = 0; i < 3; ++i) {
        const FrameHandle frame = frame_with_every_result();
        sight_frame_set_stream(frame.get(), "door", i, nullptr);
        Ptr<GstBuffer> buffer = bare(i * 40 * GST_MSECOND);
        add_frame(edit_frame(buffer.get()), *frame);
        ASSERT_EQ(json.push(std::move(buffer)), GST_FLOW_OK);
      }
    }
    Element replay(element() + "! " + writer + path("again.jsonl"));
    replay.set_caps(video_caps("RGB", 640, 480));
    for (guint64 i = 0; i < 3; ++i) ASSERT_EQ(replay.push(bare(i * 40 * GST_MSECOND)), GST_FLOW_OK);
    const std::string before = read(path());
    EXPECT_EQ(std::count(before.begin(), before.end(), '\n'), 3);
    EXPECT_EQ(read(path("again.jsonl")), before);
  }
}

TEST_F(SightReplay, FindsTheNearestLineInTime) {
  write(line(0, 0, "zero") + line(1, 33'333'333, "one") + line(2, 66'666'667, "two"));
  Element replay(element());
  replay.set_caps(video_caps("RGB", 64, 48));
  EXPECT_EQ(labels(replay.through(bare(33 * GST_MSECOND))), "one;") << "milliseconds, as in .mkv";
  EXPECT_EQ(labels(replay.through(bare(67 * GST_MSECOND))), "two;");
  EXPECT_EQ(labels(replay.through(bare(0))), "zero;") << "after a seek, too";
  EXPECT_EQ(labels(replay.through(bare(50 * GST_MSECOND))), "") << "too far from each";
  EXPECT_EQ(labels(replay.through(bare(GST_CLOCK_TIME_NONE))), "");
}

TEST_F(SightReplay, CountsFramesWhereLinesHaveNoTime) {
  write(line(2, -1, "two") + line(0, -1, "zero"));
  Element replay(element());
  replay.set_caps(video_caps("RGB", 64, 48));
  for (const char* expected : {"zero;", "", "two;", ""})
    EXPECT_EQ(labels(replay.through(bare(7))), expected);
}

TEST_F(SightReplay, TakesTheNumberThatAFrameHas) {
  write(line(5, 0, "five") + line(6, 40, "six"));
  Element replay(element("match=frame"));
  replay.set_caps(video_caps("RGB", 64, 48));
  Ptr<GstBuffer> buffer = bare(0);
  sight_frame_set_stream(sight_buffer_edit_frame(buffer.get(), nullptr), "a", 6, nullptr);
  EXPECT_EQ(labels(replay.through(std::move(buffer))), "six;");
}

TEST_F(SightReplay, TakesTheLinesOfTheFramesOwnStream) {
  write(line(0, 0, "of a", "a") + line(0, 0, "of b", "b"));
  Element replay(element());
  replay.set_caps(video_caps("RGB", 64, 48));
  for (const std::string stream : {"b", "a"}) {
    Ptr<GstBuffer> buffer = bare(0);
    sight_frame_set_stream(sight_buffer_edit_frame(buffer.get(), nullptr), stream.c_str(), 0,
                           nullptr);
    EXPECT_EQ(labels(replay.through(std::move(buffer))), "of " + stream + ";");
  }
  EXPECT_EQ(replay.push(bare(0)), GST_FLOW_ERROR) << "of neither";
  EXPECT_THAT(replay.error_text(),
              HasSubstr("It has \"a\", \"b\": choose one of them with stream="));
  Element chosen(element("stream=b"));
  chosen.set_caps(video_caps("RGB", 64, 48));
  EXPECT_EQ(labels(chosen.through(bare(0))), "of b;");
}

TEST_F(SightReplay, ScalesToTheFramesSize) {
  write(line(0, 0, "x"));
  Element replay(element("unique-id=7"));
  replay.set_caps(video_caps("RGB", 128, 48));
  const Ptr<GstBuffer> out = replay.through(bare(0));
  const SightFrame* frame = sight_buffer_get_frame(out.get());
  EXPECT_EQ(sight_frame_get_width(frame), 128u);
  const SightObject* object = sight_frame_get_object(frame, 0);
  EXPECT_EQ(sight_object_get_stage_id(object), 7u);
  SightBox box;
  sight_object_get_box(object, &box);
  EXPECT_FLOAT_EQ(box.x, 2);
  EXPECT_FLOAT_EQ(box.width, 6);
  EXPECT_FLOAT_EQ(box.y, 2);
}

TEST_F(SightReplay, AddsToWhatIsThereWithoutMixingIdsUp) {
  Ptr<GstBuffer> buffer = make_buffer(video_info("RGB", 64, 48));
  const guint64 taken = sight_object_get_id(add_object(buffer, {0, 0, 5, 5}, "there"));
  const std::string id = std::to_string(taken);
  write(R"({"frame":0,"pts":0,"width":64,"height":48,"objects":[{"id":)" + id +
        R"(,"label":"p","confidence":1,"box":[0,0,9,9]},{"id":)" + std::to_string(taken + 1) +
        R"(,"parent":)" + id + R"(,"label":"c","confidence":1,"box":[0,0,4,4]}]})");
  Element replay(element());
  replay.set_caps(video_caps("RGB", 64, 48));
  const Ptr<GstBuffer> out = replay.through(std::move(buffer));
  EXPECT_EQ(labels(out), "there;p;c;");
  const SightFrame* frame = sight_buffer_get_frame(out.get());
  const SightObject* parent = sight_frame_get_object(frame, 1);
  const SightObject* child = sight_frame_get_object(frame, 2);
  EXPECT_NE(sight_object_get_id(parent), taken);
  EXPECT_EQ(sight_object_get_id(child), taken + 1);
  EXPECT_EQ(sight_object_get_parent(child), sight_object_get_id(parent));
}

TEST_F(SightReplay, LateResultsAndBlankLinesArePassedOver) {
  std::string late = line(0, -1, "late");
  late.insert(1, R"("late":"track-ended",)");
  write(late + "\n" + line(0, 0, "x") + "\r\n");
  Element replay(element());
  replay.set_caps(video_caps("RGB", 64, 48));
  EXPECT_EQ(labels(replay.through(bare(0))), "x;");
}

TEST_F(SightReplay, WarnsIfNoFrameHasALine) {
  write(line(0, 5'000'000'000, "x"));
  Element replay(element());
  replay.set_caps(video_caps("RGB", 64, 48));
  replay.through(bare(0));
  gst_harness_push_event(replay.get(), gst_event_new_eos());
  EXPECT_THAT(replay.warning_text(), HasSubstr("no frame has a line in " + path() +
                                               ": its lines are of 0:00:05.000000000"));
}

TEST_F(SightReplay, ErrorsNameTheLine) {
  EXPECT_THAT(start_error(element()), HasSubstr(path() + " cannot be opened: No such file"));
  EXPECT_THAT(start_error("sightreplay"), HasSubstr("location=events.jsonl"));
  EXPECT_THAT(start_error("sightreplay location=" + folder_.string()),
              HasSubstr("is no regular file"));
  write(line(0, 0, "x") + "{\"frame\":\n");
  EXPECT_THAT(start_error(element()), HasSubstr(path() + ":2: is no JSON: "));
  write(line(0, 0, "x") + "\n" + R"({"frame":1,"width":4,"height":4,"objects":[{"id":1}]})");
  EXPECT_THAT(start_error(element()),
              HasSubstr(path() + ":3: objects[0]: the key \"box\" is missing"));
  write("{\"stream\":\"b\xff\"}\n");
  const std::string text = start_error(element());
  EXPECT_THAT(text, HasSubstr(path() + ":1: is no JSON: "));
  EXPECT_TRUE(g_utf8_validate(text.c_str(), -1, nullptr)) << text;
}

TEST_F(SightReplay, TwoLinesForOneFrameAreAnError) {
  write(line(3, 0, "x") + line(4, 40, "y") + line(3, 0, "z"));
  Element replay(element());
  replay.set_caps(video_caps("RGB", 64, 48));
  EXPECT_EQ(replay.push(bare(0)), GST_FLOW_ERROR);
  EXPECT_THAT(replay.error_text(),
              HasSubstr(path() + ":3: the line has the same frame 3 as line 1"));
}

TEST_F(SightReplay, AFileThatChangesMeanwhileIsAnError) {
  write(line(0, 0, "x") + line(1, 40, "y"));
  Element replay(element("tolerance=0"));
  replay.set_caps(video_caps("RGB", 64, 48));
  std::filesystem::resize_file(path(), 10);
  EXPECT_EQ(replay.push(bare(40)), GST_FLOW_ERROR);
  EXPECT_THAT(replay.error_text(), HasSubstr(path() + ":2: is no JSON"));
}

}  // namespace
}  // namespace sightline::testing
