// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What was asked for, joined with what a model file says it is.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/onnx_file.h"

namespace sightline {

struct ModelDemand {
  std::string device;      // "cpu" or "cuda:0", …
  std::optional<int> gpu;  // of the latter
  Shape item;              // the input's shape without the batch dimension, known in full
  std::vector<std::string> outputs;
};

// Throws Error(kModel), without the file's name, where the model has not one image input of a type
// that pre-processing writes, leaves dimensions open that `options` do not say, contradicts them,
// or lacks an output; Error(kDevice) where the device is not one of this build.
ModelDemand resolve(const EngineOptions& options, const onnx::Summary& model);

}  // namespace sightline
