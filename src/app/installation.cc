// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/installation.h"

#include "app/build_paths.h"
#include "core/error.h"

namespace sightline {

namespace fs = std::filesystem;

Installation Installation::locate() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error)
    throw Error(ErrorCode::kFailed, "/proc/self/exe cannot be read (" + error.message() +
                                        "): sightline finds its files through it. Mount /proc.");
  return of(program.parent_path());
}

Installation Installation::of(const fs::path& program_folder) {
  std::error_code ignored;
  if (fs::equivalent(program_folder, kBuildFolder, ignored))
    return {fs::path(kBuildFolder) / "src" / "elements" / "libgstsightline.so",
            fs::path(kSourceFolder) / "models"};
  const fs::path prefix = (program_folder / kBinToPrefix).lexically_normal();
  return {prefix / kLibFolder / "gstreamer-1.0" / "libgstsightline.so",
          prefix / kDataFolder / "sightline" / "models"};
}

}  // namespace sightline
