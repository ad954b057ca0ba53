// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Named n-dimensional arrays, dense and row-major, and who keeps their memory alive.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sightline {

// The same values, in the same order, as SightElementType of the public API.
enum class ElementType {
  kFloat32,
  kFloat16,
  kUint8,
  kInt8,
  kInt32,
  kInt64,
  kFloat64,
  kUint16,
  kInt16,
  kUint32,
  kUint64,
  kBool
};

std::size_t size_of(ElementType type);
std::string_view name_of(ElementType type);  // "float32", …

using Shape = std::vector<std::int64_t>;  // −1: not known before a run

// The number of elements. Throws Error(kInput) if a dimension is negative or the product overflows.
std::size_t element_count(const Shape& shape);
std::string to_string(const Shape& shape);  // "[1,3,240,320]", with "?" where not known

enum class MemoryKind { kHost, kCuda };

// What is to be known of elements that lie on a GPU, and their copy on the host, which is made when
// somebody first reads them there and kept as long as this is. The elements are there: whoever
// makes a tensor known has waited for the GPU.
class DeviceElements {
 public:
  // Copies to the host and waits for it. Throws Error(kFailed).
  using Read = std::function<void(void* to, const std::byte* from, std::size_t bytes)>;

  DeviceElements(int gpu, Read read) : gpu_(gpu), read_(std::move(read)) {}

  int gpu() const { return gpu_; }
  // For another tensor in the same memory.
  std::shared_ptr<const DeviceElements> of_a_part() const {
    return std::make_shared<const DeviceElements>(gpu_, read_);
  }
  // Any number of threads may ask.
  const std::byte* on_host(const std::byte* from, std::size_t bytes) const;

 private:
  const int gpu_;
  const Read read_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<std::byte[]> copy_;
};

// An immutable array. Copies share the memory; `owner` keeps alive what `data` points into (a
// pool's block, a vector).
struct Tensor {
  std::string name;
  ElementType type = ElementType::kFloat32;
  Shape shape;
  MemoryKind memory = MemoryKind::kHost;
  const std::byte* data = nullptr;  // of MemoryKind::kCuda: an address on the device
  std::shared_ptr<const void> owner;
  std::shared_ptr<const DeviceElements> on_device{};  // of MemoryKind::kCuda

  std::size_t count() const { return element_count(shape); }
  std::size_t bytes() const { return count() * size_of(type); }

  // The elements in host memory, wherever they lie: those of a GPU are copied when first asked for.
  // Throws Error(kFailed).
  const std::byte* on_host() const;

  // Likewise. Throws Error(kModel), naming the tensor, if it is not float32.
  std::span<const float> floats() const;

  // A tensor that owns a copy of `values`.
  static Tensor copy_of(std::string name, Shape shape, std::span<const float> values);
};

float half_to_float(std::uint16_t half);
std::uint16_t float_to_half(float value);  // rounds to nearest even

}  // namespace sightline
