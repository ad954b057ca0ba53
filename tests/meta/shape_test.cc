// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Oriented boxes, masks and how sure landmarks are: set, read, copied, scaled, written as JSON.

#include "sightline/shape.h"

#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "meta/error.h"
#include "meta/frame.h"
#include "meta/tensor.h"

namespace sightline {
namespace {

constexpr SightBox kBox{10, 20, 30, 40};
constexpr SightPoint kSquare[] = {{20, 10}, {30, 20}, {20, 30}, {10, 20}};  // turned by 45°

class Shape : public testing::Test {
 protected:
  FrameHandle frame = FrameHandle::adopt(sight_frame_new(100, 100));
  SightObject* object = sight_frame_add_object(frame.get(), "thing", 0, 0.5f, &kBox, 0, nullptr);

  static TensorHandle mask(const std::vector<float>& values, sightline::Shape shape) {
    return TensorHandle::adopt(
        wrap_tensor(Tensor::copy_of("mask", std::move(shape), values), "test", 1, -1));
  }

  nlohmann::json json() const {
    char* text = sight_frame_to_json(frame.get(), 0);
    const auto parsed = nlohmann::json::parse(text);
    g_free(text);
    return parsed["objects"][0];
  }
};

std::string text_of(GError* error) { return take_error(error).what(); }

TEST_F(Shape, AnObjectHasNoneUntilItIsSet) {
  guint n = 7;
  SightBox area = kBox;
  EXPECT_EQ(sight_object_get_corners(object), nullptr);
  EXPECT_FALSE(sight_object_get_rotation(object, nullptr));
  EXPECT_EQ(sight_object_get_mask(object, &area), nullptr);
  EXPECT_EQ(area.width, 0);
  EXPECT_EQ(sight_object_get_landmark_confidences(object, &n), nullptr);
  EXPECT_EQ(n, 0u);
  for (const char* key : {"corners", "rotation", "mask", "landmark_confidences"})
    EXPECT_FALSE(json().contains(key)) << key;
}

TEST_F(Shape, TheRotationIsThatOfTheUpperEdge) {
  ASSERT_TRUE(sight_object_set_corners(object, kSquare, nullptr));
  gfloat radians = 0;
  ASSERT_TRUE(sight_object_get_rotation(object, &radians));
  EXPECT_NEAR(radians, std::numbers::pi / 4, 1e-6);
  EXPECT_NEAR(json()["rotation"].get<double>(), std::numbers::pi / 4, 1e-6);
  EXPECT_EQ(json()["corners"], (nlohmann::json{{20, 10}, {30, 20}, {20, 30}, {10, 20}}));
  ASSERT_TRUE(sight_object_set_corners(object, nullptr, nullptr));
  EXPECT_EQ(sight_object_get_corners(object), nullptr);
}

TEST_F(Shape, AMaskIsWrittenAsRunLengths) {
  const auto values = mask({0, 0.5f, 1, 0, 0.49f, 1}, {2, 3});
  ASSERT_TRUE(sight_object_set_mask(object, values.get(), &kBox, nullptr));
  SightBox area{};
  EXPECT_EQ(sight_object_get_mask(object, &area), values.get());
  EXPECT_EQ(area.height, kBox.height);
  const auto written = json()["mask"];
  EXPECT_EQ(written["area"], (nlohmann::json{10, 20, 30, 40}));
  EXPECT_EQ(written["size"], (nlohmann::json{3, 2}));
  EXPECT_EQ(written["runs"], (nlohmann::json{1, 2, 2, 1}));
}

TEST_F(Shape, IsScaledWithThePicture) {
  ASSERT_TRUE(sight_object_set_corners(object, kSquare, nullptr));
  ASSERT_TRUE(sight_object_set_mask(object, mask({1}, {1, 1}).get(), &kBox, nullptr));
  const FrameHandle scaled = scale_frame(*frame, {100, 100}, {200, 50});
  const SightObject* copy = sight_frame_get_object(scaled.get(), 0);
  SightBox area{};
  sight_object_get_mask(copy, &area);
  EXPECT_EQ(sight_object_get_corners(copy)[1].x, 60);
  EXPECT_EQ(sight_object_get_corners(copy)[1].y, 10);
  EXPECT_EQ(area.x, 20);
  EXPECT_EQ(area.height, 20);
}

TEST_F(Shape, OtherLandmarksTakeTheConfidencesAway) {
  const float sure[] = {0.25f, 1, 1, 1};
  ASSERT_TRUE(sight_object_set_landmarks(object, kSquare, 4, nullptr));
  ASSERT_TRUE(sight_object_set_landmark_confidences(object, sure, 4, nullptr));
  guint n = 0;
  EXPECT_EQ(sight_object_get_landmark_confidences(object, &n)[0], 0.25f);
  EXPECT_EQ(n, 4u);
  EXPECT_EQ(json()["landmark_confidences"][0], 0.25);
  ASSERT_TRUE(sight_object_set_landmarks(object, kSquare, 3, nullptr));
  EXPECT_EQ(sight_object_get_landmark_confidences(object, &n), nullptr);
}

TEST_F(Shape, WhatIsNoShapeIsRefused) {
  GError* error = nullptr;
  SightPoint corners[] = {{0, 0}, {1, 0}, {1, std::numeric_limits<float>::infinity()}, {0, 1}};
  EXPECT_FALSE(sight_object_set_corners(object, corners, &error));
  EXPECT_NE(text_of(error).find("expected finite pixels"), std::string::npos);
  error = nullptr;
  EXPECT_FALSE(sight_object_set_mask(object, mask({1, 1}, {2}).get(), &kBox, &error));
  EXPECT_NE(text_of(error).find("expected float32 [height,width]"), std::string::npos);
  error = nullptr;
  constexpr SightBox kFlat{0, 0, 0, 5};
  EXPECT_FALSE(sight_object_set_mask(object, mask({1}, {1, 1}).get(), &kFlat, &error));
  EXPECT_NE(text_of(error).find("a size above 0"), std::string::npos);
  error = nullptr;
  const float sure[] = {1};
  EXPECT_FALSE(sight_object_set_landmark_confidences(object, sure, 1, &error));
  EXPECT_NE(text_of(error).find("expected one each"), std::string::npos);
}

TEST_F(Shape, OfASealedObjectIsReadOnly) {
  sight_frame_seal(frame.get());
  GError* error = nullptr;
  EXPECT_FALSE(sight_object_set_corners(object, kSquare, &error));
  EXPECT_EQ(take_error(error).code(), ErrorCode::kReadOnly);
}

}  // namespace
}  // namespace sightline
