// SPDX-License-Identifier: LGPL-2.1-or-later
//
// classifier-async-mode: frames go on at once, and every result comes later, once.

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../meta/event_lines.h"
#include "infer_fixture.h"
#include "stage/attach.h"

namespace sightline {
namespace {

using testing::Element;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Ptr;

class SightInferLate : public testing::InferTest, public ::testing::TestWithParam<int> {
 protected:
  static constexpr int kStage = 7;

  void open(const std::string& keys = "", const std::string& after = "") {
    element_ = std::make_unique<Element>(
        "sightinfer name=stage config-file=" +
        heavy_config("process-mode = 2\nclassifier-async-mode = 1\n" + keys) + " unique-id=" +
        std::to_string(kStage) + " max-in-flight=" + std::to_string(GetParam()) + after);
    element_->set_caps(caps(160, 160));
    if (after.empty()) items_before_ = items_of_engine();  // else there is no figure to ask for
  }

  static Ptr<GstBuffer> with_tracks(int level, guint64 number, const std::vector<guint64>& tracks,
                                    const std::string& stream = "door") {
    const auto value = static_cast<guint8>(level);
    Ptr<GstBuffer> buffer = frame(160, 160, value, value, value);
    SightFrame* edited = sight_buffer_edit_frame(buffer.get(), nullptr);
    sight_frame_set_size(edited, 160, 160, nullptr);
    sight_frame_set_stream(edited, stream.c_str(), number, nullptr);
    for (const guint64 track : tracks)
      sight_object_set_track(testing::add_object(buffer, {10, 10, 100, 100}, "car"), track,
                             nullptr);
    return buffer;
  }

  // From which frames the results on a frame's objects are.
  static std::vector<guint64> from(const Ptr<GstBuffer>& buffer) {
    std::vector<guint64> numbers;
    const SightFrame* frame = sight_buffer_get_frame(buffer.get());
    for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
      const SightObject* object = sight_frame_get_object(frame, i);
      if (sight_object_find_tensor(object, "mean") != nullptr)
        numbers.push_back(taken_over_from(object, kStage).value_or(sight_frame_get_number(frame)));
    }
    return numbers;
  }

  // The late results that are on the bus.
  std::vector<std::string> given_out() {
    std::vector<std::string> lines;
    while (const Ptr<GstMessage> message = element_->message(GST_MESSAGE_ELEMENT)) {
      const GstStructure* structure = gst_message_get_structure(message.get());
      if (gst_structure_has_name(structure, "sightline-late-result"))
        lines.emplace_back(keep_line(gst_structure_get_string(structure, "line")));
    }
    return lines;
  }

  // Of this stage: an engine of the test before may be the same, as long as its last batch runs.
  std::uint64_t items() { return items_of_engine() - items_before_; }
  std::uint64_t items_of_engine() { return figure<std::uint64_t>(element_->element(), "items"); }
  void end() { gst_harness_push_event(element_->get(), gst_event_new_eos()); }

  std::unique_ptr<Element> element_;
  std::uint64_t items_before_ = 0;
};

// The network is slower than the frames come. None waits, and each look is on one later frame, or
// given out at the end.
TEST_P(SightInferLate, NoResultIsLostAndNoneComesTwice) {
  open();
  std::multiset<guint64> looks;
  constexpr guint64 kFrames = 40;
  for (guint64 number = 0; number < kFrames; ++number) {
    ASSERT_EQ(element_->push(with_tracks(static_cast<int>(number), number, {1})), GST_FLOW_OK);
    const Ptr<GstBuffer> out = pull(*element_);
    for (const guint64 of : from(out)) {
      EXPECT_LT(of, number);
      looks.insert(of);
    }
    if (number % 8 == 7) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  // On a busy machine the first look may take longer than all that.
  guint64 number = kFrames;
  EXPECT_TRUE(testing::eventually([&] {
    if (!looks.empty()) return true;
    element_->push(with_tracks(static_cast<int>(number % 200), number, {1}));
    ++number;
    for (const guint64 of : from(pull(*element_))) looks.insert(of);
    return false;
  }));
  end();
  std::size_t left = 0;
  EXPECT_TRUE(testing::eventually([&] {
    left += given_out().size();
    return looks.size() + left == items();
  })) << looks.size()
      << " on frames, " << left << " given out, of " << items();
  EXPECT_EQ(std::set<guint64>(looks.begin(), looks.end()).size(), looks.size());
}

TEST_P(SightInferLate, WhatIsLeftAtTheEndIsGivenOut) {
  open();
  element_->push(with_tracks(50, 0, {1, 2}));
  element_->push(with_tracks(60, 1, {}));
  EXPECT_TRUE(from(pull(*element_)).empty());
  EXPECT_TRUE(from(pull(*element_)).empty());
  end();
  std::vector<std::string> lines;
  EXPECT_TRUE(testing::eventually([&] {
    for (std::string& line : given_out()) lines.push_back(std::move(line));
    return lines.size() == 2;
  }));
  EXPECT_EQ(items(), 2u);
  std::ranges::sort(lines);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr("\"late\":\"stream-ended\""));
  EXPECT_THAT(lines[0], HasSubstr("\"stream\":\"door\""));
  EXPECT_THAT(lines[0], HasSubstr("\"frame\":0"));
  EXPECT_THAT(lines[0] + lines[1], HasSubstr("\"track\":1"));
  EXPECT_THAT(lines[0] + lines[1], HasSubstr("\"track\":2"));
}

TEST_P(SightInferLate, ATrackThatEndsGivesItsResultOutWhileTheStreamGoesOn) {
  open();
  element_->push(with_tracks(50, 0, {1}));
  ASSERT_TRUE(testing::eventually([&] { return items() == 1; }));
  for (guint64 number = 1; number < 160; ++number) element_->push(with_tracks(60, number, {}));
  std::vector<std::string> lines;
  EXPECT_TRUE(testing::eventually([&] {
    for (std::string& line : given_out()) lines.push_back(std::move(line));
    return !lines.empty();
  }));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0], HasSubstr("\"late\":\"track-ended\""));
}

