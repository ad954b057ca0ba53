// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/data_paths.h"

#include <cstdlib>
#include <string>

#include "core/error.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

fs::path from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? fs::path{} : fs::path(value);
}

}  // namespace

fs::path user_models_directory() {
  if (fs::path chosen = from_environment("SIGHTLINE_MODELS"); !chosen.empty()) return chosen;
  // The XDG base directory specification: a relative path is to be ignored.
  if (fs::path data = from_environment("XDG_DATA_HOME"); data.is_absolute())
    return data / "sightline" / "models";
  return from_environment("HOME") / ".local" / "share" / "sightline" / "models";
}

fs::path find_model(const fs::path& path) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) return path;
  fs::path fetched = user_models_directory() / path.filename();
  if (fs::exists(fetched, ignored)) return fetched;
  throw Error(ErrorCode::kNotFound, path.string() + ": no such model, nor " + fetched.string() +
                                        ". `sightline models fetch` fetches the default models.");
}

}  // namespace sightline
