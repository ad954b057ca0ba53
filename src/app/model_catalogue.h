// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The models that sightline knows: where they come from, under which licence, and how to tell that
// a file is the right one. `models/catalog.json` lists them.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sightline {

struct ModelSource {
  std::string file;  // within its npm package
  std::uint64_t bytes = 0;
  std::string sha256;
};

struct CatalogueModel {
  std::string name;
  std::string role;  // for people
  bool is_default = false;
  std::string licence;
  std::string restriction;  // not empty: whoever fetches it must accept this first
  std::string origin;
  std::string package, version;  // of npm
  std::string package_list;      // folder of package.json and its lock file, in the models folder
  std::vector<ModelSource> sources;
  std::string converter;  // "copy", or how `sources` become `file`
  std::string file;       // in the user's models folder
  std::uint64_t bytes = 0;
  std::string sha256;
};

// Throws Error that names the file if it is not what it should be.
std::vector<CatalogueModel> read_catalogue(const std::filesystem::path& models);

// Throws UsageError that lists the names.
const CatalogueModel& find_model_named(const std::vector<CatalogueModel>& catalogue,
                                       const std::string& name);

enum class ModelState { kMissing, kDamaged, kFetched };

// By size and hash of the file in the user's models folder.
ModelState state_of(const CatalogueModel& model);

// Lower-case hexadecimal. Throws Error(kNotFound) that names the file if it can't be read.
std::string sha256_of(const std::filesystem::path& path);

std::string readable_size(std::uint64_t bytes);  // "1.2 MB"

}  // namespace sightline
