// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A frame as DL Streamer's gvametaconvert writes it, for what reads that.

#include <string>

#include "meta/frame.h"
#include "meta/json.h"
#include "meta/json_tensor.h"
#include "meta/json_value.h"
#include "meta/tensor.h"
#include "meta/visible_part.h"

namespace sightline {

namespace {

const char* precision_of(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return "FP32";
    case ElementType::kFloat16:
      return "FP16";
    case ElementType::kFloat64:
      return "FP64";
    case ElementType::kUint8:
      return "U8";
    case ElementType::kInt8:
      return "I8";
    case ElementType::kUint16:
      return "U16";
    case ElementType::kInt16:
      return "I16";
    case ElementType::kUint32:
      return "U32";
    case ElementType::kInt32:
      return "I32";
    case ElementType::kUint64:
      return "U64";
    case ElementType::kInt64:
      return "I64";
    case ElementType::kBool:
      return "BOOL";
  }
  return "UNSPECIFIED";
}

Json to_gva(const SightTensor* tensor) {
  const Tensor& held = unwrap(tensor);
  Json json = {{"precision", precision_of(held.type)},
               {"layout", "ANY"},
               {"dims", held.shape},
               {"name", held.name},
               {"layer_name", held.name}};
  if (const char* stage = sight_tensor_get_stage(tensor)) json["model_name"] = stage;
  json["data"] = elements_of(held);
  return json;
}

void put_tensors(Json& json, const std::vector<TensorHandle>& tensors) {
  for (const TensorHandle& tensor : tensors)
    if (unwrap(tensor.get()).type != ElementType::kFloat64)
      json["tensors"].push_back(to_gva(tensor.get()));
}

void put_attribute(Json& json, const char* name, const char* label, int label_id, float confidence,
                   const char* model) {
  Json attribute = {{"label", label}, {"confidence", confidence}};
  if (label_id >= 0) attribute["label_id"] = label_id;
  if (model != nullptr) attribute["model"] = {{"name", model}};
  // An attribute may be named as what else an object has, which stays.
  if (!json.contains(name)) json[name] = std::move(attribute);
}

void put_attributes(Json& json, const std::vector<ClassificationHandle>& classifications) {
  for (const ClassificationHandle& it : classifications)
    put_attribute(
        json, sight_classification_get_attribute(it.get()),
        sight_classification_get_label(it.get()), sight_classification_get_class_id(it.get()),
        sight_classification_get_confidence(it.get()), sight_classification_get_stage(it.get()));
}

Json detection_of(const SightObject& object, const std::optional<Rect>& part) {
  Json detection = Json::object();
  if (part)
    detection["bounding_box"] = {{"x_min", part->x},
                                 {"x_max", part->right()},
                                 {"y_min", part->y},
                                 {"y_max", part->bottom()}};
  detection["confidence"] = object.confidence;
  if (object.class_id >= 0) detection["label_id"] = object.class_id;
  if (object.label) detection["label"] = *object.label;
  return detection;
}

Json to_gva(const SightObject& object, const SightFrame& frame, bool with_tensors) {
  const Rect part = visible(object.box, frame);
  const PixelBox box = nearest_pixels(part);
  Json json = {{"x", box.x}, {"y", box.y}, {"w", box.width}, {"h", box.height}};
  json["region_id"] = object.id;
  if (object.parent != 0) json["parent_id"] = object.parent;
  if (object.track) json["id"] = *object.track;
  if (object.label) json["roi_type"] = *object.label;
  json["detection"] = detection_of(object, normalised(part, frame));
  if (object.identity && sight_identity_is_known(object.identity.get())) {
    const char* person = sight_identity_get_person(object.identity.get());
    const char* name = sight_identity_get_name(object.identity.get());
    put_attribute(json, "face_id", name != nullptr ? name : person, -1,
                  sight_identity_get_similarity(object.identity.get()), nullptr);
  }
  put_attributes(json, object.classifications);
  if (with_tensors) put_tensors(json, object.tensors);
  return json;
}

}  // namespace

std::string gvametaconvert_line(const SightFrame& frame, GstClockTime pts, bool with_tensors) {
  Json json = {{"resolution", {{"width", frame.width}, {"height", frame.height}}}};
  if (frame.stream) json["source"] = *frame.stream;
  if (GST_CLOCK_TIME_IS_VALID(pts)) json["timestamp"] = pts;
  json["objects"] = Json::array();
  for (const ObjectHandle& object : frame.objects)
    if (!visible(object->box, frame).empty())
      json["objects"].push_back(to_gva(*object, frame, with_tensors));
  put_attributes(json, frame.classifications);
  if (with_tensors) put_tensors(json, frame.tensors);
  return to_text(json);
}

}  // namespace sightline
