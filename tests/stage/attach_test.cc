// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/attach.h"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "sightline/shape.h"

namespace sightline {
namespace {

using testing::HasSubstr;

// Takes what is at least 10 pixels wide, as `detected-min-w = 10` would.
class WideOnly final : public Postprocessor {
 public:
  NetworkRole role() const override { return NetworkRole::kDetector; }
  Results decode(std::span<const Tensor>) const override { return {}; }
  std::optional<Rect> admitted(int, const Rect& box, Size) const override {
    return box.width >= 10 ? std::optional(box) : std::nullopt;
  }
};

Detection detection(const Rect& box, const std::string& label = "face") {
  Detection found;
  found.box = box;
  found.confidence = 0.75f;
  found.class_id = 2;
  found.label = label;
  return found;
}

SightBox box_of(const SightObject* object) {
  SightBox box;
  sight_object_get_box(object, &box);
  return box;
}

class Attach : public testing::Test {
 protected:
  void attach_results(Results results, guint64 object = 0) {
    attach(frame_.get(), {"detect", 7}, WideOnly(), {object, kToFrame, std::nullopt, results});
  }
  guint count() const { return sight_frame_get_n_objects(frame_.get()); }
  SightObject* object(guint index) const { return sight_frame_get_object(frame_.get(), index); }
  guint64 add(const SightBox& box) {
    return sight_object_get_id(
        sight_frame_add_object(frame_.get(), "person", 0, 1, &box, 0, nullptr));
  }

  static constexpr Affine2 kToFrame{2, 0, 100, 0, 3, 50};
  std::unique_ptr<SightFrame, decltype(&sight_frame_unref)> frame_{sight_frame_new(640, 480),
                                                                   &sight_frame_unref};
};

TEST_F(Attach, ADetectionBecomesAnObjectInFrameCoordinates) {
  Detection face = detection({10, 20, 30, 40});
  face.landmarks = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}};
  attach_results({{face}, {}, {}, {}});
  ASSERT_EQ(count(), 1u);
  const SightBox box = box_of(object(0));
  EXPECT_EQ((std::vector<float>{box.x, box.y, box.width, box.height}),
            (std::vector<float>{120, 110, 60, 120}));
  EXPECT_STREQ(sight_object_get_label(object(0)), "face");
  EXPECT_EQ(sight_object_get_class_id(object(0)), 2);
  EXPECT_EQ(sight_object_get_confidence(object(0)), 0.75f);
  EXPECT_EQ(sight_object_get_stage_id(object(0)), 7u);
  EXPECT_EQ(sight_object_get_parent(object(0)), 0u);
  guint landmarks = 0;
  const SightPoint* points = sight_object_get_landmarks(object(0), &landmarks);
  ASSERT_EQ(landmarks, 5u);
  EXPECT_EQ(points[4].x, 118);
  EXPECT_EQ(points[4].y, 80);
}

TEST_F(Attach, BoxesBeyondTheEdgeStayWholeAndThoseOutsideOrTooSmallAreDropped) {
  attach_results({{detection({-60, 0, 30, 10}, "edge"),      // x from -20 to 40
                   detection({-100, 0, 50, 10}, "outside"),  // x from -100 to 0
                   detection({270, 0, 50, 10}, "outside"),   // x from 640
                   detection({0, 0, 4.9f, 10}, "narrow")},   // 9.8 wide
                  {},
                  {},
                  {}});
  ASSERT_EQ(count(), 1u);
  EXPECT_STREQ(sight_object_get_label(object(0)), "edge");
  EXPECT_EQ(box_of(object(0)).x, -20);
  EXPECT_EQ(box_of(object(0)).width, 60);
}

std::vector<float> floats_of(const SightTensor* tensor) {
  gsize count = 0;
  const gfloat* values = sight_tensor_get_floats(tensor, &count, nullptr);
  return {values, values + count};
}

TEST_F(Attach, AMaskLiesOverThePartOfTheFrameThatItIsOf) {
  Detection found = detection({10, 20, 30, 40});
  const std::vector<float> values = {0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f};
  found.mask = Mask{Tensor::copy_of("mask", {2, 3}, values), {8, 16, 36, 48}};
  attach_results({{found}, {}, {}, {}});
  SightBox area;
  SightTensor* mask = sight_object_get_mask(object(0), &area);
  ASSERT_NE(mask, nullptr);
  EXPECT_EQ((std::vector<float>{area.x, area.y, area.width, area.height}),
            (std::vector<float>{116, 98, 72, 144}));
  EXPECT_EQ(floats_of(mask), values);
  EXPECT_EQ(sight_tensor_get_stage_id(mask), 7u);
}

