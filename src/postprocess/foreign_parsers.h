// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Postprocessors whose work a library does that custom-lib-path names.

#pragma once

#include <memory>

#include "core/config_file.h"
#include "postprocess/postprocess.h"

namespace sightline {

// The SightParser (include/sightline/postprocess.h) that `parser` names. Throws Error(kConfig).
std::unique_ptr<Postprocessor> make_sight_parser(const ConfigFile& config,
                                                 const NetworkShape& network,
                                                 const ConfigValue& parser);

// What the functions of DeepStream's parsers are for.
enum class DeepStreamParser { kBoxes, kMasks, kClassifier, kSegmentation };

// A function of that kind, built with include/sightline/compat/deepstream. Throws Error(kConfig),
// or Error(kModel) if an output is of a type that such a function has no word for.
std::unique_ptr<Postprocessor> make_deepstream_parser(const ConfigFile& config,
                                                      const NetworkShape& network,
                                                      DeepStreamParser kind,
                                                      const ConfigValue& function);

}  // namespace sightline
