// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/text_file.h"

#include <array>
#include <fstream>

#include "core/error.h"

namespace sightline {

namespace fs = std::filesystem;

void require_file_or_pipe(const fs::path& path) {
  std::error_code ignored;
  const fs::file_type type = fs::status(path, ignored).type();
  if (type == fs::file_type::character || type == fs::file_type::block)
    throw Error(ErrorCode::kInput, path.string() + ": is a device, expected a file or a pipe.");
}

std::optional<std::string> read_text_file(const fs::path& path) {
  require_file_or_pipe(path);
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string text;
  std::array<char, 1 << 16> part;
  // The size of a pipe is not known before, and that of a file may change.
  while (stream.read(part.data(), part.size()), stream.gcount() > 0) {
    text.append(part.data(), static_cast<std::size_t>(stream.gcount()));
    if (text.size() > kLargestTextFile)
      throw Error(ErrorCode::kInput,
                  path.string() + ": is larger than " + std::to_string(kLargestTextFile >> 20) +
                      " MiB, more than any text that is expected here. Is it another file?");
  }
  return text;
}

}  // namespace sightline
