/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For parsers that include CUDA's header and call nothing of it, as many do: their buffers are in
 * host memory. The toolkit's own header comes before this one where its folder is among those of
 * the compiler.
 */
#ifndef SIGHTLINE_COMPAT_CUDA_RUNTIME_API_H
#define SIGHTLINE_COMPAT_CUDA_RUNTIME_API_H

#if defined(__has_include_next)
#if __has_include_next(<cuda_runtime_api.h>)
#include_next <cuda_runtime_api.h>
#define SIGHTLINE_COMPAT_HAS_CUDA
#endif
#endif

#ifndef SIGHTLINE_COMPAT_HAS_CUDA
typedef struct CUstream_st* cudaStream_t;
typedef struct CUevent_st* cudaEvent_t;
#endif

#endif
