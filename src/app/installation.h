// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where the program finds what belongs to it: in the folder it was built in, or relative to the
// folder it was installed in, wherever that has been moved to.

#pragma once

#include <filesystem>

namespace sightline {

struct Installation {
  std::filesystem::path plugin;  // libgstsightline.so
  std::filesystem::path models;  // configuration files, the catalogue, the lists of npm packages

  // Of the running program.
  static Installation locate();

  // Of a program in `program_folder`, as it was configured.
  static Installation of(const std::filesystem::path& program_folder);
};

}  // namespace sightline
