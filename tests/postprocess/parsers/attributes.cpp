// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Written as parsers for DeepStream are: a classifier, an attribute for each output.

#include <cstring>
#include <iostream>

#include "nvdsinfer_custom_impl.h"

using namespace std;

static const char* const kColors[] = {"red", "green", "blue"};

extern "C" bool NvDsInferClassifierParseAttributes(vector<NvDsInferLayerInfo> const& layers,
                                                   NvDsInferNetworkInfo const& networkInfo,
                                                   float classifierThreshold,
                                                   vector<NvDsInferAttribute>& attrList,
                                                   string& descString) {
  for (unsigned int l = 0; l < layers.size(); l++) {
    NvDsInferDimsCHW dims;
    getDimsCHWFromDims(dims, layers[l].inferDims);
    float* scores = (float*)layers[l].buffer;
    float maxProbability = 0;
    bool attrFound = false;
    NvDsInferAttribute attr;
    for (unsigned int c = 0; c < dims.c; c++) {
      if (scores[c] > classifierThreshold && scores[c] > maxProbability) {
        maxProbability = scores[c];
        attrFound = true;
        attr.attributeIndex = l;
        attr.attributeValue = c;
        attr.attributeConfidence = scores[c];
      }
    }
    if (attrFound) {
      attr.attributeLabel = l == 0 ? strdup(kColors[attr.attributeValue]) : nullptr;
      attrList.push_back(attr);
      if (attr.attributeLabel) descString.append(attr.attributeLabel).append(" ");
    }
  }
  return networkInfo.channels == 3;
}

CHECK_CUSTOM_CLASSIFIER_PARSE_FUNC_PROTOTYPE(NvDsInferClassifierParseAttributes);
