// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The structures by which frameworks hand arrays to each other without a copy (DLPack 0.x, whose
// layout is fixed: https://dmlc.github.io/dlpack), and how a tensor becomes one.

#pragma once

#include <cstdint>

#include "sightline/tensor.h"

namespace sightline::dlpack {

enum DeviceType : std::int32_t { kCpu = 1, kCuda = 2 };
enum TypeCode : std::uint8_t { kInt = 0, kUint = 1, kFloat = 2, kBool = 6 };

struct Device {
  std::int32_t type;
  std::int32_t id;
};

struct DataType {
  std::uint8_t code;
  std::uint8_t bits;
  std::uint16_t lanes;
};

struct Array {
  void* data;
  Device device;
  std::int32_t ndim;
  DataType dtype;
  std::int64_t* shape;
  std::int64_t* strides;  // null: dense, row-major
  std::uint64_t byte_offset;
};

struct Managed {
  Array array;
  void* context;
  void (*deleter)(Managed* self);
};

// Shares the memory of `tensor`, which it holds until its deleter is called.
Managed* share(SightTensor* tensor);

}  // namespace sightline::dlpack
