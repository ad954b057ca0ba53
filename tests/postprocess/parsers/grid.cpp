// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Written as parsers for DeepStream are: a grid of coverage and boxes, a classifier whose labels
// are its own, and masks; in the style of its first versions: old names, C's casts.

#include <iostream>

#include <cuda_runtime_api.h>
#include <stdio.h>
#include <string.h>

#include "nvdsinfer.h"
#include "nvdsinfer_custom_impl.h"

using namespace std;

#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#endif

/* C-linkage to prevent name-mangling */
extern "C" bool NvDsInferParseGrid(vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                   NvDsInferNetworkInfo const& networkInfo,
                                   NvDsInferParseDetectionParams const& detectionParams,
                                   vector<NvDsInferParseObjectInfo>& objectList) {
  static NvDsInferDimsCHW covLayerDims;
  static int bboxLayerIndex = -1;
  static int covLayerIndex = -1;
  static bool classMismatchWarn = false;
  int numClassesToParse;

  /* Find the bbox layer */
  if (bboxLayerIndex == -1) {
    for (unsigned int i = 0; i < outputLayersInfo.size(); i++) {
      if (strcmp(outputLayersInfo[i].layerName, "conv2d_bbox") == 0) {
        bboxLayerIndex = i;
        break;
      }
    }
    if (bboxLayerIndex == -1) {
      cerr << "Could not find bbox layer buffer while parsing" << endl;
      return false;
    }
  }
  /* Find the cov layer */
  if (covLayerIndex == -1) {
    for (unsigned int i = 0; i < outputLayersInfo.size(); i++) {
      if (string(outputLayersInfo[i].layerName).find("conv2d_cov") != string::npos) {
        covLayerIndex = i;
        getDimsCHWFromDims(covLayerDims, outputLayersInfo[i].dims);
        break;
      }
    }
    if (covLayerIndex == -1) {
      printf("Could not find bbox layer buffer while parsing\n");
      return false;
    }
  }
  /* Warn in case of mismatch in number of classes */
  if (!classMismatchWarn) {
    if (covLayerDims.c != detectionParams.numClassesConfigured) {
      cerr << "WARNING: Num classes mismatch. Configured:" << detectionParams.numClassesConfigured
           << ", detected by network: " << covLayerDims.c << endl;
    }
    classMismatchWarn = true;
  }
  /* Calculate the number of classes to parse */
  numClassesToParse = MIN(covLayerDims.c, detectionParams.numClassesConfigured);

  int gridW = covLayerDims.w;
  int gridH = covLayerDims.h;
  int gridSize = gridW * gridH;
  vector<float> gcCentersX(gridW);
  vector<float> gcCentersY(gridH);
  float bboxNormX = 35.0;
  float bboxNormY = 35.0;
  float* outputCovBuf = (float*)outputLayersInfo[covLayerIndex].buffer;
  float* outputBboxBuf = (float*)outputLayersInfo[bboxLayerIndex].buffer;
  int strideX = (networkInfo.width + gridW - 1) / gridW;
  int strideY = (networkInfo.height + gridH - 1) / gridH;

  for (int i = 0; i < gridW; i++) gcCentersX[i] = (float)(i * strideX + 0.5) / (float)bboxNormX;
  for (int i = 0; i < gridH; i++) gcCentersY[i] = (float)(i * strideY + 0.5) / (float)bboxNormY;

  for (int c = 0; c < numClassesToParse; c++) {
    float* outputX1 = outputBboxBuf + (c * 4 * gridSize);
    float* outputY1 = outputX1 + gridSize;
    float* outputX2 = outputY1 + gridSize;
    float* outputY2 = outputX2 + gridSize;
    float threshold = detectionParams.perClassThreshold[c];
    for (int h = 0; h < gridH; h++) {
      for (int w = 0; w < gridW; w++) {
        int i = w + h * gridW;
        if (outputCovBuf[c * gridSize + i] >= threshold) {
          NvDsInferParseObjectInfo object;
          float rectX1f = (outputX1[i] - gcCentersX[w]) * -bboxNormX;
          float rectY1f = (outputY1[i] - gcCentersY[h]) * -bboxNormY;
          float rectX2f = (outputX2[i] + gcCentersX[w]) * bboxNormX;
          float rectY2f = (outputY2[i] + gcCentersY[h]) * bboxNormY;
          object.classId = c;
          object.detectionConfidence = outputCovBuf[c * gridSize + i];
          object.left = rectX1f;
          object.top = rectY1f;
          object.width = (rectX2f - rectX1f + 1);
          object.height = (rectY2f - rectY1f + 1);
          objectList.push_back(object);
        }
      }
    }
  }
  return true;
}

