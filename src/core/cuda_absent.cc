// SPDX-License-Identifier: LGPL-2.1-or-later
//
// In place of cuda.cc in builds without CUDA: whoever asks for a GPU is told so.

#include "core/cuda.h"
#include "core/error.h"

namespace sightline::cuda {

namespace {

[[noreturn]] void fail() {
  throw Error(ErrorCode::kDevice,
              "this build has no CUDA. Install NVIDIA's CUDA toolkit (nvcc and cuda.h) and build "
              "with -Dcuda=enabled");
}

}  // namespace

std::string driver_version() { fail(); }
std::vector<DeviceInfo> devices() { fail(); }
std::shared_ptr<const Device> Device::open(int) { fail(); }
Device::~Device() = default;

}  // namespace sightline::cuda
