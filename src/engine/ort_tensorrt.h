// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ONNX Runtime's TensorRT provider. Not verified: it compiles, and was never run, for lack of
// TensorRT's library.

#pragma once

#include <string_view>

#include "engine/ort_model.h"
#include "engine/session.h"

namespace sightline {

// For `model`, whose batch is fixed. What TensorRT builds of it is kept in the user's cache folder,
// under the model, the GPU, the versions, the precision and the batch that it was built for. What
// TensorRT does not take runs on the CUDA provider. Throws Error(kDevice).
Ort::SessionOptions tensorrt_options(std::string_view model, const SessionOptions& wanted);

}  // namespace sightline
