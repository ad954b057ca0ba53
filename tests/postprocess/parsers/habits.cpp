// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What parsers for DeepStream do to its structs, and include beside its headers.

#include <cassert>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <unordered_map>

#include "NvInferPlugin.h"
#include "NvInferRuntime.h"
#include "NvInferRuntimeCommon.h"
#include "cuda_runtime.h"
#include "nvdsinfer_custom_impl.h"

extern "C" bool NvDsInferParseHabits(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                     NvDsInferNetworkInfo const& networkInfo,
                                     NvDsInferParseDetectionParams const& detectionParams,
                                     std::vector<NvDsInferObjectDetectionInfo>& objectList) {
  const float* const row = (const float*)outputLayersInfo[0].buffer;
  const unsigned int id = 0;

  NvDsInferObjectDetectionInfo cleared;
  memset(&cleared, 0, sizeof(cleared));
  NvDsInferObjectDetectionInfo zero = {0};
  NvDsInferParseObjectInfo empty{};
  NvDsInferObjectDetectionInfo listed = {id, row[0], row[1], row[2], row[3], row[4]};
  NvDsInferObjectDetectionInfo few[2] = {{id, 1.0f, 2.0f}, {0}};
  NvDsInferInstanceMaskInfo mask = {0};
  NvDsInferAttribute attribute = {0};
  memset(&attribute, 0, sizeof(attribute));
  NvDsInferLayerInfo layer;
  memset(&layer, 0, sizeof(layer));
  NvDsInferDims dims = {3, {1, 2, 3}, 6};

  NvDsInferObjectDetectionInfo* const raw = (NvDsInferObjectDetectionInfo*)malloc(sizeof(*raw));
  memcpy(raw, &listed, sizeof(listed));
  std::unordered_map<unsigned int, std::vector<NvDsInferObjectDetectionInfo>> byClass;
  byClass[raw->classId].push_back(*raw);
  free(raw);
  std::multimap<float, NvDsInferObjectDetectionInfo> ordered;
  for (const auto& object : byClass[id]) ordered.insert(std::make_pair(object.top, object));
  for (const auto& each : ordered) objectList.emplace_back(each.second);

  return cleared.width == 0 && zero.height == 0 && empty.rotation_angle == 0 && few[0].top == 2 &&
         few[1].left == 0 && mask.mask == nullptr && attribute.attributeLabel == nullptr &&
         layer.buffer == nullptr && dims.numElements == 6 && networkInfo.width > 0 &&
         detectionParams.perClassThreshold.size() == detectionParams.numClassesConfigured;
}

CHECK_CUSTOM_PARSE_FUNC_PROTOTYPE(NvDsInferParseHabits);
