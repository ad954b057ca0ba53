// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/temporary_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/error.h"

namespace sightline {

TemporaryFolder::TemporaryFolder(std::filesystem::path parent) {
  std::error_code error;
  if (parent.empty()) parent = std::filesystem::temp_directory_path(error);
  std::filesystem::create_directories(parent, error);
  std::string name = (parent / "sightline-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr)
    throw Error(ErrorCode::kFailed,
                parent.string() + ": no folder can be made there: " + std::strerror(errno) + ".");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace sightline
