// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Families that are not built in: `model-family = scheme:name`, made by whoever knows the scheme.

#pragma once

#include <memory>
#include <string>

#include "postprocess/postprocess.h"

namespace sightline {

// `name` is what stands behind the colon. Throws Error(kConfig) and Error(kModel).
using MakeForeignFamily = std::unique_ptr<Postprocessor> (*)(const std::string& name,
                                                             const ConfigFile& config,
                                                             const NetworkShape& network);

// From now on `scheme` is known, until the process ends. Any thread may call it.
void register_foreign_families(const std::string& scheme, MakeForeignFamily make);

// What made families of `scheme`; null: nobody is known.
MakeForeignFamily find_foreign_families(const std::string& scheme);

// The scheme of the configuration's model-family; empty if the family is one of ours.
std::string foreign_scheme(const ConfigFile& config);

// Null if the configuration's model-family is one of ours. Throws Error(kConfig) if nobody knows
// its scheme, and what MakeForeignFamily does.
std::unique_ptr<Postprocessor> make_foreign_family(const ConfigFile& config,
                                                   const NetworkShape& network);

}  // namespace sightline
