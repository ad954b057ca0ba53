// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files for a test, gone after it.

#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "app/temporary_folder.h"

namespace sightline {

class ScratchFolder {
 public:
  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

  std::filesystem::path write(const std::string& name, const std::string& contents) const {
    std::ofstream(path(name), std::ios::binary) << contents;
    return path(name);
  }

  std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name), std::ios::binary).rdbuf();
    return text.str();
  }

  std::size_t count() const {
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      ++files;
    return files;
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace sightline
