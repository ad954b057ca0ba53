// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/tensor.h"

#include <array>
#include <bit>
#include <cstring>

#include "core/error.h"

namespace sightline {

namespace {

struct TypeFacts {
  std::string_view name;
  std::size_t size;
};

constexpr std::array<TypeFacts, 12> kTypes = {{{"float32", 4},
                                               {"float16", 2},
                                               {"uint8", 1},
                                               {"int8", 1},
                                               {"int32", 4},
                                               {"int64", 8},
                                               {"float64", 8},
                                               {"uint16", 2},
                                               {"int16", 2},
                                               {"uint32", 4},
                                               {"uint64", 8},
                                               {"bool", 1}}};

}  // namespace

std::size_t size_of(ElementType type) { return kTypes.at(static_cast<std::size_t>(type)).size; }

std::string_view name_of(ElementType type) {
  return kTypes.at(static_cast<std::size_t>(type)).name;
}

std::size_t element_count(const Shape& shape) {
  std::size_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0 || __builtin_mul_overflow(count, static_cast<std::size_t>(dimension), &count))
      throw Error(ErrorCode::kInput,
                  "a tensor of shape " + to_string(shape) + " has no number of elements");
  }
  return count;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t dimension : shape) {
    if (text.size() > 1) text += ",";
    text += dimension < 0 ? "?" : std::to_string(dimension);
  }
  return text + "]";
}

std::span<const float> Tensor::floats() const {
  if (type != ElementType::kFloat32)
    throw Error(ErrorCode::kModel,
                "tensor \"" + name + "\" is " + std::string(name_of(type)) + ", expected float32");
  return {reinterpret_cast<const float*>(on_host()), count()};
}

const std::byte* Tensor::on_host() const {
  if (memory == MemoryKind::kHost) return data;
  if (on_device == nullptr)
    throw Error(ErrorCode::kModel, "tensor \"" + name + "\" lies on a GPU and cannot be read");
  return on_device->on_host(data, bytes());
}

const std::byte* DeviceElements::on_host(const std::byte* from, std::size_t bytes) const {
  const std::lock_guard lock(mutex_);
  if (copy_ == nullptr) {
    auto copy = std::make_unique_for_overwrite<std::byte[]>(bytes);
    if (bytes > 0) read_(copy.get(), from, bytes);
    copy_ = std::move(copy);
  }
  return copy_.get();
}

Tensor Tensor::copy_of(std::string name, Shape shape, std::span<const float> values) {
  if (element_count(shape) != values.size())
    throw Error(ErrorCode::kInput, "tensor \"" + name + "\" of shape " + to_string(shape) +
                                       " was given " + std::to_string(values.size()) + " values");
  auto owned = std::make_shared<std::vector<float>>(values.begin(), values.end());
  Tensor tensor{
      std::move(name), ElementType::kFloat32, std::move(shape), MemoryKind::kHost, nullptr, owned};
  tensor.data = reinterpret_cast<const std::byte*>(owned->data());
  return tensor;
}

float half_to_float(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16, exponent = (half >> 10) & 31u,
                      fraction = half & 0x3ffu;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (fraction << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
  const float subnormal = static_cast<float>(fraction) * 0x1p-24f;
  return sign != 0 ? -subnormal : subnormal;
}

std::uint16_t float_to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u)
    return static_cast<std::uint16_t>(sign | 0x7c00u);  // rounds to infinity
  if (magnitude < 0x38800000u) {
    // Subnormal: adding 0.5 puts the half's last place at the float's last place, so the addition
    // itself rounds.
    const std::uint32_t rounded =
        std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f);
    return static_cast<std::uint16_t>(sign | (rounded - 0x3f000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xfffu + odd) >> 13));
}

}  // namespace sightline
