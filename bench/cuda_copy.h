// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a copy that the driver is asked for moves, and from where to where.

#pragma once

#include <cstdint>
#include <vector>

#include <cuda.h>

namespace sightline::bench {

enum class Where { kHost, kDevice };

struct CudaCopy {
  Where to, from;
  std::uint64_t bytes;
};

// Memory that the driver knows as the host's, or does not know, is the host's.
CudaCopy copy_of(CUdeviceptr to, CUdeviceptr from, std::uint64_t bytes);
CudaCopy copy_of(const CUDA_MEMCPY2D& copy);
CudaCopy copy_of(const CUDA_MEMCPY3D& copy);

// What each launch of this graph copies, with the graphs in it.
std::vector<CudaCopy> copies_in(CUgraph graph);

// Whether what is put into this stream is recorded, not done.
bool is_recorded(CUstream stream);

// As dlsym() without anybody in between.
void* real_symbol(void* library, const char* name);

}  // namespace sightline::bench
