// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/attach.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "meta/error.h"
#include "meta/handles.h"
#include "meta/tensor.h"
#include "sightline/shape.h"

namespace sightline {

namespace {

// A GError of the C API as the exception it stands for.
class Thrown {
 public:
  operator GError**() { return &error_; }
  template <typename T>
  T check(T result) {
    if (error_ != nullptr) throw take_error(std::exchange(error_, nullptr));
    return result;
  }

 private:
  GError* error_ = nullptr;
};

std::vector<SightPoint> mapped(const std::vector<Point>& points, const Affine2& to_frame) {
  std::vector<SightPoint> result;
  result.reserve(points.size());
  for (const Point p : points) result.push_back({to_frame(p).x, to_frame(p).y});
  return result;
}

void set_landmarks(SightObject* object, const std::vector<Point>& points, const Affine2& to_frame) {
  const std::vector<SightPoint> landmarks = mapped(points, to_frame);
  Thrown error;
  error.check(sight_object_set_landmarks(object, landmarks.data(),
                                         static_cast<guint>(landmarks.size()), error));
}

void set_corners(SightObject* object, const std::array<Point, SIGHT_N_CORNERS>& corners,
                 const Affine2& to_frame) {
  const std::vector<SightPoint> placed = mapped({corners.begin(), corners.end()}, to_frame);
  Thrown error;
  error.check(sight_object_set_corners(object, placed.data(), error));
}

// A mask of as many pixels over the upright box around the turned one.
Tensor turned(const Mask& mask, const Affine2& to_frame, const Rect& target) {
  const std::int64_t height = mask.values.shape[0], width = mask.values.shape[1];
  const Affine2 to_input = to_frame.inverse();
  const std::span<const float> source = mask.values.floats();
  std::vector<float> values(source.size());
  for (std::int64_t y = 0; y < height; ++y)
    for (std::int64_t x = 0; x < width; ++x) {
      const float across = (static_cast<float>(x) + 0.5f) / static_cast<float>(width);
      const float down = (static_cast<float>(y) + 0.5f) / static_cast<float>(height);
      const Point p = to_input({target.x + across * target.width, target.y + down * target.height});
      const float column =
          std::floor((p.x - mask.area.x) / mask.area.width * static_cast<float>(width));
      const float row =
          std::floor((p.y - mask.area.y) / mask.area.height * static_cast<float>(height));
      if (column >= 0 && row >= 0 && column < static_cast<float>(width) &&
          row < static_cast<float>(height))
        values[static_cast<std::size_t>(y * width + x)] = source[static_cast<std::size_t>(
            static_cast<std::int64_t>(row) * width + static_cast<std::int64_t>(column))];
    }
  return Tensor::copy_of(mask.values.name, mask.values.shape, values);
}

void set_mask(SightObject* object, const StageName& stage, const Mask& mask,
              const Affine2& to_frame) {
  const Rect target = to_frame.bounds(mask.area);
  const bool upright = to_frame.xy == 0 && to_frame.yx == 0 && to_frame.xx > 0 && to_frame.yy > 0;
  const auto values = TensorHandle::adopt(wrap_tensor(
      upright ? mask.values : turned(mask, to_frame, target), stage.element, stage.id, -1));
  const SightBox area{target.x, target.y, target.width, target.height};
  Thrown error;
  error.check(sight_object_set_mask(object, values.get(), &area, error));
}

// Mask, oriented box and how sure the landmarks are.
void set_shape(SightObject* object, const StageName& stage, const Detection& detection,
               const Affine2& to_frame) {
  Thrown error;
  if (!detection.landmark_confidences.empty())
    error.check(sight_object_set_landmark_confidences(
        object, detection.landmark_confidences.data(),
        static_cast<guint>(detection.landmark_confidences.size()), error));
  if (detection.corners) set_corners(object, *detection.corners, to_frame);
  if (detection.mask) set_mask(object, stage, *detection.mask, to_frame);
}

void add_tensor(SightFrame* frame, SightObject* object, const StageName& stage,
                const Tensor& tensor, int row) {
  Thrown error;
  const auto wrapped = TensorHandle::adopt(wrap_tensor(tensor, stage.element, stage.id, row));
  error.check(object != nullptr ? sight_object_add_tensor(object, wrapped.get(), error)
                                : sight_frame_add_tensor(frame, wrapped.get(), error));
}

void add_detection(SightFrame* frame, const StageName& stage, const Postprocessor& postprocessor,
                   const RegionResults& found, const Detection& detection,
                   const ClassColors& colors) {
  const Size size{static_cast<int>(sight_frame_get_width(frame)),
                  static_cast<int>(sight_frame_get_height(frame))};
  const Rect bounds{0, 0, static_cast<float>(size.width), static_cast<float>(size.height)};
  // What reaches beyond the frame stays whole: the next network's crop is taken from the true box.
  const auto box =
      postprocessor.admitted(detection.class_id, found.to_frame.bounds(detection.box), size);
  if (!box || intersection(*box, bounds).empty()) return;
  const SightBox whole{box->x, box->y, box->width, box->height};
  Thrown error;
  SightObject* object =
      error.check(sight_frame_add_object(frame, detection.label.c_str(), detection.class_id,
                                         detection.confidence, &whole, found.object, error));
  error.check(sight_object_set_stage_id(object, stage.id, error));
  if (!detection.landmarks.empty()) set_landmarks(object, detection.landmarks, found.to_frame);
  set_shape(object, stage, detection, found.to_frame);
  for (const Tensor& output : found.outputs)
    add_tensor(frame, object, stage, output, detection.row);
  colors.mark(object, detection.class_id);
}

// What goes to an object if there is one, and else to the frame.
void add_to(SightFrame* frame, SightObject* object, const StageName& stage,
            const RegionResults& found) {
  Thrown error;
  for (const Classification& c : found.results.classifications) {
    const auto classification = ClassificationHandle::adopt(
        sight_classification_new(c.attribute.c_str(), c.label.c_str(), c.class_id, c.confidence,
                                 stage.element.c_str(), stage.id));
    error.check(object != nullptr
                    ? sight_object_add_classification(object, classification.get(), error)
                    : sight_frame_add_classification(frame, classification.get(), error));
  }
  for (const auto* tensors : {&found.results.tensors, &found.outputs, &found.inputs})
    for (const Tensor& tensor : *tensors) add_tensor(frame, object, stage, tensor, -1);
}

void set_text(SightFrame* frame, const std::string& key, const std::string& text) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_STRING);
  g_value_take_string(&value, g_utf8_make_valid(text.c_str(), -1));
  Thrown error;
  const gboolean set = sight_frame_set_user_data(frame, key.c_str(), &value, error);
  g_value_unset(&value);
  error.check(set);
}