// A quarter turn clockwise, x' = 100 - y, y' = 50 + x: the mask's rows become columns. It keeps as
// many pixels as it had, here 2 × 2, so that each of them goes to another corner.
TEST_F(Attach, AMaskOfATurnedRegionIsTurnedWithIt) {
  Detection found = detection({0, 0, 10, 20});
  found.mask =
      Mask{Tensor::copy_of("mask", {2, 2}, std::vector<float>{1, 2, 3, 4}), {0, 0, 10, 20}};
  attach(frame_.get(), {"detect", 7}, WideOnly(),
         {0, Affine2{0, -1, 100, 1, 0, 50}, std::nullopt, {{found}, {}, {}, {}}});
  SightBox area;
  SightTensor* mask = sight_object_get_mask(object(0), &area);
  ASSERT_NE(mask, nullptr);
  EXPECT_EQ((std::vector<float>{area.x, area.y, area.width, area.height}),
            (std::vector<float>{80, 50, 20, 10}));
  EXPECT_EQ(floats_of(mask), (std::vector<float>{3, 1, 4, 2}));
}

TEST_F(Attach, AnOrientedBoxAndHowSurePointsAreGoAlong) {
  Detection found = detection({10, 20, 30, 40});
  found.corners = {{{10, 20}, {40, 25}, {35, 60}, {5, 55}}};
  found.landmarks = {{1, 2}, {3, 4}};
  found.landmark_confidences = {0.25f, 0.5f};
  attach_results({{found}, {}, {}, {}});
  const SightPoint* corners = sight_object_get_corners(object(0));
  ASSERT_NE(corners, nullptr);
  for (std::size_t i = 0; i < SIGHT_N_CORNERS; ++i) {
    EXPECT_EQ(corners[i].x, 2 * (*found.corners)[i].x + 100) << i;
    EXPECT_EQ(corners[i].y, 3 * (*found.corners)[i].y + 50) << i;
  }
  guint count = 0;
  const gfloat* sure = sight_object_get_landmark_confidences(object(0), &count);
  EXPECT_EQ((std::vector<float>(sure, sure + count)), (std::vector<float>{0.25f, 0.5f}));
}

TEST_F(Attach, WhatADetectorDoesNotSayIsNotThere) {
  attach_results({{detection({10, 20, 30, 40})}, {}, {}, {}});
  guint count = 1;
  EXPECT_EQ(sight_object_get_mask(object(0), nullptr), nullptr);
  EXPECT_EQ(sight_object_get_corners(object(0)), nullptr);
  EXPECT_EQ(sight_object_get_landmark_confidences(object(0), &count), nullptr);
}

// Half of it: the box that remains is what the postprocessor admits, and the mask stays whole.
class UpperHalf final : public Postprocessor {
 public:
  NetworkRole role() const override { return NetworkRole::kDetector; }
  Results decode(std::span<const Tensor>) const override { return {}; }
  std::optional<Rect> admitted(int, const Rect& box, Size frame) const override {
    EXPECT_EQ(frame, (Size{640, 480}));
    return Rect{box.x, box.y, box.width, box.height / 2};
  }
};

TEST_F(Attach, ABoxIsWhatIsAdmittedOfIt) {
  attach(frame_.get(), {"detect", 7}, UpperHalf(),
         {0, kToFrame, std::nullopt, {{detection({10, 20, 30, 40})}, {}, {}, {}}});
  ASSERT_EQ(count(), 1u);
  EXPECT_EQ(box_of(object(0)).y, 110);
  EXPECT_EQ(box_of(object(0)).height, 60);
}

TEST_F(Attach, WhatWasFoundInAnObjectIsItsChild) {
  const guint64 person = add({100, 50, 200, 300});
  attach_results({{detection({10, 20, 30, 40})}, {}, {}, {}}, person);
  ASSERT_EQ(count(), 2u);
  EXPECT_EQ(sight_object_get_parent(object(1)), person);
}

TEST_F(Attach, ResultsOfARegionGoToItsObject) {
  const guint64 first = add({100, 50, 200, 300});
  add({10, 5, 20, 30});
  const Tensor embedding = Tensor::copy_of("embedding", {3}, std::vector<float>{1, 2, 3});
  RegionResults found{first,
                      kToFrame,
                      CropQuality{1, 2, 3},
                      {{}, {{1, 2}, {3, 4}}, {{"age", "20-29", 2, 0.5f}}, {embedding}}};
  attach(frame_.get(), {"embed", 9}, WideOnly(), found);
  const SightObject* person = sight_frame_find_object(frame_.get(), first);
  guint landmarks = 0;
  EXPECT_EQ(sight_object_get_landmarks(person, &landmarks)[1].x, 106);
  EXPECT_EQ(landmarks, 2u);
  ASSERT_EQ(sight_object_get_n_classifications(person), 1u);
  const SightClassification* age = sight_object_get_classification(person, 0);
  EXPECT_STREQ(sight_classification_get_label(age), "20-29");
  EXPECT_STREQ(sight_classification_get_stage(age), "embed");
  const SightTensor* tensor = sight_object_find_tensor(person, "embedding");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(sight_tensor_get_stage_id(tensor), 9u);
  EXPECT_EQ(sight_tensor_get_floats(tensor, nullptr, nullptr)[2], 3);
  EXPECT_EQ(find_quality(person)->magnification, 2);
  EXPECT_EQ(sight_object_get_n_tensors(object(1)), 0u);
  EXPECT_EQ(sight_frame_get_n_tensors(frame_.get()), 0u);
}

