// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/object.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace sightline {

namespace {

std::atomic<guint64> last_id{0};

void check_box(const SightBox& box) {
  const bool finite = std::isfinite(box.x) && std::isfinite(box.y) && std::isfinite(box.width) &&
                      std::isfinite(box.height);
  if (finite && box.width >= 0 && box.height >= 0) return;
  throw Error(ErrorCode::kInput,
              "an object's box is x " + std::to_string(box.x) + ", y " + std::to_string(box.y) +
                  ", width " + std::to_string(box.width) + ", height " +
                  std::to_string(box.height) +
                  "; expected finite pixels, with a width and height of at least 0");
}

void check_landmarks(std::span<const SightPoint> landmarks) {
  for (std::size_t i = 0; i < landmarks.size(); ++i)
    if (!std::isfinite(landmarks[i].x) || !std::isfinite(landmarks[i].y))
      throw Error(ErrorCode::kInput, "landmark " + std::to_string(i) + " of an object is " +
                                         std::to_string(landmarks[i].x) + ", " +
                                         std::to_string(landmarks[i].y) +
                                         "; expected finite pixels");
}

}  // namespace

guint64 new_object_id() { return last_id.fetch_add(1, std::memory_order_relaxed) + 1; }

ObjectHandle make_object(EditTokenPtr token, const char* label, gint class_id, float confidence,
                         const SightBox& box, guint64 parent) {
  check_box(box);
  if (!std::isfinite(confidence))
    throw Error(ErrorCode::kInput, "an object's confidence is " + std::to_string(confidence) +
                                       "; expected a finite number");
  auto object = ObjectHandle::adopt(new SightObject);
  object->label = checked(label, "an object's label");
  object->token = std::move(token);
  object->id = new_object_id();
  object->parent = parent;
  object->class_id = class_id;
  object->confidence = confidence;
  object->box = box;
  return object;
}

void make_no_ids_up_to(guint64 id) {
  guint64 last = last_id.load(std::memory_order_relaxed);
  while (last < id && !last_id.compare_exchange_weak(last, id, std::memory_order_relaxed)) {
  }
}

ObjectHandle copy_object(const SightObject& object, EditTokenPtr token) {
  auto copy = ObjectHandle::adopt(new SightObject(object));
  copy->token = std::move(token);
  return copy;
}

SightTensor* find_tensor(const std::vector<TensorHandle>& tensors, const char* name) {
  const auto last = std::find_if(tensors.rbegin(), tensors.rend(), [&](const TensorHandle& tensor) {
    return std::strcmp(sight_tensor_get_name(tensor.get()), name) == 0;
  });
  return last == tensors.rend() ? nullptr : last->get();
}

}  // namespace sightline

using sightline::c_str;
using sightline::change_object;

G_DEFINE_BOXED_TYPE(SightObject, sight_object, sight_object_ref, sight_object_unref)

SightObject* sight_object_ref(SightObject* object) {
  g_return_val_if_fail(object != nullptr, nullptr);
  return object->ref();
}

void sight_object_unref(SightObject* object) {
  g_return_if_fail(object != nullptr);
  object->unref();
}

guint64 sight_object_get_id(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, 0);
  return object->id;
}

guint64 sight_object_get_parent(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, 0);
  return object->parent;
}

gint sight_object_get_class_id(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, -1);
  return object->class_id;
}

const char* sight_object_get_label(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, nullptr);
  return c_str(object->label);
}

gfloat sight_object_get_confidence(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, 0);
  return object->confidence;
}

void sight_object_get_box(const SightObject* object, SightBox* box) {
  g_return_if_fail(box != nullptr);
  *box = {};
  g_return_if_fail(object != nullptr);
  *box = object->box;
}

const SightPoint* sight_object_get_landmarks(const SightObject* object, guint* n_landmarks) {
  if (n_landmarks != nullptr) *n_landmarks = 0;
  g_return_val_if_fail(object != nullptr, nullptr);
  if (object->landmarks.empty()) return nullptr;
  if (n_landmarks != nullptr) *n_landmarks = static_cast<guint>(object->landmarks.size());
  return object->landmarks.data();
}

gboolean sight_object_get_track(const SightObject* object, guint64* track) {
  if (track != nullptr) *track = 0;
  g_return_val_if_fail(object != nullptr, FALSE);
  if (track != nullptr) *track = object->track.value_or(0);
  return object->track.has_value();
}

