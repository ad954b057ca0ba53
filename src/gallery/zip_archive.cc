// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/zip_archive.h"

#include <limits>

#include <zlib.h>

#include "core/error.h"

namespace sightline {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50;
constexpr std::size_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22;
constexpr std::size_t kLongestComment = 65535;
constexpr std::uint16_t kStored = 0, kDeflated = 8;
constexpr std::uint16_t kVersion = 20;
constexpr std::uint16_t kFirstDay =
    (0 << 9) | (1 << 5) | 1;                 // 1980-01-01: equal contents, equal files
constexpr std::uint32_t kIn64 = 0xffffffff;  // the number is elsewhere (ZIP64)

[[noreturn]] void fail(const std::string& complaint) { throw Error(ErrorCode::kInput, complaint); }

void put(std::string& to, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

// Numbers at a place, which must be within the file.
class Fields {
 public:
  Fields(std::string_view bytes, std::uint64_t offset, std::size_t size) {
    if (offset > bytes.size() || size > bytes.size() - offset) fail("the file is cut off.");
    bytes_ = bytes.substr(offset, size);
  }
  std::uint16_t two(std::size_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
  std::uint32_t four(std::size_t at) const { return number(at, 4); }
  std::string_view text() const { return bytes_; }

 private:
  std::uint32_t number(std::size_t at, std::size_t bytes) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes_[at + i])) << (8 * i);
    return value;
  }

  std::string_view bytes_;
};

// What the archive's directory says of a file.
struct Entry {
  std::string name;
  std::uint16_t method;
  std::uint32_t checksum, compressed, size, offset;
};

// No stream of deflate makes more of a byte (zlib's technical notes), whatever the directory says.
constexpr std::uint64_t kMostOfAByte = 1032;

std::string inflated(const Entry& entry, std::string_view compressed) {
  if (entry.size > kMostOfAByte * (compressed.size() + 1))
    fail(entry.name + ": the archive's directory says that " + std::to_string(compressed.size()) +
         " bytes are " + std::to_string(entry.size) + " in full, which cannot be: it is damaged.");
  std::string contents(entry.size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail(entry.name + ": there is no memory for it.");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(contents.data());
  stream.avail_out = static_cast<uInt>(contents.size());
  const int status = inflate(&stream, Z_FINISH);
  const bool whole = status == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!whole) fail(entry.name + ": its compressed contents are damaged.");
  return contents;
}

std::string contents_of(std::string_view bytes, const Entry& entry) {
  const Fields local(bytes, entry.offset, kLocalSize);
  if (local.four(0) != kLocal) fail(entry.name + ": it is not where the archive's directory says.");
  const std::uint64_t begin =
      std::uint64_t{entry.offset} + kLocalSize + local.two(26) + local.two(28);
  const std::string_view raw = Fields(bytes, begin, entry.compressed).text();
  if (entry.method == kStored && entry.compressed != entry.size)
    fail(entry.name + ": the archive's directory is damaged.");
  std::string contents = entry.method == kStored ? std::string(raw) : inflated(entry, raw);
  if (checksum(contents) != entry.checksum) fail(entry.name + ": its checksum is wrong.");
  return contents;
}

// The record at the archive's end, behind which there may be a comment.
std::size_t end_of_directory(std::string_view bytes) {
  const std::size_t first =
      bytes.size() > kEndSize + kLongestComment ? bytes.size() - kEndSize - kLongestComment : 0;
  for (std::size_t at = bytes.size(); at-- > first;)
    if (bytes.size() - at >= kEndSize && Fields(bytes, at, 4).four(0) == kEnd) return at;
  fail("no ZIP archive, or one that is cut off.");
}

}  // namespace

void ZipWriter::add(const std::string& name, std::string_view contents) {
  if (bytes_.size() + contents.size() + directory_.size() + 2 * name.size() + 1024 >
      std::numeric_limits<std::uint32_t>::max())
    fail("more than 4 GiB, which such an archive does not hold. Export JSON Lines instead.");
  const auto offset = static_cast<std::uint32_t>(bytes_.size());
  const auto size = static_cast<std::uint32_t>(contents.size());
  std::string fields;  // which both headers have
  put(fields, kVersion, 2);
  put(fields, 0, 2);
  put(fields, kStored, 2);
  put(fields, 0, 2);
  put(fields, kFirstDay, 2);
  put(fields, checksum(contents), 4);
  put(fields, size, 4);
  put(fields, size, 4);
  put(fields, static_cast<std::uint32_t>(name.size()), 2);
  put(fields, 0, 2);
  put(bytes_, kLocal, 4);
  bytes_ += fields + name;
  bytes_ += contents;
  put(directory_, kCentral, 4);
  put(directory_, kVersion, 2);
  directory_ += fields;
  put(directory_, 0, 2);  // comment
  put(directory_, 0, 2);  // disk
  put(directory_, 0, 2);  // attributes
  put(directory_, 0, 4);
  put(directory_, offset, 4);
  directory_ += name;
  ++count_;
}

std::string ZipWriter::finish() && {
  const auto offset = static_cast<std::uint32_t>(bytes_.size());
  bytes_ += directory_;
  put(bytes_, kEnd, 4);
  put(bytes_, 0, 4);  // disks
  put(bytes_, count_, 2);
  put(bytes_, count_, 2);
  put(bytes_, static_cast<std::uint32_t>(directory_.size()), 4);
  put(bytes_, offset, 4);
  put(bytes_, 0, 2);  // comment
  return std::move(bytes_);
}

std::map<std::string, std::string> read_zip(std::string_view bytes, std::uint64_t limit) {
  const Fields end(bytes, end_of_directory(bytes), kEndSize);
  std::map<std::string, std::string> files;
  std::uint64_t at = end.four(16), total = 0;
  for (int i = 0; i < end.two(10); ++i) {
    const Fields fields(bytes, at, kCentralSize);
    if (fields.four(0) != kCentral) fail("the archive's directory is damaged.");
    Entry entry{std::string(Fields(bytes, at + kCentralSize, fields.two(28)).text()),
                fields.two(10),
                fields.four(16),
                fields.four(20),
                fields.four(24),
                fields.four(42)};
    if ((fields.two(8) & 1) != 0) fail(entry.name + ": it is encrypted.");
    if (entry.method != kStored && entry.method != kDeflated)
      fail(entry.name + ": it is compressed in a way that is not known here (" +
           std::to_string(entry.method) + ").");
    if (entry.size == kIn64 || entry.offset == kIn64)
      fail(entry.name + ": archives of 4 GiB and more are not read. Split it.");
    total += entry.size;
    if (total > limit)
      fail("its contents have more than " + std::to_string(limit) + " bytes. Split it.");
    files[entry.name] = contents_of(bytes, entry);
    at += kCentralSize + fields.two(28) + fields.two(30) + fields.two(32);
  }
  return files;
}

}  // namespace sightline
