// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The elements of a tensor as numbers, and what they may be.

#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace sightline {

inline double element(const std::vector<std::byte>& tensor, ElementType type, std::size_t i) {
  const auto read = [&]<typename T>(T value) {
    std::memcpy(&value, tensor.data() + i * sizeof value, sizeof value);
    return value;
  };
  switch (type) {
    case ElementType::kFloat16:
      return half_to_float(read(std::uint16_t{}));
    case ElementType::kUint8:
      return read(std::uint8_t{});
    case ElementType::kInt8:
      return read(std::int8_t{});
    default:
      return read(float{});
  }
}

// What `value`, known to within `slack`, may be as an element.
inline std::pair<double, double> bounds(double value, double slack, ElementType type) {
  const double low = value - slack, high = value + slack;
  switch (type) {
    case ElementType::kFloat16: {
      const double half_ulp = std::max(std::abs(value) / 2048, 1e-7);
      return {low - half_ulp, high + half_ulp};
    }
    case ElementType::kUint8:
      return {std::clamp(std::nearbyint(low), 0.0, 255.0),
              std::clamp(std::nearbyint(high), 0.0, 255.0)};
    case ElementType::kInt8:
      return {std::clamp(std::nearbyint(low), -128.0, 127.0),
              std::clamp(std::nearbyint(high), -128.0, 127.0)};
    default:
      return {low, high};
  }
}

}  // namespace sightline
