// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Names of classes, from `labels` or from the file that `labelfile-path` names.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/config_file.h"

namespace sightline {

struct Labels {
  ConfigValue origin;                           // the key that gave them, for complaints
  std::vector<std::vector<std::string>> lines;  // a line's labels; `labels` is one line
};

// Lines of the file are split at ';' as nvinfer's classifier files are. None where neither key is
// set. Throws Error(kConfig) if both are, or if the file cannot be read, is too large to be a list
// of labels, or is not text.
std::optional<Labels> read_labels(const ConfigFile& config);

// Complains if `labels` are not `count`, one a class. Under nvinfer's rules that is remarked on,
// those beyond are left out, and classes without one are named by their numbers.
void fit_labels(const ConfigFile& config, const ConfigValue& origin, std::size_t count,
                std::vector<std::string>& labels);

// How many classes the configuration speaks of: num-detected-classes, else the number of labels.
std::optional<int> stated_classes(const ConfigFile& config);

}  // namespace sightline
