/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As much of TensorRT's names as headers beside parsers mention: nothing here can be called.
 * TensorRT's own header comes before this one where its folder is among those of the compiler.
 */
#ifndef SIGHTLINE_COMPAT_NVINFER_H
#define SIGHTLINE_COMPAT_NVINFER_H

#if defined(__has_include_next)
#if __has_include_next(<NvInfer.h>)
#include_next <NvInfer.h>
#define SIGHTLINE_COMPAT_HAS_TENSORRT
#endif
#endif

#ifndef SIGHTLINE_COMPAT_HAS_TENSORRT
#include <cstdint>

namespace nvinfer1 {

enum class DataType : int32_t {
  kFLOAT = 0,
  kHALF = 1,
  kINT8 = 2,
  kINT32 = 3,
  kBOOL = 4,
  kUINT8 = 5
};

class Dims {
 public:
  static constexpr int32_t MAX_DIMS = 8;
  int32_t nbDims;
  int64_t d[MAX_DIMS];
};

class ITensor {
 public:
  virtual ~ITensor() = default;
  virtual Dims getDimensions() const = 0;
  virtual const char* getName() const = 0;
  virtual DataType getType() const = 0;
};

class IBuilder;
class IBuilderConfig;
class ICudaEngine;
class ILayer;
class INetworkDefinition;
class IRuntime;

}  // namespace nvinfer1
#endif

#endif
