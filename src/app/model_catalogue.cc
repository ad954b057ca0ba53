// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/model_catalogue.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include <glib.h>

#include "app/exit_status.h"
#include "app/gst_pointer.h"
#include "app/json_text.h"
#include "core/data_paths.h"
#include "core/error.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

ModelSource source_from(const Json& entry) {
  return {entry.at("file"), entry.at("bytes"), entry.at("sha256")};
}

CatalogueModel model_from(const Json& entry) {
  CatalogueModel model;
  model.name = entry.at("name");
  model.role = entry.at("role");
  model.is_default = entry.at("default");
  model.licence = entry.at("licence");
  model.restriction = entry.value("restriction", "");
  model.origin = entry.at("origin");
  model.package = entry.at("package");
  model.version = entry.at("version");
  model.package_list = entry.value("package_list", ".");
  for (const Json& source : entry.at("sources")) model.sources.push_back(source_from(source));
  model.converter = entry.at("converter");
  model.file = entry.at("file");
  model.bytes = entry.at("bytes");
  model.sha256 = entry.at("sha256");
  return model;
}

}  // namespace

std::vector<CatalogueModel> read_catalogue(const fs::path& models) {
  const fs::path path = models / "catalog.json";
  std::ifstream stream(path);
  if (!stream)
    throw Error(ErrorCode::kNotFound, path.string() +
                                          ": the catalogue of models is not there. "
                                          "Build or install sightline again.");
  try {
    std::vector<CatalogueModel> catalogue;
    const Json document = Json::parse(stream);  // outlives the loop over its parts
    for (const Json& entry : document.at("models")) catalogue.push_back(model_from(entry));
    return catalogue;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kConfig, path.string() + ": " + error.what());
  }
}

const CatalogueModel& find_model_named(const std::vector<CatalogueModel>& catalogue,
                                       const std::string& name) {
  const auto found = std::ranges::find(catalogue, name, &CatalogueModel::name);
  if (found != catalogue.end()) return *found;
  std::string known;
  for (const CatalogueModel& model : catalogue) known += (known.empty() ? "" : ", ") + model.name;
  throw UsageError(name + ": no such model. Known: " + known);
}

ModelState state_of(const CatalogueModel& model) {
  const fs::path path = user_models_directory() / model.file;
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(path, error);
  if (error) return ModelState::kMissing;
  return bytes == model.bytes && sha256_of(path) == model.sha256 ? ModelState::kFetched
                                                                 : ModelState::kDamaged;
}

std::string sha256_of(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(ErrorCode::kNotFound, path.string() + ": cannot be read.");
  const ChecksumPtr checksum(g_checksum_new(G_CHECKSUM_SHA256));
  std::array<char, 1 << 16> block;
  while (stream.read(block.data(), block.size()) || stream.gcount() > 0)
    g_checksum_update(checksum.get(), reinterpret_cast<const guchar*>(block.data()),
                      static_cast<gssize>(stream.gcount()));
  return g_checksum_get_string(checksum.get());
}

std::string readable_size(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

}  // namespace sightline
