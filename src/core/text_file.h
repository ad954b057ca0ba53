// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reading what people write: configurations, tables.

#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace sightline {

inline constexpr std::size_t kLargestTextFile = std::size_t{64} << 20;

// The whole of it; nothing if there is no such file or it may not be read. Throws Error(kInput) if
// it is larger than kLargestTextFile, or as require_file_or_pipe() does.
std::optional<std::string> read_text_file(const std::filesystem::path& path);

// Throws Error(kInput) if this is a device: some never end.
void require_file_or_pipe(const std::filesystem::path& path);

}  // namespace sightline
