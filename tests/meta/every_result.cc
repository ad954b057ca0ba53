// SPDX-License-Identifier: LGPL-2.1-or-later

#include "every_result.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "meta/analytics.h"
#include "meta/tensor.h"
#include "meta/track_data.h"
#include "sightline/shape.h"

namespace sightline::testing {

namespace {

// Of every type, with bytes that are each type's least and largest values and what lies between.
TensorHandle tensor_of(ElementType type, int row) {
  constexpr std::size_t kElements = 6;
  auto bytes = std::make_shared<std::vector<std::byte>>(kElements * size_of(type));
  for (std::size_t i = 0; i < bytes->size(); ++i)
    (*bytes)[i] = type == ElementType::kBool ? std::byte(i % 2) : std::byte(i * 37 + 128);
  Tensor tensor;
  tensor.name = "of " + std::string(name_of(type));
  tensor.type = type;
  tensor.shape = {2, 3};
  tensor.data = bytes->data();
  tensor.owner = bytes;
  return TensorHandle::adopt(wrap_tensor(tensor, row < 0 ? "" : "stage", 4, row));
}

TensorHandle unusual_numbers() {
  using Limits = std::numeric_limits<float>;
  const std::array values = {0.1f,
                             -0.0f,
                             Limits::infinity(),
                             -Limits::infinity(),
                             Limits::quiet_NaN(),
                             Limits::max(),
                             Limits::denorm_min()};
  return TensorHandle::adopt(
      wrap_tensor(Tensor::copy_of("embedding", {1, 7}, values), "embed", 5, -1));
}

void add_tensors(SightFrame* frame, SightObject* object) {
  for (int i = 0; i <= static_cast<int>(ElementType::kBool); ++i)
    EXPECT_TRUE(sight_object_add_tensor(object, tensor_of(static_cast<ElementType>(i), i - 1).get(),
                                        nullptr));
  EXPECT_TRUE(sight_object_add_tensor(object, unusual_numbers().get(), nullptr));
  const float one = 0.25f;
  const auto scalar = TensorHandle::adopt(
      wrap_tensor(Tensor::copy_of("scalar", {}, std::span(&one, 1)), "stage", 4, 2));
  EXPECT_TRUE(sight_frame_add_tensor(frame, scalar.get(), nullptr));
  const auto empty =
      TensorHandle::adopt(wrap_tensor(Tensor::copy_of("empty", {0, 4}, {}), "", 0, -1));
  EXPECT_TRUE(sight_frame_add_tensor(frame, empty.get(), nullptr));
}

void add_shape(SightObject* object) {
  const std::array<SightPoint, 2> points = {{{1.5f, -2.25f}, {100.1f, 0}}};
  const std::array sure = {0.5f, 1.0f};
  EXPECT_TRUE(sight_object_set_landmarks(object, points.data(), 2, nullptr));
  EXPECT_TRUE(sight_object_set_landmark_confidences(object, sure.data(), 2, nullptr));
  const std::array<SightPoint, 4> corners = {{{0.1f, 5}, {9, 0.3f}, {14, 7}, {6, 11.7f}}};
  EXPECT_TRUE(sight_object_set_corners(object, corners.data(), nullptr));
  const std::array mask = {0.9f, 0.1f, 0.0f, 0.6f, 0.5f, 0.4f};
  const SightBox area = {0.5f, 1, 30, 20.25f};
  const auto tensor =
      TensorHandle::adopt(wrap_tensor(Tensor::copy_of("mask", {2, 3}, mask), "", 0, -1));
  EXPECT_TRUE(sight_object_set_mask(object, tensor.get(), &area, nullptr));
}

void add_names(SightFrame* frame, SightObject* object) {
  const auto near =
      CandidateHandle::adopt(sight_candidate_new("p7", "Ädä", "staff.db", 0.871f, 0.9f));
  const auto bare_one =
      CandidateHandle::adopt(sight_candidate_new("p8", nullptr, nullptr, -1, NAN));
  SightCandidate* candidates[] = {near.get(), bare_one.get()};
  const auto ada = IdentityHandle::adopt(sight_identity_new_full(
      "p7", "Ädä \"x\"", 0.871f, "p7", "Ada", 12, "staff.db", 0.85f, 0.9f, candidates, 2));
  EXPECT_TRUE(sight_object_set_identity(object, ada.get(), nullptr));
  const auto age =
      ClassificationHandle::adopt(sight_classification_new("age", "20-29", 2, 0.1f, "ages", 4));
  const auto bare =
      ClassificationHandle::adopt(sight_classification_new("", "", -1, -3, nullptr, 0));
  for (const auto& classification : {age, bare}) {
    EXPECT_TRUE(sight_object_add_classification(object, classification.get(), nullptr));
    EXPECT_TRUE(sight_frame_add_classification(frame, classification.get(), nullptr));
  }
}

void add_reports(SightFrame* frame, SightObject* object) {
  add_report(frame, FrameReport{{{"door", 12, G_MAXUINT64}},
                                {{"queue", 5, 31, 26, true}, {"free", 0, 0, 0, {}}}});
  add_report(
      object,
      ObjectReport{{{"queue", 12.48}, {"free", {}}}, {{"door", true}, {"gate", false}}, "north"});
}

}  // namespace

FrameHandle frame_with_every_result() {
  auto frame = FrameHandle::adopt(sight_frame_new(640, 480));
  EXPECT_TRUE(sight_frame_set_stream(frame.get(), "döor\n", G_MAXUINT64, nullptr));
  const SightBox box = {-1.1f, 2.7f, 1e-7f, 1e30f};
  SightObject* person = sight_frame_add_object(frame.get(), nullptr, -1, 0.9f, &box, 0, nullptr);
  SightObject* face = sight_frame_add_object(frame.get(), "face", 3, 0.3f, &box,
                                             sight_object_get_id(person), nullptr);
  EXPECT_TRUE(sight_object_set_track(person, G_MAXUINT64, nullptr));
  const auto stranger =
      IdentityHandle::adopt(sight_identity_new(nullptr, nullptr, -0.25f, "p7", "Ada"));
  EXPECT_TRUE(sight_object_set_identity(person, stranger.get(), nullptr));
  EXPECT_TRUE(sight_object_set_track(face, 3, nullptr));
  TrackData track;
  track.state = "lost";
  track.predicted = true;
  set_track_data(face, track);
  add_shape(face);
  add_names(frame.get(), face);
  add_tensors(frame.get(), face);
  add_reports(frame.get(), face);
  return frame;
}

}  // namespace sightline::testing