extern "C" bool NvDsInferClassifyGrid(vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                      NvDsInferNetworkInfo const& networkInfo,
                                      float classifierThreshold,
                                      vector<NvDsInferAttribute>& attrList, string& descString) {
  static const vector<vector<string>> labels = {{"coupe", "sedan", "truck"}, {"left", "right"}};
  (void)networkInfo;
  /* One attribute a layer */
  unsigned int numAttributes = outputLayersInfo.size();
  for (unsigned int l = 0; l < numAttributes; l++) {
    NvDsInferDimsCHW dims;
    getDimsCHWFromDims(dims, outputLayersInfo[l].inferDims);
    unsigned int numClasses = dims.c;
    float* outputCoverageBuffer = (float*)outputLayersInfo[l].buffer;
    float maxProbability = 0;
    bool attrFound = false;
    NvDsInferAttribute attr;
    for (unsigned int c = 0; c < numClasses; c++) {
      float probability = outputCoverageBuffer[c];
      if (probability > classifierThreshold && probability > maxProbability) {
        maxProbability = probability;
        attrFound = true;
        attr.attributeIndex = l;
        attr.attributeValue = c;
        attr.attributeConfidence = probability;
      }
    }
    if (attrFound) {
      if (labels.size() > attr.attributeIndex &&
          attr.attributeValue < labels[attr.attributeIndex].size())
        attr.attributeLabel = strdup(labels[attr.attributeIndex][attr.attributeValue].c_str());
      else
        attr.attributeLabel = nullptr;
      attrList.push_back(attr);
      if (attr.attributeLabel) descString.append(attr.attributeLabel).append(" ");
    }
  }
  return true;
}

extern "C" bool NvDsInferMaskGrid(vector<NvDsInferLayerInfo> const& outputLayersInfo,
                                  NvDsInferNetworkInfo const& networkInfo,
                                  NvDsInferParseDetectionParams const& detectionParams,
                                  vector<NvDsInferInstanceMaskInfo>& objectList) {
  (void)networkInfo;
  const NvDsInferLayerInfo& mask = outputLayersInfo.back();
  const int maskHeight = mask.inferDims.d[mask.inferDims.numDims - 2];
  const int maskWidth = mask.inferDims.d[mask.inferDims.numDims - 1];
  const float* rows = static_cast<const float*>(outputLayersInfo[0].buffer);
  const auto threshold = detectionParams.perClassPreclusterThreshold.at(0);
  for (unsigned int i = 0; i < outputLayersInfo[0].inferDims.d[0]; i++, rows += 5) {
    if (rows[4] < threshold) continue;
    NvDsInferInstanceMaskInfo obj;
    obj.classId = 0;
    obj.detectionConfidence = rows[4];
    obj.left = rows[0];
    obj.top = rows[1];
    obj.width = rows[2] - rows[0];
    obj.height = rows[3] - rows[1];
    obj.mask_size = sizeof(float) * maskWidth * maskHeight;
    obj.mask = new float[maskWidth * maskHeight];
    obj.mask_width = maskWidth;
    obj.mask_height = maskHeight;
    memcpy(obj.mask, static_cast<float*>(mask.buffer) + i * maskWidth * maskHeight, obj.mask_size);
    objectList.push_back(obj);
  }
  return true;
}

CHECK_CUSTOM_PARSE_FUNC_PROTOTYPE(NvDsInferParseGrid);
CHECK_CUSTOM_CLASSIFIER_PARSE_FUNC_PROTOTYPE(NvDsInferClassifyGrid)
CHECK_CUSTOM_INSTANCE_MASK_PARSE_FUNC_PROTOTYPE(NvDsInferMaskGrid);
