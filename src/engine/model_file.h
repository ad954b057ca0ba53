// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A model's bytes as they are on disk, and their fingerprint.

#pragma once

#include <filesystem>
#include <string>

namespace sightline {

struct ModelFile {
  std::string bytes;
  std::string sha256;  // lower-case hexadecimal

  // Throws Error(kNotFound): no such file; Error(kModel): a folder, a pipe or a device, empty,
  // larger than ONNX allows (2 GiB), or not readable.
  static ModelFile read(const std::filesystem::path& path);
};

}  // namespace sightline
