// SPDX-License-Identifier: LGPL-2.1-or-later

#include "postprocess/class_map.h"

#include "postprocess/labels.h"

namespace sightline {

std::vector<std::string> read_class_names(const ConfigFile& config, std::size_t classes) {
  std::vector<std::string> names;
  const auto given = read_labels(config);
  if (!given) return names;
  for (const auto& line : given->lines) names.insert(names.end(), line.begin(), line.end());
  fit_labels(config, given->origin, classes, names);
  return names;
}

Results results_of(ClassMap map, const std::vector<std::string>& names) {
  Results results;
  std::vector<std::size_t> counts(names.size());
  for (const std::int32_t class_id : *map.classes)
    if (class_id >= 0 && static_cast<std::size_t>(class_id) < counts.size())
      ++counts[static_cast<std::size_t>(class_id)];
  Tensor classes{"segmentation", ElementType::kInt32, {map.height, map.width}};
  classes.data = reinterpret_cast<const std::byte*>(map.classes->data());
  classes.owner = map.classes;
  results.tensors.push_back(std::move(classes));
  if (!map.confidences.empty())
    results.tensors.push_back(
        Tensor::copy_of("segmentation-confidence", {map.height, map.width}, map.confidences));
  const auto pixels = static_cast<float>(map.classes->size());
  for (std::size_t id = 0; id < names.size(); ++id)
    if (counts[id] > 0)
      results.classifications.push_back({"segmentation", names[id], static_cast<int>(id),
                                         static_cast<float>(counts[id]) / pixels});
  return results;
}

}  // namespace sightline
