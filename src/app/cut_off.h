// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whether a clip ends before its end. Demultiplexers play what is there and say nothing.

#pragma once

#include <cstdint>
#include <filesystem>

namespace sightline {

// How many bytes a file lacks by what it says itself, if it is MP4, QuickTime, Matroska, WebM or
// AVI. 0: it is whole, or says nothing. Never throws for what is in the file.
std::uint64_t missing_bytes(const std::filesystem::path& path);

}  // namespace sightline
