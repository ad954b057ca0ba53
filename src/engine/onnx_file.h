// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ONNX files, read and edited as bytes: what a model takes and gives, and the changes that make a
// model of batch 1 run in batches. Whatever is not changed stays byte for byte, known or not.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace sightline::onnx {

// An input or an output as the graph declares it.
struct ValueInfo {
  std::string name;
  std::optional<ElementType> type;  // nothing: not a tensor, or of a type we have no word for
  std::string type_name;            // "float32", "string", "sequence", …
  std::optional<Shape> shape;       // −1 where a dimension is open; nothing: not even the rank
};

struct Summary {
  std::vector<ValueInfo> inputs;  // without those that have an initializer
  std::vector<ValueInfo> outputs;
};

// What a model takes and gives. Throws Error(kModel) that says in what way `model` is no ONNX file,
// or is cut off; the text names no file.
Summary read_summary(std::string_view model);

// The model with another shape of its first input: `batch` (−1: symbolic) and the dimensions
// `item` after it. Outputs whose first dimension is that of the input follow it. Shapes that the
// file states for values inside of the graph are dropped, since they are stale. Where the batch
// becomes symbolic, constants of Reshape that begin with the old batch begin with 0 ("as in the
// input"); that is a guess, and whoever asked for it checks the results. Throws Error(kModel).
std::string with_input_shape(std::string_view model, std::int64_t batch, const Shape& item);

}  // namespace sightline::onnx
