// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The C API's tensor is a core Tensor with the place that it came from.

#pragma once

#include <string>

#include "core/tensor.h"
#include "sightline/tensor.h"

namespace sightline {

// A new SightTensor that shares the memory of `tensor`. `stage` is the name of the element that
// made it, empty if none; `row` the row or anchor of the output that it came from, -1 for a whole
// output. Throws Error(kInput) if the shape has no number of elements.
SightTensor* wrap_tensor(Tensor tensor, std::string stage, guint stage_id, int row);

// Valid as long as `tensor` is.
const Tensor& unwrap(const SightTensor* tensor);

}  // namespace sightline
