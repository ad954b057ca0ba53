// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Written as parsers for DeepStream are: outputs after suppression, found by their names once.

#include <cassert>
#include <cstring>
#include <iostream>

#include "nvdsinfer_custom_impl.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CLIP(a, min, max) (MAX(MIN(a, max), min))

extern "C" bool NvDsInferParseNmsOutputs(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                         NvDsInferNetworkInfo const& networkInfo,
                                         NvDsInferParseDetectionParams const& detectionParams,
                                         std::vector<NvDsInferObjectDetectionInfo>& objectList);

extern "C" bool NvDsInferParseNmsOutputs(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                         NvDsInferNetworkInfo const& networkInfo,
                                         NvDsInferParseDetectionParams const& detectionParams,
                                         std::vector<NvDsInferObjectDetectionInfo>& objectList) {
  static int countIndex = -1, boxesIndex = -1, scoresIndex = -1, classesIndex = -1;
  if (countIndex < 0) {
    for (unsigned int i = 0; i < outputLayersInfo.size(); i++) {
      if (strcmp(outputLayersInfo[i].layerName, "num_detections") == 0) countIndex = i;
      if (strstr(outputLayersInfo[i].layerName, "boxes") != NULL) boxesIndex = i;
      if (strstr(outputLayersInfo[i].layerName, "scores") != NULL) scoresIndex = i;
      if (strstr(outputLayersInfo[i].layerName, "classes") != NULL) classesIndex = i;
    }
  }
  if (countIndex < 0 || boxesIndex < 0 || scoresIndex < 0 || classesIndex < 0) {
    std::cerr << "Mismatch in the number of output buffers" << std::endl;
    return false;
  }
  if (outputLayersInfo[countIndex].dataType != INT32) return false;
  int* p_count = (int*)outputLayersInfo[countIndex].buffer;
  float* p_boxes = (float*)outputLayersInfo[boxesIndex].buffer;
  float* p_scores = (float*)outputLayersInfo[scoresIndex].buffer;
  int* p_classes = (int*)outputLayersInfo[classesIndex].buffer;
  NvDsInferDimsCHW dims;
  getDimsCHWFromDims(dims, outputLayersInfo[boxesIndex].inferDims);
  assert(dims.h == 4);
  const float threshold = detectionParams.perClassThreshold[0];

  for (int i = 0; i < p_count[0]; i++) {
    if (p_scores[i] < threshold) continue;
    NvDsInferObjectDetectionInfo object;
    object.classId = p_classes[i];
    object.detectionConfidence = p_scores[i];
    object.left = CLIP(p_boxes[4 * i] * networkInfo.width, 0, networkInfo.width - 1);
    object.top = CLIP(p_boxes[4 * i + 1] * networkInfo.height, 0, networkInfo.height - 1);
    object.width =
        CLIP(p_boxes[4 * i + 2] * networkInfo.width, 0, networkInfo.width - 1) - object.left;
    object.height =
        CLIP(p_boxes[4 * i + 3] * networkInfo.height, 0, networkInfo.height - 1) - object.top;
    if (object.height < 0 || object.width < 0) continue;
    objectList.push_back(object);
  }
  return true;
}

/* Without a semicolon, as some have it. */
CHECK_CUSTOM_PARSE_FUNC_PROTOTYPE(NvDsInferParseNmsOutputs)
