// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/tensor.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "meta/error.h"
#include "meta/handles.h"
#include "meta/refcount.h"
#include "meta/text.h"

using sightline::Tensor;

struct _SightTensor : sightline::RefCounted<_SightTensor> {
  Tensor tensor;
  std::string stage;
  guint stage_id = 0;
  int row = -1;
};

namespace sightline {

namespace {

constexpr bool same(ElementType ours, SightElementType theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}
static_assert(same(ElementType::kFloat32, SIGHT_ELEMENT_FLOAT32));
static_assert(same(ElementType::kFloat16, SIGHT_ELEMENT_FLOAT16));
static_assert(same(ElementType::kUint8, SIGHT_ELEMENT_UINT8));
static_assert(same(ElementType::kInt8, SIGHT_ELEMENT_INT8));
static_assert(same(ElementType::kInt32, SIGHT_ELEMENT_INT32));
static_assert(same(ElementType::kInt64, SIGHT_ELEMENT_INT64));
static_assert(same(ElementType::kFloat64, SIGHT_ELEMENT_FLOAT64));
static_assert(same(ElementType::kUint16, SIGHT_ELEMENT_UINT16));
static_assert(same(ElementType::kInt16, SIGHT_ELEMENT_INT16));
static_assert(same(ElementType::kUint32, SIGHT_ELEMENT_UINT32));
static_assert(same(ElementType::kUint64, SIGHT_ELEMENT_UINT64));
static_assert(same(ElementType::kBool, SIGHT_ELEMENT_BOOL));

bool is_element_type(SightElementType type) {
  return type >= SIGHT_ELEMENT_FLOAT32 && type <= SIGHT_ELEMENT_BOOL;
}

// The elements in `data`, or, if they don't lie as `alignment` demands, in a copy.
void point_into(Tensor& tensor, GBytes* data, std::size_t alignment) {
  gsize size = 0;
  const void* elements = g_bytes_get_data(data, &size);
  if (reinterpret_cast<std::uintptr_t>(elements) % alignment == 0) {
    tensor.owner = std::shared_ptr<GBytes>(g_bytes_ref(data), g_bytes_unref);
    tensor.data = static_cast<const std::byte*>(elements);
    return;
  }
  auto copy = std::make_shared<std::vector<std::byte>>(size);
  std::memcpy(copy->data(), elements, size);
  tensor.data = copy->data();
  tensor.owner = std::move(copy);
}

SightTensor* tensor_from_bytes(Text name, ElementType type, Shape shape, GBytes* data) {
  Tensor tensor;
  tensor.name = std::move(*name);
  tensor.type = type;
  tensor.shape = std::move(shape);
  const std::size_t count = element_count(tensor.shape), size = size_of(type);
  if (g_bytes_get_size(data) / size != count || g_bytes_get_size(data) % size != 0)
    throw Error(ErrorCode::kInput,
                "tensor \"" + tensor.name + "\": " + to_string(tensor.shape) + " of " +
                    std::string(name_of(type)) + " are " + std::to_string(count) + " elements of " +
                    std::to_string(size) + " bytes, but " + std::to_string(g_bytes_get_size(data)) +
                    " bytes were given");
  point_into(tensor, data, size);
  return wrap_tensor(std::move(tensor), {}, 0, -1);
}

const Tensor& require(const SightTensor* tensor) {
  if (tensor == nullptr) throw Error(ErrorCode::kNotFound, "there is no such tensor (NULL)");
  return tensor->tensor;
}

// Never null, which would be an error; nobody reads what an empty tensor gives.
const std::byte* elements_on_host(const Tensor& tensor) {
  static constexpr std::byte kNone{};
  const std::byte* const elements = tensor.on_host();
  return elements != nullptr ? elements : &kNone;
}

const float* floats_on_host(const Tensor& tensor) {
  if (tensor.type != ElementType::kFloat32)
    throw Error(ErrorCode::kInput, "tensor \"" + tensor.name + "\" is " +
                                       std::string(name_of(tensor.type)) + ", expected float32");
  return reinterpret_cast<const float*>(elements_on_host(tensor));
}

}  // namespace

SightTensor* wrap_tensor(Tensor tensor, std::string stage, guint stage_id, int row) {
  tensor.bytes();  // throws if there is no such number
  auto wrapped = std::make_unique<SightTensor>();
  wrapped->tensor = std::move(tensor);
  wrapped->stage = std::move(stage);
  wrapped->stage_id = stage_id;
  wrapped->row = row;
  return wrapped.release();
}

const Tensor& unwrap(const SightTensor* tensor) { return tensor->tensor; }

}  // namespace sightline