// Nothing says that a stream behind a funnel has ended, but that its frames stay away.
TEST_P(SightInferLate, AStreamThatVanishesGivesItsResultsOutWhileOthersGoOn) {
  open();
  element_->push(with_tracks(50, 0, {1, 2}, "door"));
  ASSERT_TRUE(testing::eventually([&] { return items() == 2; }));
  for (guint64 number = 0; number < 320; ++number)
    element_->push(with_tracks(60, number, {}, "yard"));
  std::vector<std::string> lines;
  EXPECT_TRUE(testing::eventually([&] {
    for (std::string& line : given_out()) lines.push_back(std::move(line));
    return lines.size() == 2;
  }));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], HasSubstr("\"late\":\"stream-ended\""));
  EXPECT_THAT(lines[0], HasSubstr("\"stream\":\"door\""));
}

// With no track there is no later frame.
TEST_P(SightInferLate, WhatHasNoTrackIsWaitedFor) {
  open();
  Ptr<GstBuffer> buffer = with_tracks(50, 0, {});
  testing::add_object(buffer, {10, 10, 100, 100}, "car");
  const Ptr<GstBuffer> out =
      element_->push(std::move(buffer)) == GST_FLOW_OK ? pull(*element_) : nullptr;
  const SightObject* object = sight_frame_get_object(sight_buffer_get_frame(out.get()), 0);
  EXPECT_NE(sight_object_find_tensor(object, "mean"), nullptr);
  EXPECT_FALSE(taken_over_from(object, kStage));
}

TEST_P(SightInferLate, WithAReinferIntervalTheResultStaysWithTheTrack) {
  open("secondary-reinfer-interval = 100000\n");
  guint64 number = 0;
  const auto next = [&] {
    element_->push(with_tracks(50, number++, {1}));
    return from(pull(*element_));
  };
  std::vector<guint64> numbers;
  ASSERT_TRUE(testing::eventually([&] { return !(numbers = next()).empty(); }));
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(numbers, ElementsAre(0));
    numbers = next();
  }
  EXPECT_EQ(items(), 1u);
}

TEST_P(SightInferLate, StreamsAreApart) {
  open();
  element_->push(with_tracks(50, 0, {1}, "a"));
  EXPECT_TRUE(from(pull(*element_)).empty());
  ASSERT_TRUE(testing::eventually([&] { return items() == 1; }));
  element_->push(with_tracks(90, 0, {1}, "b"));
  EXPECT_TRUE(from(pull(*element_)).empty());  // of b
  // What an engine has counted is with the stage a moment later.
  std::vector<guint64> numbers;
  guint64 number = 1;
  EXPECT_TRUE(testing::eventually([&] {
    element_->push(with_tracks(50, number++, {1}, "a"));
    return !(numbers = from(pull(*element_))).empty();
  }));
  EXPECT_THAT(numbers, ElementsAre(0));
}

TEST_P(SightInferLate, AFlushAndAStopDoNotWaitForWhatIsQueued) {
  open();
  for (guint64 number = 0; number < 4; ++number)
    element_->push(with_tracks(50, number, {1, 2, 3, 4, 5, 6, 7, 8}));
  gst_harness_push_event(element_->get(), gst_event_new_flush_start());
  gst_harness_push_event(element_->get(), gst_event_new_flush_stop(TRUE));
  element_.reset();
}

TEST_P(SightInferLate, TheJsonHasWhatNoFrameHad) {
  const std::string path = (folder_.path() / "events.jsonl").string();
  open("", " ! sightjson location=" + path);
  element_->push(with_tracks(50, 0, {9}));
  end();
  EXPECT_TRUE(testing::eventually([&] { return !given_out().empty(); }));
  element_.reset();
  std::ifstream file(path);
  std::string line, all;
  int late = 0;
  while (std::getline(file, line)) {
    late += line.starts_with("{\"late\":\"stream-ended\"") ? 1 : 0;
    all += line;
  }
  EXPECT_EQ(late, 1) << all;
  EXPECT_THAT(all, HasSubstr("\"track\":9"));
}

INSTANTIATE_TEST_SUITE_P(Window, SightInferLate, ::testing::Values(1, 4));

TEST(SightInferLateConfiguration, IsForResultsThatStayWithAnObject) {
  class Config : public testing::InferTest {
   public:
    using InferTest::config;
  } fixture;
  EXPECT_THAT(testing::start_error("sightinfer config-file=" +
                                   fixture.config("classifier-async-mode = 1\n")),
              HasSubstr("classifier-async-mode = 1: results of whole frames are of no track"));
}

}  // namespace
}  // namespace sightline
