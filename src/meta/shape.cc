// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Oriented boxes, masks and how sure landmarks are.

#include "sightline/shape.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "meta/object.h"
#include "meta/tensor.h"

namespace {

using sightline::Error;
using sightline::ErrorCode;

bool is_finite(const SightPoint& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

void check_corners(std::span<const SightPoint> corners) {
  for (const SightPoint& corner : corners)
    if (!is_finite(corner))
      throw Error(ErrorCode::kInput, "a corner of an object's oriented box is " +
                                         std::to_string(corner.x) + ", " +
                                         std::to_string(corner.y) + "; expected finite pixels");
}

void check_mask(const sightline::Tensor& mask) {
  const bool is_picture = mask.type == sightline::ElementType::kFloat32 &&
                          mask.memory == sightline::MemoryKind::kHost && mask.shape.size() == 2 &&
                          mask.count() > 0;
  if (!is_picture)
    throw Error(ErrorCode::kInput, "an object's mask is " +
                                       std::string(sightline::name_of(mask.type)) + " " +
                                       sightline::to_string(mask.shape) +
                                       "; expected float32 [height,width] in host memory");
}

void check_area(const SightBox& area) {
  const bool finite = std::isfinite(area.x) && std::isfinite(area.y) && std::isfinite(area.width) &&
                      std::isfinite(area.height);
  if (!finite || area.width <= 0 || area.height <= 0)
    throw Error(ErrorCode::kInput,
                "an object's mask covers x " + std::to_string(area.x) + ", y " +
                    std::to_string(area.y) + ", width " + std::to_string(area.width) + ", height " +
                    std::to_string(area.height) + "; expected finite pixels, with a size above 0");
}

void check_confidences(std::span<const float> confidences, std::size_t landmarks) {
  if (!confidences.empty() && confidences.size() != landmarks)
    throw Error(ErrorCode::kInput, std::to_string(confidences.size()) +
                                       " confidences for an object with " +
                                       std::to_string(landmarks) + " landmarks; expected one each");
  if (!std::ranges::all_of(confidences, [](float value) { return std::isfinite(value); }))
    throw Error(ErrorCode::kInput,
                "the confidence of a landmark is not finite; expected a number, usually 0 to 1");
}

}  // namespace

using sightline::change_object;

gboolean sight_object_set_corners(SightObject* object, const SightPoint* corners, GError** error) {
  g_return_val_if_fail(object != nullptr, FALSE);
  return change_object(object, error, [&] {
    const std::span<const SightPoint> given(corners, corners != nullptr ? SIGHT_N_CORNERS : 0);
    check_corners(given);
    object->corners.assign(given.begin(), given.end());
  });
}

const SightPoint* sight_object_get_corners(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, nullptr);
  return object->corners.empty() ? nullptr : object->corners.data();
}

gboolean sight_object_get_corner(const SightObject* object, guint index, SightPoint* corner) {
  g_return_val_if_fail(corner != nullptr, FALSE);
  *corner = {};
  g_return_val_if_fail(object != nullptr && index < SIGHT_N_CORNERS, FALSE);
  if (object->corners.empty()) return FALSE;
  *corner = object->corners[index];
  return TRUE;
}

gboolean sight_object_get_rotation(const SightObject* object, gfloat* radians) {
  if (radians != nullptr) *radians = 0;
  g_return_val_if_fail(object != nullptr, FALSE);
  if (object->corners.empty()) return FALSE;
  const SightPoint from = object->corners[0], to = object->corners[1];
  if (radians != nullptr) *radians = std::atan2(to.y - from.y, to.x - from.x);
  return TRUE;
}

gboolean sight_object_set_mask(SightObject* object, SightTensor* mask, const SightBox* area,
                               GError** error) {
  g_return_val_if_fail(object != nullptr && (mask == nullptr || area != nullptr), FALSE);
  return change_object(object, error, [&] {
    if (mask != nullptr) {
      check_mask(sightline::unwrap(mask));
      check_area(*area);
    }
    object->mask = sightline::TensorHandle::share(mask);
    object->mask_area = mask != nullptr ? *area : SightBox{};
  });
}

SightTensor* sight_object_get_mask(const SightObject* object, SightBox* area) {
  if (area != nullptr) *area = {};
  g_return_val_if_fail(object != nullptr, nullptr);
  if (area != nullptr) *area = object->mask_area;
  return object->mask.get();
}

gboolean sight_object_set_landmark_confidences(SightObject* object, const gfloat* confidences,
                                               guint n_confidences, GError** error) {
  g_return_val_if_fail(object != nullptr && (confidences != nullptr || n_confidences == 0), FALSE);
  return change_object(object, error, [&] {
    const std::span<const float> given(confidences, n_confidences);
    check_confidences(given, object->landmarks.size());
    object->landmark_confidences.assign(given.begin(), given.end());
  });
}

const gfloat* sight_object_get_landmark_confidences(const SightObject* object,
                                                    guint* n_confidences) {
  if (n_confidences != nullptr) *n_confidences = 0;
  g_return_val_if_fail(object != nullptr, nullptr);
  if (object->landmark_confidences.empty()) return nullptr;
  if (n_confidences != nullptr)
    *n_confidences = static_cast<guint>(object->landmark_confidences.size());
  return object->landmark_confidences.data();
}
