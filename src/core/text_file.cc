// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/text_file.h"

#include "core/error.h"
#include "core/text_stream.h"

namespace sightline {

namespace fs = std::filesystem;

void require_file_or_pipe(const fs::path& path) {
  std::error_code ignored;
  const fs::file_type type = fs::status(path, ignored).type();
  if (type == fs::file_type::character || type == fs::file_type::block)
    throw Error(ErrorCode::kInput, path.string() + ": is a device, expected a file or a pipe.");
}

std::optional<std::string> read_text_file(const fs::path& path) {
  try {
    return TextStream(path).rest(kLargestTextFile,
                                 "more than any text that is expected here. Is it another file?");
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) return std::nullopt;
    throw;
  }
}

}  // namespace sightline
