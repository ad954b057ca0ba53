// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/cut_off.h"

#include <array>
#include <bit>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace sightline {

namespace {

constexpr std::uint64_t kOpenEnd = std::numeric_limits<std::uint64_t>::max();

class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& path) : stream_(path, std::ios::binary) {
    std::error_code error;
    size_ = std::filesystem::file_size(path, error);
    if (error) size_ = 0;
  }

  std::uint64_t size() const { return size_; }

  // `count` ≤ 8 bytes at `offset`, big-endian; none beyond the end.
  std::optional<std::uint64_t> number(std::uint64_t offset, unsigned count) {
    std::array<char, 8> bytes;
    if (offset > size_ || size_ - offset < count) return std::nullopt;
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(offset));
    if (!stream_.read(bytes.data(), count)) return std::nullopt;
    std::uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  }

 private:
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

std::uint64_t sum(std::uint64_t a, std::uint64_t b) { return b > kOpenEnd - a ? kOpenEnd : a + b; }

constexpr std::uint64_t tag(const char (&name)[5]) {
  std::uint64_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(name[i]);
  return value;
}

// The end of the box at `offset` of an ISO base media file: 32 bits of size and a type; size 1: 64
// bits follow; size 0: up to the end of the file.
std::uint64_t end_of_box(Bytes& file, std::uint64_t offset) {
  const auto size = file.number(offset, 4), type = file.number(offset + 4, 4);
  if (!type || *size == 0) return file.size();
  if (*size == 1) return sum(offset, file.number(offset + 8, 8).value_or(16));
  return sum(offset, *size);
}

std::uint64_t end_of_boxes(Bytes& file) {
  std::uint64_t end = 0;
  while (end < file.size()) {
    const std::uint64_t next = end_of_box(file, end);
    if (file.size() - end < 8 || next < sum(end, 8))
      return file.size();  // no box: whatever follows is not ours to judge
    end = next;
  }
  return end;
}

// A size of EBML: the number of leading zero bits of the first byte is the number of bytes that
// follow; all other bits set: not known.
struct EbmlSize {
  unsigned bytes;
  std::uint64_t value;
};

std::optional<EbmlSize> ebml_size(Bytes& file, std::uint64_t offset) {
  const auto first = file.number(offset, 1);
  if (!first || *first == 0) return std::nullopt;
  const unsigned bytes = std::countl_zero(static_cast<std::uint8_t>(*first)) + 1u;
  const auto number = file.number(offset, bytes);
  if (!number) return std::nullopt;
  const std::uint64_t mask = (std::uint64_t{1} << (7 * bytes)) - 1;
  const std::uint64_t value = *number & mask;
  return EbmlSize{bytes, value == mask ? kOpenEnd : value};
}

// A header, then a segment that holds everything.
std::uint64_t end_of_matroska(Bytes& file) {
  const auto header = ebml_size(file, 4);
  if (!header || header->value == kOpenEnd) return file.size();
  const std::uint64_t segment = sum(4 + header->bytes, header->value);
  const auto size = ebml_size(file, sum(segment, 4));
  if (!size || size->value == kOpenEnd) return file.size();
  return sum(segment + 4 + size->bytes, size->value);
}

std::uint64_t end_of_riff(Bytes& file) {
  const std::uint64_t size = file.number(4, 4).value_or(0);
  return 8 + std::uint64_t{__builtin_bswap32(static_cast<std::uint32_t>(size))};
}

std::uint64_t stated_end(Bytes& file) {
  constexpr std::uint64_t kEbml = 0x1A45DFA3;
  const auto head = file.number(0, 4);
  if (head == kEbml) return end_of_matroska(file);
  if (head == tag("RIFF")) return end_of_riff(file);
  const auto type = file.number(4, 4);
  if (type == tag("ftyp") || type == tag("moov") || type == tag("mdat")) return end_of_boxes(file);
  return file.size();
}

}  // namespace

std::uint64_t missing_bytes(const std::filesystem::path& path) {
  Bytes file(path);
  const std::uint64_t end = stated_end(file);
  return end == kOpenEnd || end <= file.size() ? 0 : end - file.size();
}

}  // namespace sightline
