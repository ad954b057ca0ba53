// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Parsers for DeepStream that find what they know already: of each kind two, so that it can be seen
// which one was called, and of which library.

#include "nvdsinfer_custom_impl.h"

#ifndef PLACE
#define PLACE 1
#endif

template <typename Info>
static void add(float size, std::vector<Info>& objects) {
  Info object;
  object.left = object.top = PLACE;
  object.width = object.height = size;
  object.detectionConfidence = 0.75f;
  objects.push_back(object);
}

static void add(const char* label, std::vector<NvDsInferAttribute>& attributes) {
  NvDsInferAttribute attribute;
  attribute.attributeConfidence = 0.75f;
  attribute.attributeLabel = strdup(label);
  attributes.push_back(attribute);
}

#define LAYERS std::vector<NvDsInferLayerInfo> const&, NvDsInferNetworkInfo const& network

#define BOXES(name, size)                                                    \
  extern "C" bool name(LAYERS, NvDsInferParseDetectionParams const&,         \
                       std::vector<NvDsInferObjectDetectionInfo>& objects) { \
    add(size, objects);                                                      \
    return network.width > 0;                                                \
  }                                                                          \
  CHECK_CUSTOM_PARSE_FUNC_PROTOTYPE(name)
#define MASKS(name, size)                                                 \
  extern "C" bool name(LAYERS, NvDsInferParseDetectionParams const&,      \
                       std::vector<NvDsInferInstanceMaskInfo>& objects) { \
    add(size, objects);                                                   \
    return network.width > 0;                                             \
  }                                                                       \
  CHECK_CUSTOM_INSTANCE_MASK_PARSE_FUNC_PROTOTYPE(name)
#define LABELS(name, label)                                                        \
  extern "C" bool name(LAYERS, float, std::vector<NvDsInferAttribute>& attributes, \
                       std::string& description) {                                 \
    add(label, attributes);                                                        \
    description = label;                                                           \
    return network.width > 0;                                                      \
  }                                                                                \
  CHECK_CUSTOM_CLASSIFIER_PARSE_FUNC_PROTOTYPE(name)
#define CLASSES(name, class_id)                                                        \
  extern "C" bool name(LAYERS, float, unsigned int, int* map, float*& probabilities) { \
    std::fill(map, map + network.width * network.height, class_id);                    \
    probabilities = nullptr;                                                           \
    return true;                                                                       \
  }                                                                                    \
  CHECK_CUSTOM_SEM_SEGMENTATION_PARSE_FUNC_PROTOTYPE(name)

BOXES(small_box, 3)
BOXES(large_box, 6)
MASKS(small_mask, 4)
MASKS(large_mask, 8)
LABELS(says_yes, "yes")
LABELS(says_no, "no")
CLASSES(all_road, 0)
CLASSES(all_sky, 1)
