// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/frame.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "meta/analytics.h"
#include "meta/error.h"

namespace sightline {

namespace {

// `Frame` is const or not.
template <typename Frame>
auto find_object(Frame& frame, guint64 id) {
  return std::ranges::find(frame.objects, id,
                           [](const ObjectHandle& object) { return object->id; });
}

auto require_object(SightFrame& frame, guint64 id) {
  const auto found = find_object(frame, id);
  if (found == frame.objects.end())
    throw Error(ErrorCode::kNotFound, "the frame has no object with id " + std::to_string(id) +
                                          " among its " + std::to_string(frame.objects.size()));
  return found;
}

auto require_object(SightFrame& frame, const SightObject* object) {
  if (object == nullptr)
    throw Error(ErrorCode::kNotFound, "no object was given (NULL): none of the frame's " +
                                          std::to_string(frame.objects.size()) + " is it");
  return require_object(frame, object->id);
}

// Finite, however far out a coordinate was.
float times(float coordinate, double scale) {
  constexpr double kLargest = std::numeric_limits<float>::max();
  return static_cast<float>(std::clamp(coordinate * scale, -kLargest, kLargest));
}

// What `body` returns if `frame` may be changed.
template <typename Body>
auto change(SightFrame* frame, GError** error, Body body) {
  return catch_gerror(error, [&] {
    frame->token->require_open("the frame");
    return body();
  });
}

}  // namespace

FrameHandle copy_frame(const SightFrame& frame) {
  auto copy = FrameHandle::adopt(new SightFrame(frame));
  copy->token = std::make_shared<EditToken>();
  return copy;
}

FrameHandle scale_frame(const SightFrame& frame, PictureSize from, PictureSize to) {
  const double x = static_cast<double>(to.width) / from.width;
  const double y = static_cast<double>(to.height) / from.height;
  FrameHandle scaled = copy_frame(frame);
  scaled->width = to.width;
  scaled->height = to.height;
  for (ObjectHandle& object : scaled->objects) {
    object = copy_object(*object, scaled->token);
    const SightBox box = object->box;
    object->box = {times(box.x, x), times(box.y, y), times(box.width, x), times(box.height, y)};
    for (auto* points : {&object->landmarks, &object->corners})
      for (SightPoint& point : *points) point = {times(point.x, x), times(point.y, y)};
    const SightBox area = object->mask_area;
    object->mask_area = {times(area.x, x), times(area.y, y), times(area.width, x),
                         times(area.height, y)};
  }
  scaled->token->seal();
  return scaled;
}

namespace {

// The ids of `from` that `frame` has already, with new ones.
std::map<guint64, guint64> new_ids(const SightFrame& frame, const SightFrame& from) {
  std::map<guint64, guint64> ids;
  for (const ObjectHandle& object : from.objects)
    if (find_object(frame, object->id) != frame.objects.end()) ids[object->id] = new_object_id();
  return ids;
}

void add_objects(SightFrame& frame, const SightFrame& from) {
  const std::map<guint64, guint64> ids = new_ids(frame, from);
  const auto renamed = [&](guint64 id) {
    const auto found = ids.find(id);
    return found != ids.end() ? found->second : id;
  };
  for (const ObjectHandle& object : from.objects) {
    ObjectHandle copy = copy_object(*object, frame.token);
    copy->id = renamed(copy->id);
    copy->parent = renamed(copy->parent);
    frame.objects.push_back(std::move(copy));
  }
}

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void add_frame(SightFrame& frame, const SightFrame& from) {
  frame.token->require_open("the frame");
  if (frame.width == 0 || frame.height == 0) frame.width = from.width, frame.height = from.height;
  frame.stream = from.stream;
  frame.number = from.number;
  add_objects(frame, from);
  append(frame.tensors, from.tensors);
  append(frame.classifications, from.classifications);
  if (const FrameReport report = frame_report(&from);
      !report.lines.empty() || !report.zones.empty())
    add_report(&frame, report);
}

}  // namespace sightline

using sightline::c_str;
using sightline::change;

namespace {

gpointer copy_point(gpointer point) { return g_memdup2(point, sizeof(SightPoint)); }
gpointer copy_box(gpointer box) { return g_memdup2(box, sizeof(SightBox)); }

}  // namespace

GType sight_point_get_type(void) {
  static const GType type = g_boxed_type_register_static("SightPoint", copy_point, g_free);
  return type;
}

GType sight_box_get_type(void) {
  static const GType type = g_boxed_type_register_static("SightBox", copy_box, g_free);
  return type;
}

G_DEFINE_BOXED_TYPE(SightFrame, sight_frame, sight_frame_ref, sight_frame_unref)

SightFrame* sight_frame_new(guint width, guint height) {
  auto* frame = new SightFrame;
  frame->width = width;
  frame->height = height;
  return frame;
}

SightFrame* sight_frame_ref(SightFrame* frame) {
  g_return_val_if_fail(frame != nullptr, nullptr);
  return frame->ref();
}

void sight_frame_unref(SightFrame* frame) {
  g_return_if_fail(frame != nullptr);
  frame->unref();
}

gboolean sight_frame_is_sealed(const SightFrame* frame) {
  g_return_val_if_fail(frame != nullptr, TRUE);
  return frame->token->sealed();
}

void sight_frame_seal(SightFrame* frame) {
  g_return_if_fail(frame != nullptr);
  frame->token->seal();
}

guint sight_frame_get_width(const SightFrame* frame) {
  if (frame == nullptr) return 0;
  return frame->width;
}

guint sight_frame_get_height(const SightFrame* frame) {
  if (frame == nullptr) return 0;
  return frame->height;
}

const char* sight_frame_get_stream(const SightFrame* frame) {
  if (frame == nullptr) return nullptr;
  return c_str(frame->stream);
}

guint64 sight_frame_get_number(const SightFrame* frame) {
  if (frame == nullptr) return 0;
  return frame->number;
}

gboolean sight_frame_set_size(SightFrame* frame, guint width, guint height, GError** error) {
  g_return_val_if_fail(frame != nullptr, FALSE);
  return change(frame, error, [&]() -> gboolean {
    frame->width = width;
    frame->height = height;
    return TRUE;
  });
}

gboolean sight_frame_set_stream(SightFrame* frame, const char* stream, guint64 number,
                                GError** error) {
  g_return_val_if_fail(frame != nullptr, FALSE);
  return change(frame, error, [&]() -> gboolean {
    frame->stream = sightline::checked(stream, "the stream's id");
    frame->number = number;
    return TRUE;
  });
}

guint sight_frame_get_n_objects(const SightFrame* frame) {
  if (frame == nullptr) return 0;
  return static_cast<guint>(frame->objects.size());
}

SightObject* sight_frame_get_object(const SightFrame* frame, guint index) {
  if (frame == nullptr) return nullptr;
  return index < frame->objects.size() ? frame->objects[index].get() : nullptr;
}

SightObject* sight_frame_find_object(const SightFrame* frame, guint64 id) {
  if (frame == nullptr) return nullptr;
  const auto found = sightline::find_object(*frame, id);
  return found != frame->objects.end() ? found->get() : nullptr;
}

SightObject* sight_frame_add_object(SightFrame* frame, const char* label, gint class_id,
                                    gfloat confidence, const SightBox* box, guint64 parent,
                                    GError** error) {
  g_return_val_if_fail(frame != nullptr && box != nullptr, nullptr);
  return change(frame, error, [&] {
    if (parent != 0) sightline::require_object(*frame, parent);
    frame->objects.push_back(
        sightline::make_object(frame->token, label, class_id, confidence, *box, parent));
    return frame->objects.back().get();
  });
}

SightObject* sight_frame_edit_object(SightFrame* frame, const SightObject* object, GError** error) {
  g_return_val_if_fail(frame != nullptr, nullptr);
  return change(frame, error, [&] {
    sightline::ObjectHandle& held = *sightline::require_object(*frame, object);
    if (held->token != frame->token) held = sightline::copy_object(*held, frame->token);
    return held.get();
  });
}

gboolean sight_frame_remove_object(SightFrame* frame, const SightObject* object, GError** error) {
  g_return_val_if_fail(frame != nullptr, FALSE);
  return change(frame, error, [&]() -> gboolean {
    frame->objects.erase(sightline::require_object(*frame, object));
    return TRUE;
  });
}

guint sight_frame_get_n_tensors(const SightFrame* frame) {
  if (frame == nullptr) return 0;
  return static_cast<guint>(frame->tensors.size());
}

SightTensor* sight_frame_get_tensor(const SightFrame* frame, guint index) {
  if (frame == nullptr) return nullptr;
  return index < frame->tensors.size() ? frame->tensors[index].get() : nullptr;
}

SightTensor* sight_frame_find_tensor(const SightFrame* frame, const char* name) {
  g_return_val_if_fail(name != nullptr, nullptr);
  if (frame == nullptr) return nullptr;
  return sightline::find_tensor(frame->tensors, name);
}

gboolean sight_frame_add_tensor(SightFrame* frame, SightTensor* tensor, GError** error) {
  g_return_val_if_fail(frame != nullptr && tensor != nullptr, FALSE);
  return change(frame, error, [&]() -> gboolean {
    frame->tensors.push_back(sightline::TensorHandle::share(tensor));
    return TRUE;
  });
}

guint sight_frame_get_n_classifications(const SightFrame* frame) {
  if (frame == nullptr) return 0;
  return static_cast<guint>(frame->classifications.size());
}

SightClassification* sight_frame_get_classification(const SightFrame* frame, guint index) {
  if (frame == nullptr) return nullptr;
  return index < frame->classifications.size() ? frame->classifications[index].get() : nullptr;
}

gboolean sight_frame_add_classification(SightFrame* frame, SightClassification* classification,
                                        GError** error) {
  g_return_val_if_fail(frame != nullptr && classification != nullptr, FALSE);
  return change(frame, error, [&]() -> gboolean {
    frame->classifications.push_back(sightline::ClassificationHandle::share(classification));
    return TRUE;
  });
}

gboolean sight_frame_set_user_data(SightFrame* frame, const char* name, const GValue* value,
                                   GError** error) {
  g_return_val_if_fail(frame != nullptr && name != nullptr, FALSE);
  return change(frame, error, [&]() -> gboolean {
    frame->user_data.set(name, value);
    return TRUE;
  });
}

const GValue* sight_frame_get_user_data(const SightFrame* frame, const char* name) {
  g_return_val_if_fail(name != nullptr, nullptr);
  if (frame == nullptr) return nullptr;
  return frame->user_data.find(name);
}

gboolean sight_frame_set_user_boxed(SightFrame* frame, const char* name, GType type,
                                    gconstpointer boxed, GError** error) {
  g_return_val_if_fail(frame != nullptr && name != nullptr && boxed != nullptr, FALSE);
  g_return_val_if_fail(G_TYPE_IS_BOXED(type), FALSE);
  return change(frame, error, [&]() -> gboolean {
    frame->user_data.set_boxed(name, type, boxed);
    return TRUE;
  });
}

gconstpointer sight_frame_get_user_boxed(const SightFrame* frame, const char* name, GType type) {
  g_return_val_if_fail(name != nullptr, nullptr);
  return frame != nullptr ? frame->user_data.find_boxed(name, type) : nullptr;
}

char** sight_frame_get_user_data_names(const SightFrame* frame) {
  return frame != nullptr ? frame->user_data.names() : g_new0(char*, 1);
}
