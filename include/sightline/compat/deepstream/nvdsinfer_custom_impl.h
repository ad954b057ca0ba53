/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions that parsers for DeepStream consist of; see nvdsinfer.h. They fill vectors and
 * return whether they could.
 *
 * What builds networks or fills inputs (IModelParser, NvDsInferCreateModelParser,
 * NvDsInferCudaEngineGet, NvDsInferInitializeInputLayers) is declared as far as its names go, and
 * never called: networks are ONNX files, with one input.
 */
#ifndef SIGHTLINE_COMPAT_NVDSINFER_CUSTOM_IMPL_H
#define SIGHTLINE_COMPAT_NVDSINFER_CUSTOM_IMPL_H

#ifndef __cplusplus
#error \
    "nvdsinfer_custom_impl.h is C++: its functions take std::vector. A parser in C is sightline/postprocess.h"
#endif

/* Sources rely on what the original includes by the way. */
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#if __has_include(<NvInfer.h>)
#include <NvInfer.h> /* TensorRT's, if its folder is named, too */
#else
#include "NvInfer.h"
#endif

#include "nvdsinfer.h"

struct NvDsInferParseDetectionParams {
  unsigned int numClassesConfigured; /* num-detected-classes, or how many labels there are */
  std::vector<float> perClassPreclusterThreshold;
  std::vector<float> perClassPostclusterThreshold;
  std::vector<float>& perClassThreshold = perClassPreclusterThreshold; /* the old name */
};

/* parse-bbox-func-name */
typedef bool (*NvDsInferParseCustomFunc)(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                         NvDsInferNetworkInfo const& networkInfo,
                                         NvDsInferParseDetectionParams const& detectionParams,
                                         std::vector<NvDsInferObjectDetectionInfo>& objectList);

/* parse-bbox-instance-mask-func-name */
typedef bool (*NvDsInferInstanceMaskParseCustomFunc)(
    std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
    NvDsInferNetworkInfo const& networkInfo, NvDsInferParseDetectionParams const& detectionParams,
    std::vector<NvDsInferInstanceMaskInfo>& objectList);

/* parse-classifier-func-name */
typedef bool (*NvDsInferClassiferParseCustomFunc)(
    std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
    NvDsInferNetworkInfo const& networkInfo, float classifierThreshold,
    std::vector<NvDsInferAttribute>& attrList, std::string& descString);

/* parse-segmentation-func-name. classificationMap has a place for each pixel of the network's input
 * or of the first output, whichever is more; -1 is no class. */
typedef bool (*NvDsInferSemSegmentationParseCustomFunc)(
    std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
    NvDsInferNetworkInfo const& networkInfo, float segmentationThreshold, unsigned int numClasses,
    int* classificationMap, float*& classProbabilityMap);

/* Fail to compile where a function is not what its name in the configuration asks for. */
#define SIGHTLINE_COMPAT_CHECK(function, type)                         \
  static_assert(std::is_convertible<decltype(&function), type>::value, \
                #function " does not have the parameters of " #type);

#define CHECK_CUSTOM_PARSE_FUNC_PROTOTYPE(function) \
  SIGHTLINE_COMPAT_CHECK(function, NvDsInferParseCustomFunc)
#define CHECK_CUSTOM_INSTANCE_MASK_PARSE_FUNC_PROTOTYPE(function) \
  SIGHTLINE_COMPAT_CHECK(function, NvDsInferInstanceMaskParseCustomFunc)
#define CHECK_CUSTOM_CLASSIFIER_PARSE_FUNC_PROTOTYPE(function) \
  SIGHTLINE_COMPAT_CHECK(function, NvDsInferClassiferParseCustomFunc)
#define CHECK_CUSTOM_SEM_SEGMENTATION_PARSE_FUNC_PROTOTYPE(function) \
  SIGHTLINE_COMPAT_CHECK(function, NvDsInferSemSegmentationParseCustomFunc)

struct _NvDsInferContextInitParams;
typedef struct _NvDsInferContextInitParams NvDsInferContextInitParams;

/* engine-create-func-name, which is refused. */
typedef bool (*NvDsInferEngineCreateCustomFunc)(nvinfer1::IBuilder* const builder,
                                                const NvDsInferContextInitParams* const initParams,
                                                nvinfer1::DataType dataType,
                                                nvinfer1::ICudaEngine*& cudaEngine);
#define CHECK_CUSTOM_ENGINE_CREATE_FUNC_PROTOTYPE(function) \
  SIGHTLINE_COMPAT_CHECK(function, NvDsInferEngineCreateCustomFunc)

class IModelParser {
 public:
  IModelParser() = default;
  virtual ~IModelParser() = default;
  virtual NvDsInferStatus parseModel(nvinfer1::INetworkDefinition& network) = 0;
  virtual bool hasFullDimsSupported() const = 0;
  virtual const char* getModelName() const = 0;
};

extern "C" {
bool NvDsInferInitializeInputLayers(std::vector<NvDsInferLayerInfo> const& inputLayersInfo,
                                    NvDsInferNetworkInfo const& networkInfo,
                                    unsigned int maxBatchSize);
IModelParser* NvDsInferCreateModelParser(const NvDsInferContextInitParams* initParams);
}

#endif
