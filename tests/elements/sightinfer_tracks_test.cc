// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightinfer on objects that have tracks. The network tells the mean of each colour of what it
// sees, and each frame has a level of its own, so a result tells from which frame it is.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../engine/networks.h"
#include "harness.h"
#include "meta/track_data.h"
#include "stage/attach.h"

namespace sightline {
namespace {

using test::TemporaryFolder;
using testing::Element;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Ptr;
using testing::start_error;

constexpr int kWidth = 64, kHeight = 48;
constexpr guint kStage = 5;

struct Seen {
  std::uint64_t track;
  SightBox box{8, 8, 16, 16};
  bool predicted = false;
};

class SightInferTracks : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    onnx::Builder network("mean");
    network.input("image", ElementType::kFloat32, {-1, 3, 16, 16});
    network.output("mean", ElementType::kFloat32, {-1, 3, 1, 1});
    network.node("GlobalAveragePool", {"image"}, {"mean"});
    folder_.write("mean.onnx", network.file());
  }

  std::string description(const std::string& keys) {
    const std::string config =
        folder_
            .write("mean.ini",
                   "[property]\nonnx-file = mean.onnx\nmodel-family = raw\nprocess-mode = "
                   "secondary\nengine-workers = 2\nengine-threads = 1\n" +
                       keys)
            .string();
    return "sightinfer name=stage config-file=" + config + " unique-id=" + std::to_string(kStage) +
           " ";
  }

  void open(const std::string& keys, const std::string& properties = "") {
    element_ = std::make_unique<Element>(
        description(keys) + "max-in-flight=" + std::to_string(GetParam()) + " " + properties);
    element_->set_caps(testing::video_caps("GRAY8", kWidth, kHeight));
    items_before_ = stat("items");
    frames_ = 0;
  }

  guint64 stat(const char* name) {
    const Ptr<GstElement> stage(gst_bin_get_by_name(GST_BIN(element_->get()->element), "stage"));
    GstStructure* stats = nullptr;
    g_object_get(stage.get(), "stats", &stats, nullptr);
    guint64 value = 0;
    EXPECT_TRUE(gst_structure_get_uint64(stats, name, &value)) << name;
    gst_structure_free(stats);
    return value;
  }
  // How often the network ran since open(), as the engine counts it.
  guint64 runs() { return stat("items") - items_before_; }

  // A frame of `stream` with these objects; `paint` may change its pixels.
  Ptr<GstBuffer> frame(const std::string& stream, guint64 number, int level,
                       const std::vector<Seen>& objects,
                       const std::function<int(int x, int y)>& paint = nullptr) {
    Ptr<GstBuffer> buffer =
        testing::make_buffer(testing::video_info("GRAY8", kWidth, kHeight), level);
    if (paint) {
      GstMapInfo map;
      gst_buffer_map(buffer.get(), &map, GST_MAP_WRITE);
      for (int y = 0; y < kHeight; ++y)
        for (int x = 0; x < kWidth; ++x)
          map.data[y * kWidth + x] = static_cast<guint8>(paint(x, y));
      gst_buffer_unmap(buffer.get(), &map);
    }
    SightFrame* results = sight_buffer_edit_frame(buffer.get(), nullptr);
    sight_frame_set_stream(results, stream.c_str(), number, nullptr);
    for (const Seen& seen : objects) {
      SightObject* object = testing::add_object(buffer, seen.box);
      sight_object_set_track(object, seen.track, nullptr);
      set_track_data(object, {.state = "confirmed", .predicted = seen.predicted});
    }
    return buffer;
  }

  void push(Ptr<GstBuffer> buffer) { ASSERT_EQ(element_->push(std::move(buffer)), GST_FLOW_OK); }
  // The next frame of stream "door"; its level is ten times its number.
  void push(const std::vector<Seen>& objects) {
    push(frame("door", frames_, static_cast<int>(10 * frames_), objects));
    ++frames_;
  }
  Ptr<GstBuffer> pull() { return Ptr<GstBuffer>(gst_harness_pull(element_->get())); }

  struct Result {
    float level = -1;  // -1: none
    std::optional<std::uint64_t> from;
    friend bool operator==(const Result&, const Result&) = default;
    friend void PrintTo(const Result& it, std::ostream* to) {
      *to << it.level << " from " << (it.from ? std::to_string(*it.from) : "itself");
    }
  };
  static Result result(GstBuffer* buffer, guint index = 0) {
    const SightObject* object = sight_frame_get_object(sight_buffer_get_frame(buffer), index);
    const SightTensor* tensor = sight_object_find_tensor(object, "mean");
    gsize count = 0;
    return {tensor == nullptr ? -1 : sight_tensor_get_floats(tensor, &count, nullptr)[0],
            taken_over_from(object, kStage)};
  }
  // The first object's result in each of `count` frames.
  std::vector<Result> pull_results(int count) {
    std::vector<Result> results;
    for (int i = 0; i < count; ++i) results.push_back(result(pull().get()));
    return results;
  }

