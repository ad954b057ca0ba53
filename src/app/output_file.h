// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A file that is to be written whole or not at all: what was there before stays until the new one
// is finished.

#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

namespace sightline {

// Writes go to a new file beside `target`, which commit() renames. A target that is no regular file
// (a pipe, a device) is written as it is.
class OutputFile {
 public:
  // Who may read a new file: whom the umask lets, or its owner alone.
  enum class Readers { kAsUsual, kOwner };

  // Throws Error(kNotFound) or Error(kFailed) if nothing can be written there.
  explicit OutputFile(std::filesystem::path target, Readers readers = Readers::kAsUsual);
  ~OutputFile();  // unless committed, nothing is left of the new file
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::filesystem::path& target() const { return target_; }
  const std::filesystem::path& path() const { return temporary_; }  // where to write

  // Makes it the target, safe on the disk. Throws Error(kFailed) that names the target.
  void commit();

  // Gives produce() a function that writes a part, and commits what it has written.
  using Write = std::function<void(std::string_view)>;
  static void write(const std::filesystem::path& target,
                    const std::function<void(const Write&)>& produce,
                    Readers readers = Readers::kAsUsual);
  // Writes all of it and commits.
  static void write(const std::filesystem::path& target, std::string_view contents,
                    Readers readers = Readers::kAsUsual);

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool in_place_ = false;
  bool committed_ = false;
};

}  // namespace sightline