std::string skipped_key(guint stage_id) { return "sightline-skipped:" + std::to_string(stage_id); }

std::string taken_over_key(guint stage_id) {
  return "sightline-taken-over:" + std::to_string(stage_id);
}

void set_taken_over(SightObject* object, guint stage_id, std::uint64_t from_frame) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_UINT64);
  g_value_set_uint64(&value, from_frame);
  Thrown error;
  error.check(sight_object_set_user_data(object, taken_over_key(stage_id).c_str(), &value, error));
}

std::string failure_key(guint stage_id) { return "sightline-error:" + std::to_string(stage_id); }

std::string fingerprint_key(guint stage_id) {
  return "sightline-model:" + std::to_string(stage_id);
}

}  // namespace

void attach(SightFrame* frame, const StageName& stage, const Postprocessor& postprocessor,
            const RegionResults& found, const ClassColors& colors) {
  for (const Detection& detection : found.results.detections)
    add_detection(frame, stage, postprocessor, found, detection, colors);
  if (found.object == 0) {
    add_to(frame, nullptr, stage, found);
    return;
  }
  if (found.results.landmarks.empty() && found.results.classifications.empty() &&
      found.results.tensors.empty() && found.outputs.empty() && found.inputs.empty() &&
      !found.from_frame)
    return;
  const SightObject* const seen = sight_frame_find_object(frame, found.object);
  if (seen == nullptr) return;  // somebody removed it meanwhile
  Thrown error;
  SightObject* object = error.check(sight_frame_edit_object(frame, seen, error));
  if (!found.results.landmarks.empty())
    set_landmarks(object, found.results.landmarks, found.to_frame);
  add_to(frame, object, stage, found);
  if (found.quality) set_quality(object, *found.quality);
  if (found.from_frame) set_taken_over(object, stage.id, *found.from_frame);
}

void set_failure(SightFrame* frame, const StageName& stage, const std::string& problem) {
  set_text(frame, failure_key(stage.id), stage.element + ": " + problem);
}

bool has_failed(const SightFrame* frame, guint stage_id) {
  return sight_frame_get_user_data(frame, failure_key(stage_id).c_str()) != nullptr;
}

void set_skipped(SightFrame* frame, guint stage_id, const char* reason) {
  set_text(frame, skipped_key(stage_id), reason);
}

bool was_skipped(const SightFrame* frame, guint stage_id) {
  return sight_frame_get_user_data(frame, skipped_key(stage_id).c_str()) != nullptr;
}

std::optional<std::uint64_t> taken_over_from(const SightObject* object, guint stage_id) {
  const GValue* value = sight_object_get_user_data(object, taken_over_key(stage_id).c_str());
  if (value == nullptr || !G_VALUE_HOLDS_UINT64(value)) return std::nullopt;
  return g_value_get_uint64(value);
}

void set_fingerprint(SightFrame* frame, guint stage_id, const ModelFingerprint& fingerprint) {
  set_text(frame, fingerprint_key(stage_id),
           fingerprint.id + ";" + fingerprint.name + ";" + std::to_string(fingerprint.dimensions));
}

std::optional<ModelFingerprint> find_fingerprint(const SightFrame* frame, guint stage_id) {
  const GValue* value = sight_frame_get_user_data(frame, fingerprint_key(stage_id).c_str());
  if (value == nullptr || !G_VALUE_HOLDS_STRING(value) || g_value_get_string(value) == nullptr)
    return std::nullopt;
  const std::string text = g_value_get_string(value);
  const auto first = text.find(';'), last = text.rfind(';');
  if (first == std::string::npos || last == first) return std::nullopt;
  ModelFingerprint fingerprint{text.substr(0, first), text.substr(first + 1, last - first - 1), 0};
  const auto [end, problem] =
      std::from_chars(text.data() + last + 1, text.data() + text.size(), fingerprint.dimensions);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return fingerprint;
}

}  // namespace sightline
