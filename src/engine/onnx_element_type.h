// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ONNX's numbers for element types (TensorProto.DataType, which ONNX Runtime shares) and ours.

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/tensor.h"

namespace sightline::onnx {

std::optional<ElementType> element_type(
    std::uint64_t onnx_type);  // nothing: we have no word for it
std::uint64_t onnx_type(ElementType type);
std::string onnx_type_name(std::uint64_t onnx_type);  // for messages, known to us or not

}  // namespace sightline::onnx
