// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A network of float32 becomes one of float16, for devices that are faster with it.

#pragma once

#include <string>
#include <string_view>

namespace sightline::onnx {

// The model with weights, constants and all that is computed from them in float16. Its first input
// becomes float16, too; outputs stay float32. Weights that float16 does not hold become the largest
// or the smallest number that it does. What operators want in float32 (the scales of Resize) stays.
// Throws Error(kModel): the file holds subgraphs, or weights in files of their own. Whether the
// runtime has all operators in float16 is seen when it loads the result.
std::string with_half_precision(std::string_view model);

}  // namespace sightline::onnx
