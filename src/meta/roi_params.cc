// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/roi_params.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/tensor.h"
#include "meta/object.h"
#include "meta/tensor.h"

namespace sightline {

namespace {

constexpr char kDetection[] = "detection";
constexpr char kObjectId[] = "object_id";
constexpr char kLandmarkPoints[] = "landmark_points";
constexpr std::string_view kClassificationLayer = "classification_layer_name:";
constexpr std::string_view kInferenceLayer = "inference_layer_name:";
constexpr double kFarthest = 1 << 24;  // pixels that a float still tells apart
constexpr int kPrecisionFp32 = 10, kLayoutAny = 0, kLayoutNc = 193;
// On the structures that are ours to replace; its value is the object's id.
constexpr char kMark[] = "sightline_object";

struct FreeStructure {
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};
using StructurePtr = std::unique_ptr<GstStructure, FreeStructure>;

// --- reading ----------------------------------------------------------------------------------

// The first structure for which `wanted` holds, or NULL.
template <typename Predicate>
GstStructure* find(const GstVideoRegionOfInterestMeta& region, Predicate wanted) {
  for (const GList* item = region.params; item != nullptr; item = item->next)
    if (auto* structure = static_cast<GstStructure*>(item->data);
        GST_IS_STRUCTURE(structure) && wanted(structure))
      return structure;
  return nullptr;
}

GstStructure* find_named(const GstVideoRegionOfInterestMeta& region, const char* name) {
  return find(region, [&](const GstStructure* s) { return gst_structure_has_name(s, name); });
}

// A finite number of any of the types that GStreamer writes numbers in.
std::optional<double> number(const GstStructure* structure, const char* field) {
  const GValue* value = gst_structure_get_value(structure, field);
  if (value == nullptr) return std::nullopt;
  std::optional<double> number;
  if (G_VALUE_HOLDS_DOUBLE(value)) number = g_value_get_double(value);
  if (G_VALUE_HOLDS_FLOAT(value)) number = g_value_get_float(value);
  if (G_VALUE_HOLDS_INT(value)) number = g_value_get_int(value);
  if (G_VALUE_HOLDS_UINT(value)) number = g_value_get_uint(value);
  if (number && !std::isfinite(*number)) return std::nullopt;
  return number;
}

// A whole number from 0 to the largest int.
std::optional<int> index(const GstStructure* structure, const char* field) {
  const std::optional<double> value = number(structure, field);
  if (!value || *value < 0 || *value > std::numeric_limits<int>::max() ||
      *value != std::floor(*value))
    return std::nullopt;
  return static_cast<int>(*value);
}

// Whether somebody else wrote it.
bool is_foreign(const GstStructure* structure) {
  return !gst_structure_has_field(structure, kMark);
}

bool is_landmarks(const GstStructure* structure) {
  return g_strcmp0(gst_structure_get_string(structure, "format"), kLandmarkPoints) == 0;
}

// Whether it is a result of a later stage: everything is but what has a place of its own.
bool is_result(const GstStructure* structure) {
  return !gst_structure_has_name(structure, kDetection) &&
         !gst_structure_has_name(structure, kObjectId) && !is_landmarks(structure);
}

template <typename Do>
void for_each_result(const GstVideoRegionOfInterestMeta& region, Do each) {
  find(region, [&](const GstStructure* structure) {
    if (is_result(structure)) each(structure);
    return false;
  });
}

// What a result is named after: an attribute, or the layer of the network.
std::string result_name(const GstStructure* structure) {
  const std::string_view name = gst_structure_get_name(structure);
  for (const std::string_view prefix : {kClassificationLayer, kInferenceLayer})
    if (name.starts_with(prefix)) return std::string(name.substr(prefix.size()));
  return std::string(name);
}

const char* stage_name(const GstStructure* structure) {
  const char* model = gst_structure_get_string(structure, "model_name");
  return model != nullptr ? model : gst_structure_get_string(structure, "element_id");
}

GVariant* payload(const GstStructure* structure) {
  const GValue* value = gst_structure_get_value(structure, "data_buffer");
  if (value == nullptr || !G_VALUE_HOLDS_VARIANT(value)) return nullptr;
  GVariant* variant = g_value_get_variant(value);
  const bool is_bytes =
      variant != nullptr && g_variant_is_of_type(variant, G_VARIANT_TYPE_BYTESTRING);
  return is_bytes ? variant : nullptr;
}

// A structure's payload as numbers; empty if it is not float32.
std::vector<float> floats(const GstStructure* structure) {
  if (index(structure, "precision").value_or(kPrecisionFp32) != kPrecisionFp32) return {};
  GVariant* variant = payload(structure);
  if (variant == nullptr) return {};
  gsize size = 0;
  const void* bytes = g_variant_get_fixed_array(variant, &size, 1);
  std::vector<float> floats(size / sizeof(float));
  // Copied, since a variant's bytes may lie anywhere.
  if (!floats.empty()) std::memcpy(floats.data(), bytes, floats.size() * sizeof(float));
  return floats;
}

// The type of a payload's elements; absent means float32, as DL Streamer takes it.
std::optional<SightElementType> element_type(const GstStructure* structure) {
  switch (index(structure, "precision").value_or(kPrecisionFp32)) {
    case kPrecisionFp32:
      return SIGHT_ELEMENT_FLOAT32;
    case 11:
      return SIGHT_ELEMENT_FLOAT16;
    case 13:
      return SIGHT_ELEMENT_FLOAT64;
    case 30:
      return SIGHT_ELEMENT_INT16;
    case 40:
      return SIGHT_ELEMENT_UINT8;
    case 41:
      return SIGHT_ELEMENT_BOOL;
    case 50:
      return SIGHT_ELEMENT_INT8;
    case 60:
      return SIGHT_ELEMENT_UINT16;
    case 70:
      return SIGHT_ELEMENT_INT32;
    case 72:
      return SIGHT_ELEMENT_INT64;
    case 73:
      return SIGHT_ELEMENT_UINT64;
    case 74:
      return SIGHT_ELEMENT_UINT32;
    default:
      return std::nullopt;
  }
}

// The shape in "dims" if that many elements are there: DL Streamer writes that of a whole batch.
Shape shape_of(const GstStructure* structure, std::size_t count) {
  Shape shape;
  const GValue* dims = gst_structure_get_value(structure, "dims");
  const guint n =
      dims != nullptr && GST_VALUE_HOLDS_ARRAY(dims) ? gst_value_array_get_size(dims) : 0;
  std::size_t product = 1;
  for (guint i = 0; i < n; ++i) {
    const GValue* dim = gst_value_array_get_value(dims, i);
    const guint size = G_VALUE_HOLDS_UINT(dim) ? g_value_get_uint(dim) : 0;
    if (__builtin_mul_overflow(product, std::size_t{size}, &product))
      return {1, static_cast<std::int64_t>(count)};
    shape.push_back(size);
  }
  if (n > 0 && product == count) return shape;
  return {1, static_cast<std::int64_t>(count)};
}

std::string tensor_name(const GstStructure* structure) {
  const char* layer = gst_structure_get_string(structure, "layer_name");
  return layer != nullptr ? layer : result_name(structure);
}

// Null: it holds no elements of a type that is known.
TensorHandle tensor_from(const GstStructure* structure) {
  GVariant* variant = payload(structure);
  const auto type = element_type(structure);
  if (variant == nullptr || !type) return {};
  const gsize size = g_variant_get_size(variant), element = sight_element_type_get_size(*type);
  if (size == 0 || size % element != 0) return {};
  const Shape shape = shape_of(structure, size / element);
  const std::unique_ptr<GBytes, decltype(&g_bytes_unref)> bytes(
      g_variant_get_data_as_bytes(variant), g_bytes_unref);
  const Text name = repaired(tensor_name(structure).c_str());
  const auto tensor = TensorHandle::adopt(sight_tensor_new(
      c_str(name), *type, shape.data(), static_cast<guint>(shape.size()), bytes.get(), nullptr));
  if (!tensor) return {};
  const Text stage = repaired(stage_name(structure));
  return TensorHandle::adopt(wrap_tensor(unwrap(tensor.get()), stage.value_or(""), 0, -1));
}

// --- writing ----------------------------------------------------------------------------------

// A structure's name may hold fewer characters than a model's words.
std::string structure_name(std::string_view text) {
  std::string name(text);
  for (char& c : name)
    if (!g_ascii_isalnum(c) && !std::strchr("/-_.:+", c)) c = '_';
  if (name.empty() || !g_ascii_isalpha(name[0])) name.insert(0, "x_");
  return name;
}

GstStructure* find_or_add(GstVideoRegionOfInterestMeta& region, const char* name) {
  if (GstStructure* found = find_named(region, name)) return found;
  GstStructure* added = gst_structure_new_empty(name);
  gst_video_region_of_interest_meta_add_param(&region, added);
  return added;
}

void set(GstStructure* structure, const char* field, double value) {
  gst_structure_set(structure, field, G_TYPE_DOUBLE, value, nullptr);
}
void set(GstStructure* structure, const char* field, int value) {
  gst_structure_set(structure, field, G_TYPE_INT, value, nullptr);
}
void set(GstStructure* structure, const char* field, const char* value) {
  if (value != nullptr) gst_structure_set(structure, field, G_TYPE_STRING, value, nullptr);
}

StructurePtr make_result(const std::string& name, const SightObject& object) {
  StructurePtr structure(gst_structure_new_empty(structure_name(name).c_str()));
  gst_structure_set(structure.get(), kMark, G_TYPE_UINT64, object.id, nullptr);
  return structure;
}

void add(GstVideoRegionOfInterestMeta& region, StructurePtr structure) {
  gst_video_region_of_interest_meta_add_param(&region, structure.release());
}

// The payload: float32, [1, size]. `bytes` is taken over.
void set_floats(GstStructure* structure, GBytes* bytes, int layout) {
  GValue dims = G_VALUE_INIT, dim = G_VALUE_INIT;
  g_value_init(&dims, GST_TYPE_ARRAY);
  g_value_init(&dim, G_TYPE_UINT);
  for (const gsize size : {gsize{1}, g_bytes_get_size(bytes) / sizeof(float)}) {
    g_value_set_uint(&dim, static_cast<guint>(size));
    gst_value_array_append_value(&dims, &dim);
  }
  g_value_unset(&dim);
  gst_structure_take_value(structure, "dims", &dims);
  set(structure, "precision", kPrecisionFp32);
  set(structure, "layout", layout);
  gst_structure_set(structure, "data_buffer", G_TYPE_VARIANT,
                    g_variant_new_from_bytes(G_VARIANT_TYPE_BYTESTRING, bytes, TRUE), nullptr);
  g_bytes_unref(bytes);
}

void remove_results(GstVideoRegionOfInterestMeta& region) {
  for (GList* item = region.params; item != nullptr;) {
    GList* next = item->next;
    auto* structure = static_cast<GstStructure*>(item->data);
    if (GST_IS_STRUCTURE(structure) && gst_structure_has_field(structure, kMark)) {
      gst_structure_free(structure);
      region.params = g_list_delete_link(region.params, item);
    }
    item = next;
  }
}

void write_detection(GstStructure* structure, const SightObject& object,
                     const std::optional<Rect>& normalised) {
  set(structure, "confidence", static_cast<double>(object.confidence));
  if (object.class_id >= 0) set(structure, "label_id", object.class_id);
  if (!normalised) return;
  set(structure, "x_min", static_cast<double>(normalised->x));
  set(structure, "x_max", static_cast<double>(normalised->right()));
  set(structure, "y_min", static_cast<double>(normalised->y));
  set(structure, "y_max", static_cast<double>(normalised->bottom()));
}

// Whether somebody else says so already, whose result was imported.
bool has_theirs(const GstVideoRegionOfInterestMeta& region,
                const SightClassification* classification) {
  return find(region, [&](const GstStructure* structure) {
           return is_foreign(structure) && is_result(structure) &&
                  result_name(structure) == sight_classification_get_attribute(classification) &&
                  g_strcmp0(gst_structure_get_string(structure, "label"),
                            sight_classification_get_label(classification)) == 0;
         }) != nullptr;
}

bool has_theirs(const GstVideoRegionOfInterestMeta& region, const SightTensor* tensor) {
  return find(region, [&](const GstStructure* structure) {
           return is_foreign(structure) && is_result(structure) && payload(structure) != nullptr &&
                  tensor_name(structure) == sight_tensor_get_name(tensor);
         }) != nullptr;
}

void write_classification(GstVideoRegionOfInterestMeta& region, const SightObject& object,
                          const SightClassification* classification) {
  if (has_theirs(region, classification)) return;
  StructurePtr structure = make_result(sight_classification_get_attribute(classification), object);
  set(structure.get(), "type", "classification_result");
  set(structure.get(), "label", sight_classification_get_label(classification));
  if (const int id = sight_classification_get_class_id(classification); id >= 0)
    set(structure.get(), "label_id", id);
  set(structure.get(), "confidence",
      static_cast<double>(sight_classification_get_confidence(classification)));
  set(structure.get(), "model_name", sight_classification_get_stage(classification));
  add(region, std::move(structure));
}

// A known person. `label_id` is the person's id where that is a number.
void write_identity(GstVideoRegionOfInterestMeta& region, const SightObject& object,
                    const SightIdentity* identity) {
  if (!sight_identity_is_known(identity)) return;
  const char* person = sight_identity_get_person(identity);
  const char* name = sight_identity_get_name(identity);
  StructurePtr structure = make_result("face_id", object);
  set(structure.get(), "type", "classification_result");
  set(structure.get(), "label", name != nullptr ? name : person);
  guint64 id = 0;
  if (g_ascii_string_to_unsigned(person, 10, 0, G_MAXINT, &id, nullptr))
    set(structure.get(), "label_id", static_cast<int>(id));
  set(structure.get(), "confidence", static_cast<double>(sight_identity_get_similarity(identity)));
  gfloat probability = 0;
  if (sight_identity_get_probability(identity, &probability))
    set(structure.get(), "probability", static_cast<double>(probability));
  add(region, std::move(structure));
}

void write_landmarks(GstVideoRegionOfInterestMeta& region, const SightObject& object) {
  if (object.landmarks.empty() || !(object.box.width > 0 && object.box.height > 0)) return;
  std::vector<float> relative;
  for (const SightPoint& point : object.landmarks) {
    relative.push_back((point.x - object.box.x) / object.box.width);
    relative.push_back((point.y - object.box.y) / object.box.height);
  }
  StructurePtr structure = make_result("landmarks", object);
  set(structure.get(), "format", kLandmarkPoints);
  set_floats(structure.get(), g_bytes_new(relative.data(), relative.size() * sizeof(float)),
             kLayoutAny);
  add(region, std::move(structure));
}

// A row of numbers, which is what an embedding looks like; other tensors are for our own API.
bool is_row_of_floats(const Tensor& tensor) {
  if (tensor.type != ElementType::kFloat32) return false;
  if (tensor.shape.empty() || tensor.count() == 0) return false;
  return tensor.count() == static_cast<std::size_t>(tensor.shape.back());
}

void write_embedding(GstVideoRegionOfInterestMeta& region, const SightObject& object,
                     SightTensor* tensor) {
  if (!is_row_of_floats(unwrap(tensor)) || has_theirs(region, tensor)) return;
  GBytes* const elements = sight_tensor_get_bytes(tensor, nullptr);
  if (elements == nullptr) return;
  const char* name = sight_tensor_get_name(tensor);
  StructurePtr structure = make_result(std::string(kClassificationLayer) + name, object);
  set(structure.get(), "type", "tensor");
  set(structure.get(), "format", "cosine_distance");
  set(structure.get(), "layer_name", name);
  set(structure.get(), "model_name", sight_tensor_get_stage(tensor));
  set_floats(structure.get(), elements, kLayoutNc);
  add(region, std::move(structure));
}

}  // namespace

RegionDetection read_detection(const GstVideoRegionOfInterestMeta& region) {
  const GstStructure* structure = find_named(region, kDetection);
  if (structure == nullptr) return {};
  RegionDetection detection;
  if (const auto confidence = number(structure, "confidence");
      confidence && std::abs(*confidence) <= std::numeric_limits<float>::max())
    detection.confidence = static_cast<float>(*confidence);
  detection.label_id = index(structure, "label_id");
  const auto x_min = number(structure, "x_min"), x_max = number(structure, "x_max");
  const auto y_min = number(structure, "y_min"), y_max = number(structure, "y_max");
  if (!x_min || !x_max || !y_min || !y_max) return detection;
  const bool is_box = *x_min >= 0 && *x_max > *x_min && *y_min >= 0 && *y_max > *y_min;
  if (!is_box || !(*x_max <= kFarthest && *y_max <= kFarthest)) return detection;
  detection.box = Rect{static_cast<float>(*x_min), static_cast<float>(*y_min),
                       static_cast<float>(*x_max - *x_min), static_cast<float>(*y_max - *y_min)};
  detection.in_pixels = *x_max > 1 || *y_max > 1;
  return detection;
}

std::optional<guint64> read_track(const GstVideoRegionOfInterestMeta& region) {
  const GstStructure* structure = find_named(region, kObjectId);
  if (structure == nullptr) return std::nullopt;
  return index(structure, "id");
}

std::vector<SightPoint> read_landmarks(const GstVideoRegionOfInterestMeta& region,
                                       const SightBox& box) {
  const GstStructure* structure = find(region, is_landmarks);
  if (structure == nullptr) return {};
  const std::vector<float> relative = floats(structure);
  std::vector<SightPoint> landmarks;
  for (std::size_t i = 0; i + 1 < relative.size(); i += 2) {
    const SightPoint point = {box.x + relative[i] * box.width,
                              box.y + relative[i + 1] * box.height};
    if (!std::isfinite(point.x) || !std::isfinite(point.y)) return {};
    landmarks.push_back(point);
  }
  return landmarks;
}

std::vector<ClassificationHandle> read_classifications(const GstVideoRegionOfInterestMeta& region) {
  std::vector<ClassificationHandle> found;
  for_each_result(region, [&](const GstStructure* structure) {
    const char* label = gst_structure_get_string(structure, "label");
    if (label == nullptr) return;
    const double confidence = number(structure, "confidence").value_or(1);
    if (std::abs(confidence) > std::numeric_limits<float>::max()) return;
    found.push_back(ClassificationHandle::adopt(sight_classification_new(
        result_name(structure).c_str(), label, index(structure, "label_id").value_or(-1),
        static_cast<float>(confidence), stage_name(structure), 0)));
  });
  return found;
}

std::vector<TensorHandle> read_tensors(const GstVideoRegionOfInterestMeta& region) {
  std::vector<TensorHandle> found;
  for_each_result(region, [&](const GstStructure* structure) {
    if (TensorHandle tensor = tensor_from(structure)) found.push_back(std::move(tensor));
  });
  return found;
}

bool has_detection(const GstVideoRegionOfInterestMeta& region) {
  return find_named(region, kDetection) != nullptr;
}

void write_params(GstVideoRegionOfInterestMeta& region, const SightObject& object,
                  const std::optional<Rect>& normalised) {
  remove_results(region);
  write_detection(find_or_add(region, kDetection), object, normalised);
  if (object.track)
    set(find_or_add(region, kObjectId), "id", static_cast<int>(*object.track & G_MAXINT));
  for (const auto& classification : object.classifications)
    write_classification(region, object, classification.get());
  if (object.identity) write_identity(region, object, object.identity.get());
  write_landmarks(region, object);
  for (const auto& tensor : object.tensors) write_embedding(region, object, tensor.get());
}

}  // namespace sightline
