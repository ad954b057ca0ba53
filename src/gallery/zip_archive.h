// SPDX-License-Identifier: LGPL-2.1-or-later
//
// ZIP archives in memory: as much of them as .npz files need.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace sightline {

// Of an archive that is read, in bytes: what ZipWriter can write, and what its contents may have.
inline constexpr std::uint64_t kLargestArchive = std::uint64_t{4} << 30;

// Files are stored as they are, as numpy.savez() does. At most 4 GiB in all: throws Error(kInput)
// beyond.
class ZipWriter {
 public:
  void add(const std::string& name, std::string_view contents);
  std::string finish() &&;

 private:
  std::string bytes_;
  std::string directory_;
  std::uint16_t count_ = 0;
};

// The files of an archive, stored or deflated (numpy.savez_compressed), by name. Throws
// Error(kInput) without a name in front: no ZIP file, cut off, encrypted, another way of
// compression, a checksum that is wrong, contents of more than `limit` bytes in all.
std::map<std::string, std::string> read_zip(std::string_view bytes, std::uint64_t limit);

}  // namespace sightline
