// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Written as parsers for DeepStream are: YOLO's rows of centre, size, the score of an object and
// one for each class.

#include <iostream>

#include "nvdsinfer_custom_impl.h"

extern "C" bool NvDsInferParseYoloRows(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                       NvDsInferNetworkInfo const& networkInfo,
                                       NvDsInferParseDetectionParams const& detectionParams,
                                       std::vector<NvDsInferParseObjectInfo>& objectList);

static NvDsInferParseObjectInfo makeBox(const float cx, const float cy, const float w,
                                        const float h, const uint& netW, const uint& netH) {
  NvDsInferParseObjectInfo b;
  float x1 = std::min(std::max(cx - w / 2, 0.0f), float(netW));
  float y1 = std::min(std::max(cy - h / 2, 0.0f), float(netH));
  float x2 = std::min(std::max(cx + w / 2, 0.0f), float(netW));
  float y2 = std::min(std::max(cy + h / 2, 0.0f), float(netH));
  b.left = x1;
  b.top = y1;
  b.width = x2 - x1;
  b.height = y2 - y1;
  return b;
}

static std::vector<NvDsInferParseObjectInfo> decodeRows(
    const NvDsInferLayerInfo& layer, const uint& netW, const uint& netH,
    const std::vector<float>& preclusterThreshold) {
  std::vector<NvDsInferParseObjectInfo> binfo;
  const float* rows = (const float*)layer.buffer;
  const uint count = layer.inferDims.d[0], columns = layer.inferDims.d[1];
  for (uint r = 0; r < count; ++r) {
    const float* row = rows + r * columns;
    uint best = 0;
    for (uint c = 1; c < columns - 5; ++c)
      if (row[5 + c] > row[5 + best]) best = c;
    const float confidence = row[4] * row[5 + best];
    if (confidence < preclusterThreshold[best]) continue;
    NvDsInferParseObjectInfo bbi = makeBox(row[0], row[1], row[2], row[3], netW, netH);
    if (bbi.width < 1 || bbi.height < 1) continue;
    bbi.detectionConfidence = confidence;
    bbi.classId = best;
    binfo.push_back(bbi);
  }
  return binfo;
}

extern "C" bool NvDsInferParseYoloRows(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                       NvDsInferNetworkInfo const& networkInfo,
                                       NvDsInferParseDetectionParams const& detectionParams,
                                       std::vector<NvDsInferParseObjectInfo>& objectList) {
  if (outputLayersInfo.empty()) {
    std::cerr << "ERROR: no output layer" << std::endl;
    return false;
  }
  const NvDsInferLayerInfo& layer = outputLayersInfo[0];
  if (layer.dims.numDims != 2 || layer.isInput || layer.bindingIndex != 1) return false;
  const uint classes = layer.inferDims.d[1] - 5;
  if (classes != detectionParams.numClassesConfigured)
    std::cerr << "WARNING: Num classes mismatch. Configured:"
              << detectionParams.numClassesConfigured << ", detected by network: " << classes
              << std::endl;
  objectList = decodeRows(layer, networkInfo.width, networkInfo.height,
                          detectionParams.perClassPreclusterThreshold);
  return true;
}

CHECK_CUSTOM_PARSE_FUNC_PROTOTYPE(NvDsInferParseYoloRows);
