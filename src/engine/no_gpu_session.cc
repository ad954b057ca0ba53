// SPDX-License-Identifier: LGPL-2.1-or-later
//
// In place of ort_cuda_session.cc in builds whose networks run on the CPU only.

#include "core/error.h"
#include "engine/session.h"

namespace sightline {

namespace {

constexpr char kNoGpu[] = "this build runs networks on the CPU only. Build with -Dcuda=enabled";

}  // namespace

std::unique_ptr<const Session> load_cuda_session(std::string_view, const SessionOptions&) {
  throw Error(ErrorCode::kDevice, kNoGpu);
}

std::string gpu_name(int) { throw Error(ErrorCode::kDevice, kNoGpu); }

std::string tensorrt_version() { throw Error(ErrorCode::kDevice, kNoGpu); }

std::string gpu_complaint(int) { return kNoGpu; }

}  // namespace sightline
