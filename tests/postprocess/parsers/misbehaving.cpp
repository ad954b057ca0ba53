// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parsers for DeepStream that do what none should.

#include <atomic>
#include <chrono>
#include <limits>
#include <stdexcept>
#include <thread>

#include "nvdsinfer_custom_impl.h"

#define PARAMETERS                                                                        \
  std::vector<NvDsInferLayerInfo> const &layers, NvDsInferNetworkInfo const &networkInfo, \
      NvDsInferParseDetectionParams const &params
#define BOXES(name)                                                                        \
  extern "C" bool name(PARAMETERS, std::vector<NvDsInferObjectDetectionInfo>& objectList); \
  extern "C" bool name(PARAMETERS, std::vector<NvDsInferObjectDetectionInfo>& objectList)
#define MASKS(name)                                                                     \
  extern "C" bool name(PARAMETERS, std::vector<NvDsInferInstanceMaskInfo>& objectList); \
  extern "C" bool name(PARAMETERS, std::vector<NvDsInferInstanceMaskInfo>& objectList)

static const float kNan = std::numeric_limits<float>::quiet_NaN();

#pragma GCC diagnostic ignored "-Wunused-parameter"

BOXES(throws) { throw std::runtime_error("the anchors are missing"); }
BOXES(throws_a_number) { throw 42; }
BOXES(returns_false) { return false; }
BOXES(gives_nan) {
  objectList.push_back(NvDsInferObjectDetectionInfo{0, 1, 1, 4, 4, 0.9f});
  objectList.push_back(NvDsInferObjectDetectionInfo{0, 1, kNan, 4, 4, 0.9f});
  return true;
}
BOXES(gives_nan_confidence) {
  objectList.push_back(NvDsInferObjectDetectionInfo{0, 1, 1, 4, 4, kNan});
  return true;
}
BOXES(gives_negative_size) {
  objectList.push_back(NvDsInferObjectDetectionInfo{0, 8, 8, -4, 4, 0.9f});
  return true;
}
BOXES(gives_far_place) {
  objectList.push_back(NvDsInferObjectDetectionInfo{0, 1e30f, 8, 4, 4, 0.9f});
  return true;
}
BOXES(gives_unknown_class) {
  objectList.push_back(NvDsInferObjectDetectionInfo{7, 1, 1, 4, 4, 0.9f});
  return true;
}
BOXES(gives_class_minus_one) {
  objectList.push_back(
      NvDsInferObjectDetectionInfo{static_cast<unsigned int>(-1), 1, 1, 4, 4, 0.9f});
  return true;
}
BOXES(gives_millions) {
  objectList.resize(1000001);
  return true;
}
BOXES(gives_weak_nonsense) {  // below every threshold
  objectList.push_back(NvDsInferObjectDetectionInfo{99, kNan, 1, -4, 4, 0});
  return true;
}
BOXES(is_turned) {
  objectList.push_back(NvDsInferObjectDetectionInfo{0, 4, 6, 8, 4, 0.9f, 1.5707963f});
  return true;
}
// One call at a time: others keep things in static variables.
BOXES(counts_calls) {
  static std::atomic<int> inside{0};
  if (++inside > 1) throw std::runtime_error("called twice at a time");
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  --inside;
  return true;
}

static NvDsInferInstanceMaskInfo masked(unsigned int width, unsigned int height,
                                        unsigned int size) {
  NvDsInferInstanceMaskInfo info;
  info.left = info.top = 1;
  info.width = info.height = 4;
  info.detectionConfidence = 0.9f;
  info.mask = new float[4]();
  info.mask_width = width, info.mask_height = height, info.mask_size = size;
  return info;
}
MASKS(mask_too_small) {
  objectList.push_back(masked(100, 100, 16));
  return true;
}
MASKS(mask_null) {
  NvDsInferInstanceMaskInfo info = masked(2, 2, 16);
  delete[] info.mask;
  info.mask = nullptr;
  objectList.push_back(info);
  return true;
}
MASKS(mask_overflows) {
  objectList.push_back(masked(65536, 65536, 0));
  return true;
}
MASKS(mask_nan) {
  objectList.push_back(masked(2, 2, 16));
  objectList.back().mask[3] = kNan;
  return true;
}
MASKS(throws_with_masks) {
  objectList.push_back(masked(2, 2, 16));
  throw std::runtime_error("too late");
}

extern "C" bool attribute_nan(std::vector<NvDsInferLayerInfo> const&, NvDsInferNetworkInfo const&,
                              float, std::vector<NvDsInferAttribute>& attributes, std::string&) {
  attributes.push_back(NvDsInferAttribute{0, 1, kNan, strdup("red")});
  return true;
}
extern "C" bool attribute_unlabelled(std::vector<NvDsInferLayerInfo> const&,
                                     NvDsInferNetworkInfo const&, float,
                                     std::vector<NvDsInferAttribute>& attributes, std::string&) {
  attributes.push_back(NvDsInferAttribute{5, 1000000, 0.5f, nullptr});
  return true;
}
extern "C" bool map_of_unknown_class(std::vector<NvDsInferLayerInfo> const&,
                                     NvDsInferNetworkInfo const& networkInfo, float, unsigned int,
                                     int* map, float*&) {
  std::fill(map, map + networkInfo.width * networkInfo.height, 3);
  return true;
}

extern "C" int no_parser_at_all;
int no_parser_at_all = 3;
