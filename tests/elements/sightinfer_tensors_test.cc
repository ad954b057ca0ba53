// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Tensors around networks: what goes in, what comes out, and stages that only make them.

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nvinfer_fixture.h"
#include "preprocess/reference.h"

namespace sightline {
namespace {

using testing::Element;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using testing::Ptr;
using testing::start_error;

class SightInferTensors : public testing::NvinferTest, public ::testing::Test {
 protected:
  // The buffer that leaves the last of these elements.
  static Ptr<GstBuffer> through(const std::string& description, Ptr<GstBuffer> buffer,
                                std::string* problem = nullptr) {
    Element element(description);
    element.set_caps(testing::video_caps("RGB", kWidth, kHeight));
    Ptr<GstBuffer> out = element.through(std::move(buffer));
    if (out == nullptr && problem != nullptr) *problem = element.error_text();
    return out;
  }
  static std::string infer(const std::string& file, int id, const std::string& properties = "") {
    return "sightinfer max-in-flight=1 unique-id=" + std::to_string(id) + " config-file=" + file +
           " " + properties;
  }
  static const SightFrame* frame_of(const Ptr<GstBuffer>& buffer) {
    return sight_buffer_get_frame(buffer.get());
  }
  static std::vector<float> values(const SightTensor* tensor) {
    gsize count = 0;
    const gfloat* floats = sight_tensor_get_floats(tensor, &count, nullptr);
    return floats == nullptr ? std::vector<float>{} : std::vector<float>(floats, floats + count);
  }
  static FrameView view_of(std::vector<std::uint8_t>& pixels) {
    for (int y = 0; y < kHeight; ++y)
      for (int x = 0; x < kWidth; ++x)
        for (int channel = 0; channel < 3; ++channel)
          pixels.push_back(static_cast<std::uint8_t>(std::max(pixel(x, y) - 15 * channel, 0)));
    return {PixelFormat::kRgb, {kWidth, kHeight}, {Plane{pixels.data(), kWidth * 3}}};
  }
  // What the scalar reference makes of a box of the scene.
  static std::vector<double> reference_of(const Rect& box, Placement placement, float pad) {
    std::vector<std::uint8_t> pixels;
    const FrameView view = view_of(pixels);
    TensorSpec spec;
    spec.size = {kSide, kSide};
    spec.pad_value = {pad, pad, pad};
    return reference::preprocess(view, Region::box(box, spec.size, placement), spec);
  }
  static void expect_equal(const std::vector<float>& found, const std::vector<double>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    // What pre-processing is tested to be within.
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 0.125) << i;
  }
};

TEST_F(SightInferTensors, WhatTheNetworkSawIsAttachedToFramesAndToEachObject) {
  const std::string keys = "model-family=raw\nmaintain-aspect-ratio=1\nattach-input-tensor=1\n";
  const Ptr<GstBuffer> whole = through(infer(config("mean", keys), 5), scene(0));
  expect_equal(values(sight_frame_find_tensor(frame_of(whole), "image")),
               reference_of({0, 0, kWidth, kHeight}, Placement::kLetterbox, 114));

  const Ptr<GstBuffer> crops =
      through(infer(config("mean", keys + "process-mode=2\n"), 5), scene(0));
  for (guint i = 0; i < sight_frame_get_n_objects(frame_of(crops)); ++i) {
    const SightObject* object = sight_frame_get_object(frame_of(crops), i);
    SightBox box;
    sight_object_get_box(object, &box);
    expect_equal(values(sight_object_find_tensor(object, "image")),
                 reference_of({box.x, box.y, box.width, box.height}, Placement::kLetterbox, 114));
    EXPECT_EQ(sight_tensor_get_stage_id(sight_object_find_tensor(object, "image")), 5u);
  }
  EXPECT_EQ(sight_frame_find_tensor(frame_of(crops), "image"), nullptr);
}

// Several streams share a stage, and each gets its own.
TEST_F(SightInferTensors, EachStreamGetsItsOwnInput) {
  Element element(infer(config("mean", "model-family=raw\nattach-input-tensor=1\n"), 5));
  element.set_caps(testing::video_caps("RGB", kWidth, kHeight));
  for (int i = 0; i < 6; ++i) {
    Ptr<GstBuffer> in = picture(i % 2 == 0 ? 0 : 30);
    sight_frame_set_stream(sight_buffer_edit_frame(in.get(), nullptr), i % 2 == 0 ? "a" : "b",
                           static_cast<guint64>(i / 2), nullptr);
    const Ptr<GstBuffer> out = element.through(std::move(in));
    const auto input = values(sight_frame_find_tensor(frame_of(out), "image"));
    const auto mean = values(sight_frame_find_tensor(frame_of(out), "mean"));
    double sum = 0;
    for (int p = 0; p < kSide * kSide; ++p) sum += input[static_cast<std::size_t>(p)];
    EXPECT_NEAR(sum / (kSide * kSide), mean.at(0), 0.01);
  }
}

TEST_F(SightInferTensors, OutputsNameStageLayerAndRow) {
  const Ptr<GstBuffer> out =
      through(infer(config("detector", "model-family=decoded-boxes\noutput-tensor-meta=1\n"), 7),
              picture());
  const SightFrame* frame = frame_of(out);
  for (const char* layer : {"scores", "boxes"}) {
    const SightTensor* tensor = sight_frame_find_tensor(frame, layer);
    ASSERT_NE(tensor, nullptr);
    EXPECT_EQ(sight_tensor_get_stage_id(tensor), 7u);
    EXPECT_STREQ(sight_tensor_get_name(tensor), layer);
    EXPECT_EQ(sight_tensor_get_row(tensor), -1);
  }
  ASSERT_GT(sight_frame_get_n_objects(frame), 0u);
  for (guint i = 0; i < sight_frame_get_n_objects(frame); ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    const SightTensor* boxes = sight_object_find_tensor(object, "boxes");
    ASSERT_NE(boxes, nullptr);
    const auto row = static_cast<std::size_t>(sight_tensor_get_row(boxes));
    const auto numbers = values(boxes);
    SightBox box;
    sight_object_get_box(object, &box);
    EXPECT_NEAR(box.x, numbers[4 * row] * kWidth, 1e-3);
    EXPECT_NEAR(box.y + box.height, numbers[4 * row + 3] * kHeight, 1e-3);
  }
}

// Of a batch each object gets its own slice, and it may be kept longer than the buffer.
TEST_F(SightInferTensors, EachObjectGetsItsSliceAndMayKeepIt) {
  std::vector<SightTensor*> kept;
  std::vector<std::vector<float>> then;
  {
    const Ptr<GstBuffer> out =
        through(infer(config("mean",
                             "model-family=classifier\noutput-blob-names=mean;largest\n"
                             "process-mode=2\nbatch-size=4\noutput-tensor-meta=1\n"),
                      5),
                scene(0));
    for (guint i = 0; i < 3; ++i) {
      const SightObject* object = sight_frame_get_object(frame_of(out), i);
      SightTensor* mean = sight_object_find_tensor(object, "mean");
      SightTensor* largest = sight_object_find_tensor(object, "largest");
      ASSERT_NE(mean, nullptr);
      ASSERT_NE(largest, nullptr);
      EXPECT_GT(values(largest).at(0), values(mean).at(0));
      kept.push_back(sight_tensor_ref(mean));
      then.push_back(values(mean));
    }
    EXPECT_NE(then[0], then[1]);
  }
  // Others use the engine meanwhile.
  through(infer(config("mean", "model-family=raw\n"), 5), scene(0));
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(values(kept[i]), then[i]);
    sight_tensor_unref(kept[i]);
  }
}

