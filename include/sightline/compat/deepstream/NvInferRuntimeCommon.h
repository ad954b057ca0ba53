/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See NvInfer.h.
 */
#ifndef SIGHTLINE_COMPAT_NVINFER_RUNTIME_COMMON_H
#define SIGHTLINE_COMPAT_NVINFER_RUNTIME_COMMON_H

#if defined(__has_include_next)
#if __has_include_next(<NvInferRuntimeCommon.h>)
#include_next <NvInferRuntimeCommon.h>
#define SIGHTLINE_COMPAT_NVINFER_RUNTIME_COMMON_H_IS_THERE
#endif
#endif

#ifndef SIGHTLINE_COMPAT_NVINFER_RUNTIME_COMMON_H_IS_THERE
#include <NvInfer.h>
#endif

#endif