TEST_F(Attach, WhatWasTakenOverSaysFromWhichFrame) {
  const guint64 id = add({100, 50, 200, 300});
  const auto from = [&](guint stage) {
    return taken_over_from(sight_frame_find_object(frame_.get(), id), stage);
  };
  RegionResults found{id, kToFrame, std::nullopt, {}};
  found.results.classifications.push_back({"age", "20-29", 2, 0.5f});
  attach(frame_.get(), {"ages", 9}, WideOnly(), found);
  EXPECT_EQ(from(9), std::nullopt);
  found.from_frame = 12345678901;
  attach(frame_.get(), {"ages", 9}, WideOnly(), found);
  EXPECT_EQ(from(9), 12345678901u);
  EXPECT_EQ(from(8), std::nullopt);

  // Another program may have put anything there.
  GValue text = G_VALUE_INIT;
  g_value_init(&text, G_TYPE_STRING);
  SightObject* object =
      sight_frame_edit_object(frame_.get(), sight_frame_find_object(frame_.get(), id), nullptr);
  sight_object_set_user_data(object, "sightline-taken-over:9", &text, nullptr);
  g_value_unset(&text);
  EXPECT_EQ(from(9), std::nullopt);
}

TEST_F(Attach, ResultsOfTheWholeFrameGoToTheFrame) {
  const Tensor map = Tensor::copy_of("map", {1}, std::vector<float>{5});
  attach_results({{}, {}, {{"scene", "indoor", 0, 1}}, {map}});
  EXPECT_EQ(sight_frame_get_n_classifications(frame_.get()), 1u);
  EXPECT_NE(sight_frame_find_tensor(frame_.get(), "map"), nullptr);
}

TEST_F(Attach, AnObjectThatSomebodyRemovedIsPassedOver) {
  const guint64 gone = add({100, 50, 200, 300});
  sight_frame_remove_object(frame_.get(), sight_frame_find_object(frame_.get(), gone), nullptr);
  const Tensor embedding = Tensor::copy_of("embedding", {1}, std::vector<float>{1});
  attach_results({{}, {}, {}, {embedding}}, gone);
  EXPECT_EQ(count(), 0u);
  EXPECT_EQ(sight_frame_get_n_tensors(frame_.get()), 0u);
}

TEST_F(Attach, ASealedFrameIsAnError) {
  sight_frame_seal(frame_.get());
  try {
    attach_results({{detection({10, 20, 30, 40})}, {}, {}, {}});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kReadOnly) << error.what();
  }
}

TEST_F(Attach, AFailureNamesTheStage) {
  set_failure(frame_.get(), {"detect", 7}, "out of memory");
  const GValue* value = sight_frame_get_user_data(frame_.get(), "sightline-error:7");
  ASSERT_NE(value, nullptr);
  EXPECT_STREQ(g_value_get_string(value), "detect: out of memory");
}

TEST_F(Attach, ASkippedFrameNamesTheStageAndTheReason) {
  set_skipped(frame_.get(), 7, kSkippedByInterval);
  EXPECT_TRUE(was_skipped(frame_.get(), 7));
  EXPECT_FALSE(was_skipped(frame_.get(), 8));
  const GValue* value = sight_frame_get_user_data(frame_.get(), "sightline-skipped:7");
  ASSERT_NE(value, nullptr);
  EXPECT_STREQ(g_value_get_string(value), "interval");
}

TEST_F(Attach, AFingerprintComesBackAsItWas) {
  EXPECT_FALSE(find_fingerprint(frame_.get(), 3));
  set_fingerprint(frame_.get(), 3, {"3f2a", "a name; with semicolons", 128});
  const auto found = find_fingerprint(frame_.get(), 3);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "3f2a");
  EXPECT_EQ(found->name, "a name; with semicolons");
  EXPECT_EQ(found->dimensions, 128);
  EXPECT_FALSE(find_fingerprint(frame_.get(), 4));
}

TEST_F(Attach, WhatIsNoFingerprintIsNone) {
  for (const char* text : {"", "3f2a", "3f2a;name", "3f2a;name;", "3f2a;name;x", "3f2a;name;12x"}) {
    GValue value = G_VALUE_INIT;
    g_value_init(&value, G_TYPE_STRING);
    g_value_set_static_string(&value, text);
    ASSERT_TRUE(sight_frame_set_user_data(frame_.get(), "sightline-model:3", &value, nullptr));
    g_value_unset(&value);
    EXPECT_FALSE(find_fingerprint(frame_.get(), 3)) << text;
  }
}

}  // namespace
}  // namespace sightline
