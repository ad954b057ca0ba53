/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For parsers that include it beside nvdsinfer_custom_impl.h: what they read of it is what that
 * has. The interface that runs a network is not ours, so none of its functions is declared.
 */
#ifndef SIGHTLINE_COMPAT_NVDSINFER_CONTEXT_H
#define SIGHTLINE_COMPAT_NVDSINFER_CONTEXT_H

#include <cuda_runtime_api.h>

#include "nvdsinfer.h"

struct _NvDsInferContextInitParams;
typedef struct _NvDsInferContextInitParams NvDsInferContextInitParams;

#endif
