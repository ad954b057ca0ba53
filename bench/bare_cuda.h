// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A network in a bare loop on ONNX Runtime's CUDA provider: what a stage is compared with.

#pragma once

#include <string>

namespace sightline::bench {

struct BareOptions {
  int batch = 64;                    // whatever the file says
  bool half = false;                 // in float16
  bool channels_last = false;        // convolutions with the channels last in memory
  const char* search = "HEURISTIC";  // how cuDNN chooses its kernels
};

// Items a second. The input lies on the GPU, the outputs come to the host. Throws std::exception.
double bare_cuda_rate(const std::string& model, double seconds, const BareOptions& wanted = {});

}  // namespace sightline::bench