// A stage without a network and one that takes its tensors say what one stage says alone.
TEST_F(SightInferTensors, AStageThatMakesThemAndOneThatTakesThemAreOne) {
  for (const std::string mode : {"process-mode=1\n", "process-mode=2\n"})
    for (const std::string placement : {"", "maintain-aspect-ratio=1\nsymmetric-padding=1\n"})
      for (const std::string network : {"mean", "detector"}) {
        const std::string family =
            network == "mean" ? "model-family=raw\n" : "model-family=decoded-boxes\n";
        const std::string maker = bare_config(
            "maker.ini", "[property]\ninfer-dims=3;16;16\ntensor-name=face\n" + mode + placement);
        const std::string taker =
            config(network, family + mode +
                                "input-tensor-from-meta=1\ninput-tensor-name=face\n"
                                "input-tensor-gie-id=3\nclip-object-outside-roi=0\n");
        const Ptr<GstBuffer> both = through(infer(maker, 3) + " ! " + infer(taker, 5), scene(0));
        ASSERT_NE(both, nullptr);
        const Ptr<GstBuffer> one =
            through(infer(config(network, family + mode + placement), 5), scene(0));
        std::string expected = described(frame_of(one)), found = described(frame_of(both));
        for (auto at = found.find(" face#3"); at != std::string::npos; at = found.find(" face#3")) {
          const auto begin = found.rfind('\n', at) + 1;
          found.erase(begin, found.find('\n', at) + 1 - begin);
        }
        EXPECT_EQ(found, expected) << network << mode << placement;
      }
}

