// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A folder of one's own that is gone at the end of the scope, with everything in it.

#pragma once

#include <filesystem>

namespace sightline {

class TemporaryFolder {
 public:
  // In `parent`, made if it is not there; without it where the system keeps such things. Throws
  // Error(kFailed).
  explicit TemporaryFolder(std::filesystem::path parent = {});
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace sightline
