// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A class for each pixel, as results.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/config_file.h"
#include "postprocess/postprocess.h"

namespace sightline {

inline constexpr std::int32_t kNoClass = -1;

struct ClassMap {
  std::int64_t height = 0, width = 0;
  std::shared_ptr<std::vector<std::int32_t>> classes;  // kNoClass to the number of classes - 1
  std::vector<float> confidences;                      // one a pixel, or none
};

// One name a class of `labels` or labelfile-path; none where neither is set. Throws Error(kConfig)
// if there are not `classes` of them.
std::vector<std::string> read_class_names(const ConfigFile& config, std::size_t classes);

// The tensors "segmentation" and, if there are confidences, "segmentation-confidence"; and for each
// class with a name how much of the region it has.
Results results_of(ClassMap map, const std::vector<std::string>& names);

}  // namespace sightline
