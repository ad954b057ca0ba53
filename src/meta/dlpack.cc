// SPDX-License-Identifier: LGPL-2.1-or-later

#include "meta/dlpack.h"

#include <memory>
#include <utility>

#include "meta/handles.h"
#include "meta/tensor.h"

namespace sightline::dlpack {

namespace {

struct Shared {
  Managed managed;
  TensorHandle tensor;
  Shape shape;
};

DataType data_type(ElementType type) {
  const auto bits = static_cast<std::uint8_t>(8 * size_of(type));
  switch (type) {
    case ElementType::kFloat16:
    case ElementType::kFloat32:
    case ElementType::kFloat64:
      return {kFloat, bits, 1};
    case ElementType::kInt8:
    case ElementType::kInt16:
    case ElementType::kInt32:
    case ElementType::kInt64:
      return {kInt, bits, 1};
    case ElementType::kBool:
      return {kBool, bits, 1};
    default:
      return {kUint, bits, 1};
  }
}

}  // namespace

Managed* share(SightTensor* tensor) {
  const Tensor& held = unwrap(tensor);
  auto shared = std::make_unique<Shared>();
  shared->tensor = TensorHandle::share(tensor);
  shared->shape = held.shape;
  Array& array = shared->managed.array;
  array = {};
  array.data = const_cast<std::byte*>(held.data);
  array.device = held.memory == MemoryKind::kHost ? Device{kCpu, 0}
                                                  : Device{kCuda, sight_tensor_get_gpu(tensor)};
  array.ndim = static_cast<std::int32_t>(shared->shape.size());
  array.dtype = data_type(held.type);
  array.shape = shared->shape.data();
  shared->managed.context = shared.get();
  shared->managed.deleter = [](Managed* self) { delete static_cast<Shared*>(self->context); };
  return &shared.release()->managed;
}

}  // namespace sightline::dlpack

gpointer sight_tensor_to_dlpack(SightTensor* tensor) {
  g_return_val_if_fail(tensor != nullptr, nullptr);
  return sightline::dlpack::share(tensor);
}
