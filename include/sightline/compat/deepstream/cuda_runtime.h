/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See cuda_runtime_api.h.
 */
#ifndef SIGHTLINE_COMPAT_CUDA_RUNTIME_H
#define SIGHTLINE_COMPAT_CUDA_RUNTIME_H

#if defined(__has_include_next)
#if __has_include_next(<cuda_runtime.h>)
#include_next <cuda_runtime.h>
#define SIGHTLINE_COMPAT_CUDA_RUNTIME_H_IS_THERE
#endif
#endif

#ifndef SIGHTLINE_COMPAT_CUDA_RUNTIME_H_IS_THERE
#include <cuda_runtime_api.h>
#endif

#endif
