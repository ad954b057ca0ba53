// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whether a configuration is read by nvinfer's rules: what its reader lets pass is passed over and
// remarked on there, and an error of our own files.

#pragma once

#include "core/config_file.h"

namespace sightline {

inline bool is_read_as_nvinfers(const ConfigFile& config) {
  const auto rules = config.peek("property", "compat");
  return rules && rules->text() == "deepstream";
}

// A complaint about `value`: thrown, or under nvinfer's rules remarked on.
inline void complain_or_remark(const ConfigFile& config, const ConfigValue& value,
                               const std::string& complaint) {
  if (!is_read_as_nvinfers(config)) value.fail(complaint);
  config.remark(value.complaint(complaint));
}

}  // namespace sightline
