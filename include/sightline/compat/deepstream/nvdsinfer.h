/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What parsers that were written for DeepStream include, so that their sources compile here as they
 * are. Names, order and types are that interface's; this file is our own. docs/custom-parsers.md
 * says how such a parser is built and run.
 *
 * Members that a parser leaves alone are 0 in C++, where the original leaves them to chance.
 */
#ifndef SIGHTLINE_COMPAT_NVDSINFER_H
#define SIGHTLINE_COMPAT_NVDSINFER_H

#include <stdint.h>

#ifdef __cplusplus
#define SIGHTLINE_COMPAT_ZERO = 0
extern "C" {
#else
#define SIGHTLINE_COMPAT_ZERO
#endif

/* Which layout of these structs a library was built with: it is loaded only if that is this one.
 * Libraries that were built against another nvdsinfer.h do not say. */
#define SIGHTLINE_COMPAT_DEEPSTREAM_ABI 1
__attribute__((weak, visibility("default"))) unsigned int sightline_compat_deepstream_abi(void);
__attribute__((weak, visibility("default"))) unsigned int sightline_compat_deepstream_abi(void) {
  return SIGHTLINE_COMPAT_DEEPSTREAM_ABI;
}

/* Sources clear these structs with memset(), which is well for all that their defaults say. */
#if defined(__cplusplus) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wclass-memaccess"
#endif

#define NVDSINFER_MAX_DIMS 8

/* A layer's dimensions without the batch, outermost first; the rest of `d` is 0. */
typedef struct NvDsInferDims {
  unsigned int numDims;
  unsigned int d[NVDSINFER_MAX_DIMS];
  unsigned int numElements; /* the product; 1 of a single number */
} NvDsInferDims;

typedef struct NvDsInferDimsCHW {
  unsigned int c;
  unsigned int h;
  unsigned int w;
} NvDsInferDimsCHW;

typedef enum { FLOAT = 0, HALF = 1, INT8 = 2, INT32 = 3, INT64 = 4, UINT8 = 5 } NvDsInferDataType;

typedef enum { NvDsInferTensorOrder_kNCHW = 0, NvDsInferTensorOrder_kNHWC } NvDsInferTensorOrder;

/* An output of the network: `buffer` is in host memory, for the time of the call, and is not to be
 * written. */
typedef struct NvDsInferLayerInfo {
  NvDsInferDataType dataType;
  union {
    NvDsInferDims inferDims;
    NvDsInferDims dims; /* the old name */
  };
  int bindingIndex; /* counted from the input, which is 0 */
  const char* layerName;
  void* buffer;
  int isInput;
} NvDsInferLayerInfo;

/* The network's input in pixels. */
typedef struct NvDsInferNetworkInfo {
  unsigned int width;
  unsigned int height;
  unsigned int channels;
} NvDsInferNetworkInfo;

#define getDimsCHWFromDims(dimsCHW, dims) \
  do {                                    \
    (dimsCHW).c = (dims).d[0];            \
    (dimsCHW).h = (dims).d[1];            \
    (dimsCHW).w = (dims).d[2];            \
  } while (0)

#define getDimsHWCFromDims(dimsCHW, dims) \
  do {                                    \
    (dimsCHW).h = (dims).d[0];            \
    (dimsCHW).w = (dims).d[1];            \
    (dimsCHW).c = (dims).d[2];            \
  } while (0)

/* A box in pixels of the network's input. */
typedef struct NvDsInferObjectDetectionInfo {
  unsigned int classId SIGHTLINE_COMPAT_ZERO;
  float left SIGHTLINE_COMPAT_ZERO;
  float top SIGHTLINE_COMPAT_ZERO;
  float width SIGHTLINE_COMPAT_ZERO;
  float height SIGHTLINE_COMPAT_ZERO;
  float detectionConfidence SIGHTLINE_COMPAT_ZERO;
  float rotation_angle SIGHTLINE_COMPAT_ZERO; /* radians, clockwise about the box's centre */
#if defined(__cplusplus) && __cplusplus < 201402L
  /* Before C++14 a struct with such defaults is no aggregate, and is to take { 0 } all the same. */
  NvDsInferObjectDetectionInfo(unsigned int id = 0, float x = 0, float y = 0, float w = 0,
                               float h = 0, float sure = 0, float angle = 0)
      : classId(id),
        left(x),
        top(y),
        width(w),
        height(h),
        detectionConfidence(sure),
        rotation_angle(angle) {}
#endif
} NvDsInferObjectDetectionInfo;

/* The old name. */
typedef NvDsInferObjectDetectionInfo NvDsInferParseObjectInfo;

/* A box with its mask, [mask_height, mask_width] over the box. Who takes the object over deletes
 * `mask`, which new float[] made. */
typedef struct NvDsInferInstanceMaskInfo {
  unsigned int classId SIGHTLINE_COMPAT_ZERO;
  float left SIGHTLINE_COMPAT_ZERO;
  float top SIGHTLINE_COMPAT_ZERO;
  float width SIGHTLINE_COMPAT_ZERO;
  float height SIGHTLINE_COMPAT_ZERO;
  float detectionConfidence SIGHTLINE_COMPAT_ZERO;
  float* mask SIGHTLINE_COMPAT_ZERO;
  unsigned int mask_width SIGHTLINE_COMPAT_ZERO;
  unsigned int mask_height SIGHTLINE_COMPAT_ZERO;
  unsigned int mask_size SIGHTLINE_COMPAT_ZERO; /* in bytes */
#if defined(__cplusplus) && __cplusplus < 201402L
  NvDsInferInstanceMaskInfo(unsigned int id = 0, float x = 0, float y = 0, float w = 0, float h = 0,
                            float sure = 0, float* values = nullptr, unsigned int columns = 0,
                            unsigned int rows = 0, unsigned int bytes = 0)
      : classId(id),
        left(x),
        top(y),
        width(w),
        height(h),
        detectionConfidence(sure),
        mask(values),
        mask_width(columns),
        mask_height(rows),
        mask_size(bytes) {}
#endif
} NvDsInferInstanceMaskInfo;

/* What a classifier says. Who takes it over frees attributeLabel, which strdup() or malloc() made;
 * null: the configuration's label of this attribute and value. */
typedef struct NvDsInferAttribute {
  unsigned int attributeIndex SIGHTLINE_COMPAT_ZERO;
  unsigned int attributeValue SIGHTLINE_COMPAT_ZERO;
  float attributeConfidence SIGHTLINE_COMPAT_ZERO;
  char* attributeLabel SIGHTLINE_COMPAT_ZERO;
#if defined(__cplusplus) && __cplusplus < 201402L
  NvDsInferAttribute(unsigned int index = 0, unsigned int value = 0, float sure = 0,
                     char* label = nullptr)
      : attributeIndex(index),
        attributeValue(value),
        attributeConfidence(sure),
        attributeLabel(label) {}
#endif
} NvDsInferAttribute;

typedef enum {
  NVDSINFER_SUCCESS = 0,
  NVDSINFER_CONFIG_FAILED,
  NVDSINFER_CUSTOM_LIB_FAILED,
  NVDSINFER_INVALID_PARAMS,
  NVDSINFER_OUTPUT_PARSING_FAILED,
  NVDSINFER_CUDA_ERROR,
  NVDSINFER_TENSORRT_ERROR,
  NVDSINFER_RESOURCE_ERROR,
  NVDSINFER_TRITON_ERROR,
  NVDSINFER_TRTIS_ERROR = NVDSINFER_TRITON_ERROR,
  NVDSINFER_UNKNOWN_ERROR
} NvDsInferStatus;

typedef enum {
  NVDSINFER_LOG_ERROR = 0,
  NVDSINFER_LOG_WARNING,
  NVDSINFER_LOG_INFO,
  NVDSINFER_LOG_DEBUG
} NvDsInferLogLevel;

/* A library that includes this calls no function of another one. */
static inline const char* NvDsInferStatus2Str(NvDsInferStatus status) {
  switch (status) {
    case NVDSINFER_SUCCESS:
      return "NVDSINFER_SUCCESS";
    case NVDSINFER_CONFIG_FAILED:
      return "NVDSINFER_CONFIG_FAILED";
    case NVDSINFER_CUSTOM_LIB_FAILED:
      return "NVDSINFER_CUSTOM_LIB_FAILED";
    case NVDSINFER_INVALID_PARAMS:
      return "NVDSINFER_INVALID_PARAMS";
    case NVDSINFER_OUTPUT_PARSING_FAILED:
      return "NVDSINFER_OUTPUT_PARSING_FAILED";
    case NVDSINFER_CUDA_ERROR:
      return "NVDSINFER_CUDA_ERROR";
    case NVDSINFER_TENSORRT_ERROR:
      return "NVDSINFER_TENSORRT_ERROR";
    case NVDSINFER_RESOURCE_ERROR:
      return "NVDSINFER_RESOURCE_ERROR";
    case NVDSINFER_TRITON_ERROR:
      return "NVDSINFER_TRITON_ERROR";
    case NVDSINFER_UNKNOWN_ERROR:
      break;
  }
  return "NVDSINFER_UNKNOWN_ERROR";
}

#undef SIGHTLINE_COMPAT_ZERO
#ifdef __cplusplus
}
#endif

#endif
