// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Tensors as JSON and back.

#pragma once

#include "core/tensor.h"
#include "meta/handles.h"
#include "meta/json.h"
#include "meta/json_value.h"

namespace sightline {

// The elements in row-major order: integers and bool (0 or 1) as integers, float16 and float32 as
// numbers or, where JSON has none, as "NaN", "Infinity" and "-Infinity". Throws Error(kFailed) if
// they are on a GPU and cannot be read.
//
// `tensor` is not float64, for whose digits a Json has no room.
Json elements_of(const Tensor& tensor);

// "name", "type", "shape", "stage", "row" and the elements: as "base64" (little endian), or as
// "data", which elements_of() gives. float64 is always base64. Throws likewise.
Json tensor_json(const SightTensor* tensor, TensorsAs as);

// The elements of a tensor of `type` and `shape` from the array `data`, or from base64. `where`
// names them in errors. Throws Error(kInput): a number of elements that the shape does not have, an
// element that the type does not hold, text that is not base64.
std::shared_ptr<std::vector<std::byte>> elements_from(const Json& data, ElementType type,
                                                      const Shape& shape, const std::string& where);

// The type with that name. Throws Error(kInput) that names those that there are.
ElementType element_type_from(const std::string& name, const std::string& where);

}  // namespace sightline
