// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Written as parsers of number plates for DeepStream are: nvdsinfer.h alone, characters from a file
// of the current folder at the first call, and outputs told apart by their types.

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <string.h>

#include "nvdsinfer.h"

using namespace std;

static bool dictReady = false;
static vector<string> dictTable;

extern "C" {
bool NvDsInferParsePlate(vector<NvDsInferLayerInfo> const& layers,
                         NvDsInferNetworkInfo const& networkInfo, float classifierThreshold,
                         vector<NvDsInferAttribute>& attrList, string& descString);

bool NvDsInferParsePlate(vector<NvDsInferLayerInfo> const& layers,
                         NvDsInferNetworkInfo const& networkInfo, float classifierThreshold,
                         vector<NvDsInferAttribute>& attrList, string& descString) {
  if (!dictReady) {
    ifstream file("plates.txt");
    if (!file.is_open()) {
      cout << "open dictionary file failed." << endl;
      return false;
    }
    for (string line; getline(file, line);) dictTable.push_back(line);
    dictReady = true;
  }
  int* places = NULL;
  float* sure = NULL;
  for (unsigned int l = 0; l < layers.size(); l++) {
    if (layers[l].isInput) continue;
    if (layers[l].dataType == 0) sure = static_cast<float*>(layers[l].buffer);
    if (layers[l].dataType == 3) places = static_cast<int*>(layers[l].buffer);
  }
  if (places == NULL || sure == NULL) return false;
  NvDsInferAttribute plate;
  plate.attributeConfidence = 1.0;
  string text;
  for (unsigned int i = 0, length = networkInfo.width / 4; i < length; i++) {
    const bool blank = places[i] == static_cast<int>(dictTable.size());
    if (blank || (i > 0 && places[i] == places[i - 1])) continue;
    text += dictTable[places[i]];
    plate.attributeConfidence *= sure[i];
  }
  if (plate.attributeConfidence < classifierThreshold) return true;
  plate.attributeIndex = 0;
  plate.attributeValue = 1;
  plate.attributeLabel = strdup(text.c_str());
  attrList.push_back(plate);
  descString = text;
  return true;
}
}
