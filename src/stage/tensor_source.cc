// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/tensor_source.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include <gst/gst.h>

#include "meta/error.h"
#include "meta/tensor.h"

namespace sightline {

namespace {

constexpr const char* kProperty = "property";
constexpr std::size_t kNumbers = 10;  // of a region

std::string key_of(guint stage_id) { return "sightline-regions:" + std::to_string(stage_id); }

void append(GValue& array, double number) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, G_TYPE_DOUBLE);
  g_value_set_double(&value, number);
  gst_value_array_append_and_take_value(&array, &value);
}

// What set_regions() wrote before; null if there is none.
const GstStructure* structure_of(const SightFrame* frame, const SightObject* object,
                                 guint stage_id) {
  const std::string key = key_of(stage_id);
  return static_cast<const GstStructure*>(
      object != nullptr ? sight_object_get_user_boxed(object, key.c_str(), GST_TYPE_STRUCTURE)
                        : sight_frame_get_user_boxed(frame, key.c_str(), GST_TYPE_STRUCTURE));
}

// All numbers of a stage's tensors of this name; none where they are not what set_regions() writes.
std::vector<double> numbers_of(const SightFrame* frame, const SightObject* object, guint stage_id,
                               const char* name) {
  const GstStructure* const structure = structure_of(frame, object, stage_id);
  if (structure == nullptr) return {};
  const GValue* array = gst_structure_get_value(structure, name);
  if (array == nullptr || !GST_VALUE_HOLDS_ARRAY(array)) return {};
  std::vector<double> numbers;
  for (guint i = 0; i < gst_value_array_get_size(array); ++i) {
    const GValue* value = gst_value_array_get_value(array, i);
    if (!G_VALUE_HOLDS_DOUBLE(value) || !std::isfinite(g_value_get_double(value))) return {};
    numbers.push_back(g_value_get_double(value));
  }
  return numbers;
}

std::optional<Region> region_at(const std::vector<double>& numbers, std::size_t index,
                                const SightFrame* frame) {
  if (numbers.size() < kNumbers * (index + 1)) return std::nullopt;
  const double* n = numbers.data() + kNumbers * index;
  const auto number = [&](int i) { return static_cast<float>(n[i]); };
  const Affine2 to_pixels =
      Affine2::scaling(sight_frame_get_width(frame), sight_frame_get_height(frame));
  return Region{to_pixels * Affine2{n[0], n[1], n[2], n[3], n[4], n[5]},
                Rect{number(6), number(7), number(8), number(9)}};
}

Shape without_leading_one(Shape shape, std::size_t dimensions) {
  if (shape.size() == dimensions + 1 && shape.front() == 1) shape.erase(shape.begin());
  return shape;
}

void require(const Tensor& tensor, ElementType type, const Shape& shape) {
  if (tensor.type == type && without_leading_one(tensor.shape, shape.size()) == shape &&
      tensor.memory == MemoryKind::kHost && tensor.data != nullptr)
    return;
  throw Error(ErrorCode::kInput,
              "the tensor \"" + tensor.name + "\" in the metadata is " +
                  std::string(name_of(tensor.type)) + " " + to_string(tensor.shape) +
                  (tensor.memory == MemoryKind::kHost ? "" : " on a GPU") +
                  ", and the network's input is " + std::string(name_of(type)) + " " +
                  to_string(shape) + ". Make it so in the stage that attaches it");
}

}  // namespace

std::optional<TensorSource> TensorSource::from_config(const ConfigFile& config,
                                                      const std::string& input_name) {
  const auto wanted = config.find(kProperty, "input-tensor-from-meta");
  const bool on = wanted && wanted->as_bool();
  TensorSource source{input_name};
  if (const auto name = config.find(kProperty, "input-tensor-name")) {
    if (!on) name->fail("needs input-tensor-from-meta = 1");
    source.name = name->text();
  }
  if (const auto id = config.find(kProperty, "input-tensor-gie-id")) {
    if (!on) id->fail("needs input-tensor-from-meta = 1");
    source.stage_id = id->as_int(-1, std::numeric_limits<int>::max());
  }
  if (const auto clip = config.find(kProperty, "clip-object-outside-roi"))
    source.clip = clip->as_bool();
  return on ? std::optional(source) : std::nullopt;
}