TEST_F(SightInferTensors, DetectionsAreCutToWhatTheirTensorShows) {
  const std::string maker =
      bare_config("maker.ini",
                  "[property]\ninfer-dims=3;16;16\ntensor-name=image\nprocess-mode=1\n"
                  "maintain-aspect-ratio=1\n");
  // The picture fills the upper 12 of 16 rows.
  const auto bottoms = [&](const std::string& clip) {
    const Ptr<GstBuffer> out = through(
        infer(maker, 3) + " ! " +
            infer(
                config("detector", "model-family=decoded-boxes\ninput-tensor-from-meta=1\n" + clip),
                5),
        picture());
    float bottom = 0;
    for (guint i = 0; i < sight_frame_get_n_objects(frame_of(out)); ++i) {
      SightBox box;
      sight_object_get_box(sight_frame_get_object(frame_of(out), i), &box);
      bottom = std::max(bottom, box.y + box.height);
    }
    return bottom;
  };
  EXPECT_NEAR(bottoms(""), kHeight, 1e-3);
  EXPECT_NEAR(bottoms("clip-object-outside-roi=0\n"), 0.9f * 64, 1e-3);
}

TEST_F(SightInferTensors, ATensorThatDoesNotFitIsNamed) {
  const std::string maker =
      bare_config("maker.ini", "[property]\ninfer-dims=3;8;8\ntensor-name=image\n");
  std::string problem;
  EXPECT_EQ(through(infer(maker, 3) + " ! " +
                        infer(config("mean", "model-family=raw\ninput-tensor-from-meta=1\n"), 5),
                    picture(), &problem),
            nullptr);
  EXPECT_THAT(problem, HasSubstr("\"image\" in the metadata is float32 [3,8,8], and the network's "
                                 "input is float32 [3,16,16]"));
  // None at all is as with objects that have nothing to align by.
  const Ptr<GstBuffer> none =
      through(infer(config("mean", "model-family=raw\ninput-tensor-from-meta=1\n"), 5), picture());
  EXPECT_EQ(sight_frame_get_n_tensors(frame_of(none)), 0u);
}

// As sources ask before they choose a format.
TEST_F(SightInferTensors, AStageWithoutANetworkSaysWhichFramesItTakes) {
  Element element(infer(bare_config("maker.ini", "[property]\ninfer-dims=3;8;8\n"), 5));
  const Ptr<GstCaps> caps(gst_pad_peer_query_caps(element.get()->srcpad, nullptr));
  EXPECT_FALSE(gst_caps_is_empty(caps.get()));
  element.set_caps(testing::video_caps("RGB", kWidth, kHeight));
  EXPECT_NE(element.through(scene(0)), nullptr);
}

