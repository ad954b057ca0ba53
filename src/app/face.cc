// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/face.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "stage/attach.h"

namespace sightline {

namespace {

std::vector<float> embedding_of(const SightObject* object) {
  for (guint i = sight_object_get_n_tensors(object); i-- > 0;) {
    SightTensor* tensor = sight_object_get_tensor(object, i);
    if (sight_tensor_get_stage_id(tensor) != kEmbedStage) continue;
    gsize count = 0;
    const float* values = sight_tensor_get_floats(tensor, &count, nullptr);
    if (values != nullptr) return {values, values + count};
  }
  return {};
}

Face face_of(const SightObject* object) {
  Face face;
  SightBox box;
  sight_object_get_box(object, &box);
  face.box = {box.x, box.y, box.width, box.height};
  face.confidence = sight_object_get_confidence(object);
  guint count = 0;
  const SightPoint* points = sight_object_get_landmarks(object, &count);
  for (guint i = 0; i < count; ++i) face.landmarks.push_back({points[i].x, points[i].y});
  face.embedding = embedding_of(object);
  face.quality = find_quality(object);
  return face;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

std::vector<Face> faces_of(const SightFrame* frame) {
  std::vector<Face> faces;
  const guint count = frame == nullptr ? 0 : sight_frame_get_n_objects(frame);
  for (guint i = 0; i < count; ++i) {
    const SightObject* object = sight_frame_get_object(frame, i);
    if (sight_object_get_stage_id(object) == kDetectStage) faces.push_back(face_of(object));
  }
  return faces;
}

std::optional<ModelFingerprint> embedding_model_of(const SightFrame* frame) {
  return frame == nullptr ? std::nullopt : find_fingerprint(frame, kEmbedStage);
}

const Face* nearest_to_centre(const std::vector<Face>& faces, Size frame) {
  const auto distance = [&](const Face& face) {
    return std::hypot(face.box.x + face.box.width / 2 - frame.width / 2.0f,
                      face.box.y + face.box.height / 2 - frame.height / 2.0f);
  };
  const auto nearest = std::ranges::min_element(faces, {}, distance);
  return nearest == faces.end() ? nullptr : &*nearest;
}

float cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const double lengths = std::sqrt(dot(a, a) * dot(b, b));
  return lengths > 0 ? static_cast<float>(dot(a, b) / lengths) : 0;
}

}  // namespace sightline