bool TensorSource::takes(const SightTensor* tensor) const {
  return name == sight_tensor_get_name(tensor) &&
         (stage_id < 0 || sight_tensor_get_stage_id(tensor) == static_cast<guint>(stage_id));
}

std::vector<GivenTensor> given_tensors(const TensorSource& source, const SightFrame* frame,
                                       const SightObject* object, ElementType type,
                                       const Shape& shape) {
  std::vector<GivenTensor> given;
  std::map<guint, std::size_t> earlier;  // of the same stage
  const guint count =
      object != nullptr ? sight_object_get_n_tensors(object) : sight_frame_get_n_tensors(frame);
  for (guint i = 0; i < count; ++i) {
    SightTensor* tensor =
        object != nullptr ? sight_object_get_tensor(object, i) : sight_frame_get_tensor(frame, i);
    if (!source.takes(tensor)) continue;
    require(unwrap(tensor), type, shape);
    const guint stage = sight_tensor_get_stage_id(tensor);
    const auto numbers = numbers_of(frame, object, stage, source.name.c_str());
    given.push_back({TensorHandle::share(tensor), region_at(numbers, earlier[stage]++, frame)});
  }
  return given;
}

std::function<void(std::span<std::byte>)> copy_of(const TensorHandle& tensor) {
  return [tensor](std::span<std::byte> item) {
    const Tensor& values = unwrap(tensor.get());
    if (values.bytes() != item.size())
      throw Error(ErrorCode::kInput,
                  "the tensor \"" + values.name + "\" has " + std::to_string(values.bytes()) +
                      " bytes, the network's input " + std::to_string(item.size()));
    std::memcpy(item.data(), values.data, item.size());
  };
}

void set_regions(SightFrame* frame, SightObject* object, guint stage_id, const std::string& name,
                 std::span<const Region> regions, Size tensor) {
  const Affine2 to_shares = Affine2::scaling(1.0 / std::max(sight_frame_get_width(frame), 1u),
                                             1.0 / std::max(sight_frame_get_height(frame), 1u));
  const Rect all{0, 0, static_cast<float>(tensor.width), static_cast<float>(tensor.height)};
  GValue array = G_VALUE_INIT;
  g_value_init(&array, GST_TYPE_ARRAY);
  for (const Region& region : regions) {
    const Affine2 map = to_shares * region.to_frame;
    const Rect content = region.content.value_or(all);
    for (const double number : {map.xx, map.xy, map.x0, map.yx, map.yy, map.y0})
      append(array, number);
    for (const float number : {content.x, content.y, content.width, content.height})
      append(array, number);
  }
  const GstStructure* const before = structure_of(frame, object, stage_id);
  GstStructure* structure =
      before != nullptr ? gst_structure_copy(before) : gst_structure_new_empty("sightline-regions");
  gst_structure_take_value(structure, name.c_str(), &array);
  GError* error = nullptr;
  if (object != nullptr)
    sight_object_set_user_boxed(object, key_of(stage_id).c_str(), GST_TYPE_STRUCTURE, structure,
                                &error);
  else
    sight_frame_set_user_boxed(frame, key_of(stage_id).c_str(), GST_TYPE_STRUCTURE, structure,
                               &error);
  gst_structure_free(structure);
  if (error != nullptr) throw take_error(error);
}

std::optional<Region> first_region(const SightFrame* frame, const SightObject* object,
                                   guint stage_id, const char* name) {
  return region_at(numbers_of(frame, object, stage_id, name), 0, frame);
}

}  // namespace sightline
