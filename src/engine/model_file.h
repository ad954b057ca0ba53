// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A model's bytes as they are on disk, and their fingerprint.

#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace sightline {

struct ModelFile {
  std::string bytes;
  std::string sha256;  // lower-case hexadecimal

  // Throws Error(kNotFound): no such file; Error(kModel): a folder, a pipe or a device, empty,
  // larger than ONNX allows (2 GiB), or not readable.
  static ModelFile read(const std::filesystem::path& path);

  // What was there before stays until the new file is whole. Throws Error(kFailed) if it cannot be
  // written.
  static void write(const std::filesystem::path& path, std::string_view bytes);
};

}  // namespace sightline
