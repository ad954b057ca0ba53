// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Written as parsers for DeepStream are: masks, keypoints in the place of masks, and maps of
// classes.

#include <algorithm>
#include <cstring>
#include <iostream>

#include "nvdsinfer_custom_impl.h"

struct RawDetection {
  float y1, x1, y2, x2, class_id, score;
};

extern "C" bool NvDsInferParseMasks(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                    NvDsInferNetworkInfo const& networkInfo,
                                    NvDsInferParseDetectionParams const& detectionParams,
                                    std::vector<NvDsInferInstanceMaskInfo>& objectList) {
  auto layerFinder = [&outputLayersInfo](const std::string& name) -> const NvDsInferLayerInfo* {
    for (auto& layer : outputLayersInfo)
      if (layer.dataType == FLOAT && layer.layerName && name == layer.layerName) return &layer;
    return nullptr;
  };
  const NvDsInferLayerInfo* detectionLayer = layerFinder("generate_detections");
  const NvDsInferLayerInfo* maskLayer = layerFinder("mask_head");
  if (!detectionLayer || !maskLayer || maskLayer->inferDims.numDims != 4U) {
    std::cerr << "ERROR: some layers missing" << std::endl;
    return false;
  }
  const unsigned int instances = maskLayer->inferDims.d[0], classes = maskLayer->inferDims.d[1];
  const unsigned int height = maskLayer->inferDims.d[2], width = maskLayer->inferDims.d[3];
  auto out_det = reinterpret_cast<RawDetection*>(detectionLayer->buffer);
  auto out_mask = static_cast<float*>(maskLayer->buffer);
  for (auto i = 0U; i < instances; i++) {
    RawDetection& raw = out_det[i];
    if (raw.score < detectionParams.perClassPreclusterThreshold[0]) continue;
    NvDsInferInstanceMaskInfo obj;
    obj.left = std::max(raw.x1, 0.0f);
    obj.top = std::max(raw.y1, 0.0f);
    obj.width = std::min(raw.x2, float(networkInfo.width - 1)) - obj.left;
    obj.height = std::min(raw.y2, float(networkInfo.height - 1)) - obj.top;
    obj.classId = static_cast<int>(raw.class_id);
    obj.detectionConfidence = raw.score;
    obj.mask_size = sizeof(float) * width * height;
    obj.mask = new float[width * height];
    obj.mask_width = width;
    obj.mask_height = height;
    memcpy(obj.mask, out_mask + (i * classes + obj.classId) * width * height, obj.mask_size);
    objectList.push_back(obj);
  }
  return true;
}

extern "C" bool NvDsInferParsePose(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                   NvDsInferNetworkInfo const& networkInfo,
                                   NvDsInferParseDetectionParams const&,
                                   std::vector<NvDsInferInstanceMaskInfo>& objectList) {
  const float* row = static_cast<const float*>(outputLayersInfo[0].buffer);
  const unsigned int numbers = outputLayersInfo[0].inferDims.d[1] - 5;
  NvDsInferInstanceMaskInfo b;
  b.left = row[0], b.top = row[1], b.width = row[2] - row[0], b.height = row[3] - row[1];
  b.detectionConfidence = row[4];
  b.mask = new float[numbers];
  std::copy(row + 5, row + 5 + numbers, b.mask);
  b.mask_width = networkInfo.width;
  b.mask_height = networkInfo.height;
  b.mask_size = sizeof(float) * numbers;
  objectList.push_back(b);
  return true;
}

/* Scores to classes, in the size of the output. */
extern "C" bool NvDsInferParseScores(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                     NvDsInferNetworkInfo const&, float segmentationThreshold,
                                     unsigned int numClasses, int* classificationMap,
                                     float*& classProbabilityMap) {
  const NvDsInferLayerInfo& layer = outputLayersInfo[0];
  const unsigned int pixels = layer.inferDims.d[1] * layer.inferDims.d[2];
  classProbabilityMap = (float*)layer.buffer;
  for (unsigned int p = 0; p < pixels; p++) {
    float best = -1;
    classificationMap[p] = -1;
    for (unsigned int c = 0; c < numClasses; c++) {
      const float probability = classProbabilityMap[c * pixels + p];
      if (probability > best && probability > segmentationThreshold)
        best = probability, classificationMap[p] = c;
    }
  }
  return true;
}

/* A map of classes, in the size of the network's input. */
extern "C" bool NvDsInferParseMap(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                  NvDsInferNetworkInfo const& networkInfo, float, unsigned int,
                                  int* classificationMap, float*& classProbabilityMap) {
  const NvDsInferLayerInfo& layer = outputLayersInfo[0];
  if (layer.dataType != INT64) return false;
  const unsigned int height = layer.inferDims.d[0], width = layer.inferDims.d[1];
  for (unsigned int y = 0; y < networkInfo.height; y++)
    for (unsigned int x = 0; x < networkInfo.width; x++)
      classificationMap[y * networkInfo.width + x] =
          ((int64_t*)layer
               .buffer)[y * height / networkInfo.height * width + x * width / networkInfo.width];
  classProbabilityMap = nullptr;
  return true;
}

CHECK_CUSTOM_INSTANCE_MASK_PARSE_FUNC_PROTOTYPE(NvDsInferParseMasks);
CHECK_CUSTOM_INSTANCE_MASK_PARSE_FUNC_PROTOTYPE(NvDsInferParsePose);
CHECK_CUSTOM_SEM_SEGMENTATION_PARSE_FUNC_PROTOTYPE(NvDsInferParseScores);
CHECK_CUSTOM_SEM_SEGMENTATION_PARSE_FUNC_PROTOTYPE(NvDsInferParseMap);
