// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/onnx_element_type.h"

#include <array>

namespace sightline::onnx {

namespace {

constexpr std::uint64_t kString = 8;

// At the place of each ElementType, ONNX's number.
constexpr std::array<std::uint64_t, 12> kNumbers = {1, 10, 2, 3, 6, 7, 11, 4, 5, 12, 13, 9};

}  // namespace

std::optional<ElementType> element_type(std::uint64_t onnx_type) {
  for (std::size_t i = 0; i < kNumbers.size(); ++i)
    if (kNumbers[i] == onnx_type) return static_cast<ElementType>(i);
  return std::nullopt;
}

std::uint64_t onnx_type(ElementType type) { return kNumbers.at(static_cast<std::size_t>(type)); }

std::string onnx_type_name(std::uint64_t onnx_type) {
  if (const auto type = element_type(onnx_type)) return std::string(name_of(*type));
  if (onnx_type == kString) return "string";
  return "ONNX's element type " + std::to_string(onnx_type);
}

}  // namespace sightline::onnx
