// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What cuda_copies.so, loaded with LD_PRELOAD, has counted: every copy that anything in the process
// has asked the driver for, be it by the driver's interface, the CUDA runtime or a library on top
// of it. Copies of a recorded graph count whenever it is launched, not when they are recorded; that
// a graph that is executable already gets other parameters is not seen.

#pragma once

#include <cstdint>

namespace sightline::bench {

struct CudaCopies {
  std::uint64_t to_host = 0, to_device = 0, on_device = 0;  // bytes
  std::uint64_t copies_to_host = 0;
  std::uint64_t largest_to_host = 0;  // bytes
};

}  // namespace sightline::bench

extern "C" {
// All since the process began or the last forget.
void sightline_cuda_copies(sightline::bench::CudaCopies* copies);
void sightline_forget_cuda_copies();
// The sizes in which most bytes came to the host, to standard output.
void sightline_print_cuda_copies();
}
