// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A network in a bare loop on ONNX Runtime's CUDA provider: what a stage is compared with.

#pragma once

#include <string>

namespace sightline::bench {

// Items a second by batches of `batch`, whatever the file says. The input lies on the GPU, the
// outputs come to the host. Throws std::exception.
double bare_cuda_rate(const std::string& model, int batch, double seconds);

}  // namespace sightline::bench
