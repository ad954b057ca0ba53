// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Written as parsers for DeepStream are: YOLO's grids of [anchors · (5 + classes), h, w], one a
// stride, in plain C++11 with what the headers include by the way.

#include <cassert>
#include <cmath>
#include <iostream>

#include "nvdsinfer_context.h"
#include "nvdsinfer_custom_impl.h"

#define kANCHORS 3
#define DIVUP(n, d) ((n) + (d)-1) / (d)

static const int NUM_CLASSES = 2;

extern "C" bool NvDsInferParseAnchors(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                      NvDsInferNetworkInfo const& networkInfo,
                                      NvDsInferParseDetectionParams const& detectionParams,
                                      std::vector<NvDsInferParseObjectInfo>& objectList);

static float clamp(const float val, const float minVal, const float maxVal) {
  assert(minVal <= maxVal);
  return std::min(maxVal, std::max(minVal, val));
}

static NvDsInferParseObjectInfo convertBBox(const float& bx, const float& by, const float& bw,
                                            const float& bh, const int& stride, const uint& netW,
                                            const uint& netH) {
  NvDsInferParseObjectInfo b;
  float xCenter = bx * stride;
  float yCenter = by * stride;
  float x0 = clamp(xCenter - bw / 2, 0, netW);
  float y0 = clamp(yCenter - bh / 2, 0, netH);
  b.left = x0;
  b.top = y0;
  b.width = clamp(clamp(xCenter + bw / 2, 0, netW) - x0, 0, netW);
  b.height = clamp(clamp(yCenter + bh / 2, 0, netH) - y0, 0, netH);
  return b;
}

static void addBBoxProposal(const float bx, const float by, const float bw, const float bh,
                            const uint stride, const uint& netW, const uint& netH,
                            const int maxIndex, const float maxProb,
                            std::vector<NvDsInferParseObjectInfo>& binfo) {
  NvDsInferParseObjectInfo bbi = convertBBox(bx, by, bw, bh, stride, netW, netH);
  if (bbi.width < 1 || bbi.height < 1) return;
  bbi.detectionConfidence = maxProb;
  bbi.classId = maxIndex;
  binfo.push_back(bbi);
}

static std::vector<NvDsInferParseObjectInfo> decodeTensor(
    const float* detections, const std::vector<int>& mask, const std::vector<float>& anchors,
    const uint gridSizeW, const uint gridSizeH, const uint stride, const uint numBBoxes,
    const uint numOutputClasses, const uint& netW, const uint& netH, const float thresh) {
  std::vector<NvDsInferParseObjectInfo> binfo;
  for (uint y = 0; y < gridSizeH; ++y) {
    for (uint x = 0; x < gridSizeW; ++x) {
      for (uint b = 0; b < numBBoxes; ++b) {
        const float pw = anchors[mask[b] * 2];
        const float ph = anchors[mask[b] * 2 + 1];
        const int numGridCells = gridSizeH * gridSizeW;
        const int bbindex = y * gridSizeW + x;
        const auto at = [&](uint i) {
          return detections[bbindex + numGridCells * (b * (5 + numOutputClasses) + i)];
        };
        const float objectness = at(4);
        float maxProb = 0.0f;
        int maxIndex = -1;
        for (uint i = 0; i < numOutputClasses; ++i) {
          if (at(5 + i) > maxProb) {
            maxProb = at(5 + i);
            maxIndex = i;
          }
        }
        maxProb = objectness * maxProb;
        if (maxProb < thresh) continue;
        addBBoxProposal(x + at(0), y + at(1), pw * expf(at(2)), ph * exp(at(3)), stride, netW, netH,
                        maxIndex, maxProb, binfo);
      }
    }
  }
  return binfo;
}

static inline std::vector<const NvDsInferLayerInfo*> SortLayers(
    const std::vector<NvDsInferLayerInfo>& outputLayersInfo) {
  std::vector<const NvDsInferLayerInfo*> outLayers;
  for (auto const& layer : outputLayersInfo) outLayers.push_back(&layer);
  std::sort(outLayers.begin(), outLayers.end(),
            [](const NvDsInferLayerInfo* a, const NvDsInferLayerInfo* b) {
              return a->inferDims.d[1] < b->inferDims.d[1];
            });
  return outLayers;
}

static bool NvDsInferParseYolo(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                               NvDsInferNetworkInfo const& networkInfo,
                               NvDsInferParseDetectionParams const& detectionParams,
                               std::vector<NvDsInferParseObjectInfo>& objectList,
                               const std::vector<float>& anchors,
                               const std::vector<std::vector<int>>& masks) {
  const std::vector<const NvDsInferLayerInfo*> sortedLayers = SortLayers(outputLayersInfo);
  if (sortedLayers.size() != masks.size()) {
    std::cerr << "ERROR: yolo output layer.size: " << sortedLayers.size()
              << " does not match mask.size: " << masks.size() << std::endl;
    return false;
  }
  if (NUM_CLASSES != detectionParams.numClassesConfigured) {
    std::cerr << "WARNING: Num classes mismatch. Configured:"
              << detectionParams.numClassesConfigured << ", detected by network: " << NUM_CLASSES
              << std::endl;
  }
  std::vector<NvDsInferParseObjectInfo> objects;
  for (uint idx = 0; idx < masks.size(); ++idx) {
    const NvDsInferLayerInfo& layer = *sortedLayers[idx];
    assert(layer.inferDims.numDims == 3);
    const uint gridSizeH = layer.inferDims.d[1];
    const uint gridSizeW = layer.inferDims.d[2];
    const uint stride = DIVUP(networkInfo.width, gridSizeW);
    assert(stride == DIVUP(networkInfo.height, gridSizeH));
    std::vector<NvDsInferParseObjectInfo> outObjs =
        decodeTensor((const float*)(layer.buffer), masks[idx], anchors, gridSizeW, gridSizeH,
                     stride, kANCHORS, NUM_CLASSES, networkInfo.width, networkInfo.height,
                     *std::min_element(detectionParams.perClassPreclusterThreshold.begin(),
                                       detectionParams.perClassPreclusterThreshold.end()));
    objects.insert(objects.end(), outObjs.begin(), outObjs.end());
  }
  objectList = objects;
  return true;
}

extern "C" bool NvDsInferParseAnchors(std::vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                      NvDsInferNetworkInfo const& networkInfo,
                                      NvDsInferParseDetectionParams const& detectionParams,
                                      std::vector<NvDsInferParseObjectInfo>& objectList) {
  static const std::vector<float> kANCHOR_SIZES = {4, 4, 8, 8, 12, 6, 16, 16, 24, 12, 20, 28};
  static const std::vector<std::vector<int>> kMASKS = {{3, 4, 5}, {0, 1, 2}};
  return NvDsInferParseYolo(outputLayersInfo, networkInfo, detectionParams, objectList,
                            kANCHOR_SIZES, kMASKS);
}

/* Check that the custom function has been defined correctly */
CHECK_CUSTOM_PARSE_FUNC_PROTOTYPE(NvDsInferParseAnchors);