guint sight_object_get_stage_id(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, 0);
  return object->stage_id;
}

SightIdentity* sight_object_get_identity(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, nullptr);
  return object->identity.get();
}

guint sight_object_get_n_classifications(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, 0);
  return static_cast<guint>(object->classifications.size());
}

SightClassification* sight_object_get_classification(const SightObject* object, guint index) {
  g_return_val_if_fail(object != nullptr, nullptr);
  return index < object->classifications.size() ? object->classifications[index].get() : nullptr;
}

guint sight_object_get_n_tensors(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, 0);
  return static_cast<guint>(object->tensors.size());
}

SightTensor* sight_object_get_tensor(const SightObject* object, guint index) {
  g_return_val_if_fail(object != nullptr, nullptr);
  return index < object->tensors.size() ? object->tensors[index].get() : nullptr;
}

SightTensor* sight_object_find_tensor(const SightObject* object, const char* name) {
  g_return_val_if_fail(object != nullptr && name != nullptr, nullptr);
  return sightline::find_tensor(object->tensors, name);
}

gboolean sight_object_set_box(SightObject* object, const SightBox* box, GError** error) {
  g_return_val_if_fail(object != nullptr && box != nullptr, FALSE);
  return change_object(object, error, [&] {
    sightline::check_box(*box);
    object->box = *box;
  });
}

gboolean sight_object_set_landmarks(SightObject* object, const SightPoint* landmarks,
                                    guint n_landmarks, GError** error) {
  g_return_val_if_fail(object != nullptr && (landmarks != nullptr || n_landmarks == 0), FALSE);
  return change_object(object, error, [&] {
    sightline::check_landmarks({landmarks, n_landmarks});
    object->landmarks.assign(landmarks, landmarks + n_landmarks);
    object->landmark_confidences.clear();
  });
}

gboolean sight_object_set_track(SightObject* object, guint64 track, GError** error) {
  g_return_val_if_fail(object != nullptr, FALSE);
  return change_object(object, error, [&] { object->track = track; });
}

gboolean sight_object_set_stage_id(SightObject* object, guint stage_id, GError** error) {
  g_return_val_if_fail(object != nullptr, FALSE);
  return change_object(object, error, [&] { object->stage_id = stage_id; });
}

gboolean sight_object_set_identity(SightObject* object, SightIdentity* identity, GError** error) {
  g_return_val_if_fail(object != nullptr, FALSE);
  return change_object(object, error,
                       [&] { object->identity = sightline::IdentityHandle::share(identity); });
}

gboolean sight_object_add_classification(SightObject* object, SightClassification* classification,
                                         GError** error) {
  g_return_val_if_fail(object != nullptr && classification != nullptr, FALSE);
  return change_object(object, error, [&] {
    object->classifications.push_back(sightline::ClassificationHandle::share(classification));
  });
}

gboolean sight_object_add_tensor(SightObject* object, SightTensor* tensor, GError** error) {
  g_return_val_if_fail(object != nullptr && tensor != nullptr, FALSE);
  return change_object(object, error,
                       [&] { object->tensors.push_back(sightline::TensorHandle::share(tensor)); });
}

gboolean sight_object_set_user_data(SightObject* object, const char* name, const GValue* value,
                                    GError** error) {
  g_return_val_if_fail(object != nullptr && name != nullptr, FALSE);
  return change_object(object, error, [&] { object->user_data.set(name, value); });
}

const GValue* sight_object_get_user_data(const SightObject* object, const char* name) {
  g_return_val_if_fail(object != nullptr && name != nullptr, nullptr);
  return object->user_data.find(name);
}

gboolean sight_object_set_user_boxed(SightObject* object, const char* name, GType type,
                                     gconstpointer boxed, GError** error) {
  g_return_val_if_fail(object != nullptr && name != nullptr && boxed != nullptr, FALSE);
  g_return_val_if_fail(G_TYPE_IS_BOXED(type), FALSE);
  return change_object(object, error, [&] { object->user_data.set_boxed(name, type, boxed); });
}

gconstpointer sight_object_get_user_boxed(const SightObject* object, const char* name, GType type) {
  g_return_val_if_fail(object != nullptr && name != nullptr, nullptr);
  return object->user_data.find_boxed(name, type);
}

char** sight_object_get_user_data_names(const SightObject* object) {
  g_return_val_if_fail(object != nullptr, nullptr);
  return object->user_data.names();
}
