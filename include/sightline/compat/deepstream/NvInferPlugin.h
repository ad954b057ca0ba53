/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See NvInfer.h.
 */
#ifndef SIGHTLINE_COMPAT_NVINFER_PLUGIN_H
#define SIGHTLINE_COMPAT_NVINFER_PLUGIN_H

#if defined(__has_include_next)
#if __has_include_next(<NvInferPlugin.h>)
#include_next <NvInferPlugin.h>
#define SIGHTLINE_COMPAT_NVINFER_PLUGIN_H_IS_THERE
#endif
#endif

#ifndef SIGHTLINE_COMPAT_NVINFER_PLUGIN_H_IS_THERE
#include <NvInfer.h>
#endif

#endif