  TemporaryFolder folder_;
  std::unique_ptr<Element> element_;
  guint64 items_before_ = 0;
  guint64 frames_ = 0;
};

TEST_P(SightInferTracks, EachFrameIsLookedAtUnlessAskedOtherwise) {
  for (const char* properties : {"", "secondary-reinfer-interval=0"}) {
    open(*properties == '\0' ? "" : "secondary-reinfer-interval = 5\n", properties);
    for (int i = 0; i < 4; ++i) push({{1}});
    EXPECT_THAT(pull_results(4),
                ElementsAre(Result{0, {}}, Result{10, {}}, Result{20, {}}, Result{30, {}}));
    EXPECT_EQ(runs(), 4u);
    EXPECT_EQ(stat("objects-taken-over"), 0u);
  }
}

TEST_P(SightInferTracks, ResultsAreTakenOverUntilTheIntervalHasPassed) {
  open("secondary-reinfer-interval = 3\n");
  for (int i = 0; i < 9; ++i) push({{1}});
  EXPECT_THAT(pull_results(9),
              ElementsAre(Result{0, {}}, Result{0, 0}, Result{0, 0}, Result{0, 0}, Result{40, {}},
                          Result{40, 4}, Result{40, 4}, Result{40, 4}, Result{80, {}}));
  EXPECT_EQ(runs(), 3u);
  EXPECT_EQ(stat("objects"), 9u);
  EXPECT_EQ(stat("objects-looked-at"), 3u);
  EXPECT_EQ(stat("objects-taken-over"), 6u);
}

TEST_P(SightInferTracks, WhatNobodySawTakesOverAndIsNotLookedAt) {
  open("secondary-reinfer-interval = 1\n");
  const SightBox box{8, 8, 16, 16}, larger{4, 4, 32, 32};
  push({{1, box, true}});  // nothing to take over yet
  push({{1, box}});
  for (int i = 0; i < 4; ++i) push({{1, larger, true}});  // too long ago, and larger
  push({{1, box}});
  EXPECT_THAT(pull_results(7),
              ElementsAre(Result{-1, {}}, Result{10, {}}, Result{10, 1}, Result{10, 1},
                          Result{10, 1}, Result{10, 1}, Result{60, {}}));
  EXPECT_EQ(runs(), 2u);
}

TEST_P(SightInferTracks, WhatNobodySawIsPassedOverWhereNothingIsTakenOver) {
  open("");
  push({{1}});
  push({{1, {8, 8, 16, 16}, true}});
  EXPECT_THAT(pull_results(2), ElementsAre(Result{0, {}}, Result{-1, {}}));
}

TEST_P(SightInferTracks, WhatNobodySawIsLookedAtIfAskedFor) {
  open("look-at-predicted = 1\nsecondary-reinfer-interval = 1\n");
  for (int i = 0; i < 3; ++i) push({{1, {8, 8, 16, 16}, true}});
  EXPECT_THAT(pull_results(3), ElementsAre(Result{0, {}}, Result{0, 0}, Result{20, {}}));
}

TEST_P(SightInferTracks, ThePropertyIsAboveTheConfiguration) {
  open("secondary-reinfer-interval = 1\n", "secondary-reinfer-interval=100");
  for (int i = 0; i < 9; ++i) push({{1}});
  pull_results(9);
  EXPECT_EQ(runs(), 1u);
}

TEST_P(SightInferTracks, AnObjectWithoutATrackIsLookedAtEachTime) {
  open("secondary-reinfer-interval = 100\n");
  for (int i = 0; i < 3; ++i) {
    Ptr<GstBuffer> buffer = frame("door", static_cast<guint64>(i), 10 * i, {});
    testing::add_object(buffer, {8, 8, 16, 16});
    push(std::move(buffer));
  }
  EXPECT_THAT(pull_results(3), ElementsAre(Result{0, {}}, Result{10, {}}, Result{20, {}}));
}

TEST_P(SightInferTracks, ALargerViewIsLookedAt) {
  open("secondary-reinfer-interval = 100\n");
  for (const float side : {16.0f, 17.0f, 17.6f, 18.0f, 20.0f})
    push({{1, {8, 8, side, side}}});  // 1.13, 1.21 times the area; 1.05, 1.29 times that
  EXPECT_THAT(pull_results(5), ElementsAre(Result{0, {}}, Result{0, 0}, Result{20, {}},
                                           Result{20, 2}, Result{40, {}}));
}