TEST_F(SightInferTensors, WhatTheMakerCanMake) {
  for (const auto& [type, bytes] : {std::pair{"float32", 4u}, {"float16", 2u}, {"uint8", 1u}}) {
    const Ptr<GstBuffer> out = through(
        infer(bare_config("maker.ini", std::string("[property]\ninfer-dims=1;6;10\n"
                                                   "network-input-order=nhwc\ntensor-data-type=") +
                                           type + "\n"),
              3),
        picture());
    gsize size = 0;
    const SightTensor* tensor = sight_frame_find_tensor(frame_of(out), "input");
    ASSERT_NE(tensor, nullptr);
    sight_tensor_get_data(tensor, &size, nullptr);
    EXPECT_EQ(size, 60 * bytes);
    guint dimensions = 0;
    const gint64* shape = sight_tensor_get_shape(tensor, &dimensions);
    EXPECT_THAT(std::vector<gint64>(shape, shape + dimensions), ElementsAre(6, 10, 1));
  }
  EXPECT_THAT(start_error("sightinfer config-file=" + bare_config("m.ini", "[property]\nroi=1\n")),
              HasSubstr("roi = 1: expected left;top;width;height"));
  EXPECT_THAT(
      start_error("sightinfer config-file=" + bare_config("m.ini", "[property]\ncrop=box\n")),
      HasSubstr("needs infer-dims = channels;height;width"));
  EXPECT_THAT(start_error("sightinfer config-file=" +
                          bare_config("m.ini", "[property]\ninfer-dims=4;8;8\n")),
              HasSubstr("m.ini:2: infer-dims = 4;8;8"));
}

TEST_F(SightInferTensors, ObjectsAreChosenByLabel) {
  const Ptr<GstBuffer> out = through(
      infer(config("mean", "model-family=raw\nprocess-mode=2\noperate-on-labels=bag;person\n"), 5),
      scene(0));
  std::vector<std::string> looked_at;
  for (guint i = 0; i < 3; ++i) {
    const SightObject* object = sight_frame_get_object(frame_of(out), i);
    if (sight_object_find_tensor(object, "mean") != nullptr)
      looked_at.emplace_back(sight_object_get_label(object));
  }
  EXPECT_THAT(looked_at, ElementsAre("person", "bag"));
}

// Each part makes a tensor of its own; a network that takes them maps its boxes back from each.
TEST_F(SightInferTensors, PartsOfTheFrame) {
  const std::string maker = bare_config(
      "maker.ini", "[property]\ninfer-dims=3;16;16\ntensor-name=image\nroi=0;0;32;48;32;0;32;48\n");
  const std::string taker =
      config("detector", "model-family=decoded-boxes\ninput-tensor-from-meta=1\n",
             "[class-attrs-1]\npre-cluster-threshold=0.99\n");
  const Ptr<GstBuffer> given = through(infer(maker, 3) + " ! " + infer(taker, 5), picture());
  const Ptr<GstBuffer> own =
      through(infer(config("detector", "model-family=decoded-boxes\nroi=0;0;32;48;32;0;32;48\n",
                           "[class-attrs-1]\npre-cluster-threshold=0.99\n"),
                    5),
              picture());
  ASSERT_NE(given, nullptr);
  std::vector<float> lefts, lefts_given;
  for (guint i = 0; i < sight_frame_get_n_objects(frame_of(own)); ++i) {
    SightBox box;
    sight_object_get_box(sight_frame_get_object(frame_of(own), i), &box);
    lefts.push_back(box.x);
  }
  for (guint i = 0; i < sight_frame_get_n_objects(frame_of(given)); ++i) {
    SightBox box;
    sight_object_get_box(sight_frame_get_object(frame_of(given), i), &box);
    lefts_given.push_back(box.x);
  }
  EXPECT_THAT(lefts, ::testing::Contains(::testing::FloatNear(3.2f, 1e-3f)));
  EXPECT_THAT(lefts, ::testing::Contains(::testing::FloatNear(35.2f, 1e-3f)));
  EXPECT_THAT(lefts_given, Pointwise(::testing::FloatNear(1e-3f), lefts));
}

}  // namespace
}  // namespace sightline