G_DEFINE_BOXED_TYPE(SightTensor, sight_tensor, sight_tensor_ref, sight_tensor_unref)

gsize sight_element_type_get_size(SightElementType type) {
  return sightline::is_element_type(type)
             ? sightline::size_of(static_cast<sightline::ElementType>(type))
             : 0;
}

SightTensor* sight_tensor_new(const char* name, SightElementType type, const gint64* shape,
                              guint n_dims, GBytes* data, GError** error) {
  g_return_val_if_fail(name != nullptr && data != nullptr, nullptr);
  g_return_val_if_fail(shape != nullptr || n_dims == 0, nullptr);
  g_return_val_if_fail(sightline::is_element_type(type), nullptr);
  return sightline::catch_gerror(error, [&] {
    return sightline::tensor_from_bytes(sightline::checked(name, "the tensor's name"),
                                        static_cast<sightline::ElementType>(type),
                                        sightline::Shape(shape, shape + n_dims), data);
  });
}

SightTensor* sight_tensor_ref(SightTensor* tensor) {
  g_return_val_if_fail(tensor != nullptr, nullptr);
  return tensor->ref();
}

void sight_tensor_unref(SightTensor* tensor) {
  g_return_if_fail(tensor != nullptr);
  tensor->unref();
}

const char* sight_tensor_get_name(const SightTensor* tensor) {
  g_return_val_if_fail(tensor != nullptr, nullptr);
  return tensor->tensor.name.c_str();
}

SightElementType sight_tensor_get_element_type(const SightTensor* tensor) {
  g_return_val_if_fail(tensor != nullptr, SIGHT_ELEMENT_FLOAT32);
  return static_cast<SightElementType>(tensor->tensor.type);
}

const gint64* sight_tensor_get_shape(const SightTensor* tensor, guint* n_dims) {
  if (n_dims != nullptr) *n_dims = 0;
  g_return_val_if_fail(tensor != nullptr, nullptr);
  if (n_dims != nullptr) *n_dims = static_cast<guint>(tensor->tensor.shape.size());
  return tensor->tensor.shape.data();
}

gconstpointer sight_tensor_get_data(const SightTensor* tensor, gsize* size, GError** error) {
  if (size != nullptr) *size = 0;
  return sightline::catch_gerror(error, [&] {
    const Tensor& held = sightline::require(tensor);
    const std::byte* const elements = sightline::elements_on_host(held);
    if (size != nullptr) *size = held.bytes();
    return elements;
  });
}

gint sight_tensor_get_gpu(const SightTensor* tensor) {
  g_return_val_if_fail(tensor != nullptr, -1);
  return tensor->tensor.on_device == nullptr ? -1 : tensor->tensor.on_device->gpu();
}

gconstpointer sight_tensor_get_device_data(const SightTensor* tensor, gsize* size) {
  if (size != nullptr) *size = 0;
  g_return_val_if_fail(tensor != nullptr, nullptr);
  if (tensor->tensor.memory == sightline::MemoryKind::kHost) return nullptr;
  if (size != nullptr) *size = tensor->tensor.bytes();
  return tensor->tensor.data;
}

GBytes* sight_tensor_get_bytes(SightTensor* tensor, GError** error) {
  return sightline::catch_gerror(error, [&] {
    const Tensor& held = sightline::require(tensor);
    const void* const elements = sightline::elements_on_host(held);  // may throw
    return g_bytes_new_with_free_func(
        elements, held.bytes(),
        [](gpointer owned) { sight_tensor_unref(static_cast<SightTensor*>(owned)); },
        tensor->ref());
  });
}

const gfloat* sight_tensor_get_floats(const SightTensor* tensor, gsize* n_values, GError** error) {
  if (n_values != nullptr) *n_values = 0;
  return sightline::catch_gerror(error, [&] {
    const Tensor& held = sightline::require(tensor);
    const float* const floats = sightline::floats_on_host(held);
    if (n_values != nullptr) *n_values = held.count();
    return floats;
  });
}

const char* sight_tensor_get_stage(const SightTensor* tensor) {
  g_return_val_if_fail(tensor != nullptr, nullptr);
  return tensor->stage.empty() ? nullptr : tensor->stage.c_str();
}

guint sight_tensor_get_stage_id(const SightTensor* tensor) {
  g_return_val_if_fail(tensor != nullptr, 0);
  return tensor->stage_id;
}

gint sight_tensor_get_row(const SightTensor* tensor) {
  g_return_val_if_fail(tensor != nullptr, -1);
  return tensor->row;
}