TEST_P(SightInferTracks, ASharperViewIsLookedAtAndADarkerOneIsNot) {
  open("secondary-reinfer-interval = 100\n");
  const auto stripes = [](int period, int amplitude) {
    return [=](int x, int) { return 100 + (x / (period / 2) % 2 == 0 ? amplitude : -amplitude); };
  };
  push(frame("door", 0, 0, {{1}}, stripes(8, 80)));
  push(frame("door", 1, 0, {{1}}, stripes(8, 20)));  // less contrast
  push(frame("door", 2, 0, {{1}}, stripes(2, 20)));  // finer
  std::vector<std::optional<std::uint64_t>> from;
  for (const Result& found : pull_results(3)) from.push_back(found.from);
  EXPECT_THAT(from, ElementsAre(std::nullopt, 0u, std::nullopt));
}

TEST_P(SightInferTracks, StreamsBehindAFunnelDoNotShareTracks) {
  open("secondary-reinfer-interval = 100\n");
  for (guint64 i = 0; i < 3; ++i) {
    push(frame("door", i, static_cast<int>(50 + i), {{1}}));
    push(frame("hall", i, static_cast<int>(150 + i), {{1}}));
  }
  EXPECT_THAT(pull_results(6), ElementsAre(Result{50, {}}, Result{150, {}}, Result{50, 0},
                                           Result{150, 0}, Result{50, 0}, Result{150, 0}));
}

TEST_P(SightInferTracks, AFlushAndTheEndOfAStreamForget) {
  open("secondary-reinfer-interval = 100\n");
  push({{1}}), push({{1}});
  pull_results(2);
  gst_harness_push_event(element_->get(), gst_event_new_flush_start());
  gst_harness_push_event(element_->get(), gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(element_->get(), gst_event_new_segment(&segment));
  push({{1}}), push({{1}});
  EXPECT_THAT(pull_results(2), ElementsAre(Result{20, {}}, Result{20, 2}));
}

TEST_P(SightInferTracks, SeveralTracksOfAFrameAreApart) {
  open("secondary-reinfer-interval = 100\n");
  push({{1}});
  push({{2}, {1}});
  push({{1}, {3}, {2}});
  pull();
  const Ptr<GstBuffer> second = pull();
  EXPECT_EQ(result(second.get(), 0), (Result{10, {}}));
  EXPECT_EQ(result(second.get(), 1), (Result{0, 0}));
  const Ptr<GstBuffer> third = pull();
  EXPECT_EQ(result(third.get(), 0), (Result{0, 0}));
  EXPECT_EQ(result(third.get(), 1), (Result{20, {}}));
  EXPECT_EQ(result(third.get(), 2), (Result{10, 1}));
  EXPECT_EQ(runs(), 3u);
}

TEST_P(SightInferTracks, ATensorThatIsTakenOverIsShared) {
  open("secondary-reinfer-interval = 100\n");
  push({{1}}), push({{1}}), push({{1}});
  pull();
  const Ptr<GstBuffer> second = pull(), third = pull();
  const auto data = [](GstBuffer* buffer) {
    gsize size = 0;
    return sight_tensor_get_data(
        sight_object_find_tensor(sight_frame_get_object(sight_buffer_get_frame(buffer), 0), "mean"),
        &size, nullptr);
  };
  EXPECT_EQ(data(second.get()), data(third.get()));
}

TEST(SightInferTracksConfiguration, OnlyResultsThatHoldElsewhereAreTakenOver) {
  TemporaryFolder folder;
  onnx::Builder network("mean");
  network.input("image", ElementType::kFloat32, {-1, 3, 16, 16});
  network.output("mean", ElementType::kFloat32, {-1, 3, 1, 1});
  network.node("GlobalAveragePool", {"image"}, {"mean"});
  folder.write("mean.onnx", network.file());
  const auto config = [&](const std::string& keys) {
    return folder.write("mean.ini", "[property]\nonnx-file = mean.onnx\n" + keys).string();
  };
  EXPECT_THAT(start_error("sightinfer config-file=" +
                          config("model-family = raw\nsecondary-reinfer-interval = 3\n")),
              HasSubstr("mean.ini:4: secondary-reinfer-interval = 3: results of whole frames"));
  EXPECT_THAT(start_error("sightinfer secondary-reinfer-interval=3 config-file=" +
                          config("model-family = raw\n")),
              HasSubstr("the property secondary-reinfer-interval"));
}

INSTANTIATE_TEST_SUITE_P(Window, SightInferTracks, ::testing::Values(1, 4));

}  // namespace
}  // namespace sightline
