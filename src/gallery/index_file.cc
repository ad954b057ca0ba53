// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/index_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gallery/byte_scores.h"
#include "gallery/neighbor_graph.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;

constexpr std::array<char, 8> kMagic{'S', 'G', 'L', 'Y', 'I', 'N', 'D', 'X'};
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kByteOrder = 0x01020304;
constexpr std::size_t kPage = 65536;  // sections begin on a boundary of any system's pages
constexpr char kHalfWritten[] = ".new-";
constexpr float kNoLimit = std::numeric_limits<float>::quiet_NaN();  // of a person's own rule

enum SectionName : std::size_t {
  kPersons,
  kIds,
  kOwners,
  kCentre,
  kVectors,
  kBytes,
  kScales,
  kBiases,
  kNodes,
  kOutlines,
  kGraphRest,
  kSections
};

struct Section {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
};

// As it lies in the file, in the byte order of the machine that wrote it.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t byte_order = kByteOrder;
  std::uint64_t checksum = 0;  // of this header while this is 0
  std::uint64_t rows = 0;
  std::uint64_t byte_rows = 0;
  std::uint64_t persons = 0;
  std::int64_t change = 0;
  std::uint32_t dimensions = 0;
  std::uint32_t unused = 0;
  std::array<char, 64> gallery{};
  std::array<char, 264> model_id{};
  std::array<char, 264> model_name{};
  std::array<Section, kSections> sections{};
};
static_assert(sizeof(Header) <= kPage);

// Each step is a bijection, so that no single change goes unnoticed; four sums side by side keep up
// with memory.
class Checksum {
 public:
  // All calls but the last take a multiple of 32 bytes.
  void add(std::span<const std::byte> bytes) {
    length_ += bytes.size();
    for (; bytes.size() >= sizeof lanes_; bytes = bytes.subspan(sizeof lanes_)) {
      std::array<std::uint64_t, 4> words;
      std::memcpy(words.data(), bytes.data(), sizeof words);
      for (std::size_t i = 0; i < words.size(); ++i) mix(lanes_[i], words[i]);
    }
    for (const std::byte byte : bytes) mix(lanes_[0], static_cast<std::uint64_t>(byte));
  }
  std::uint64_t value() const {
    std::uint64_t all = length_;
    for (const std::uint64_t lane : lanes_) mix(all, lane);
    return all;
  }

 private:
  static void mix(std::uint64_t& sum, std::uint64_t word) {
    sum = std::rotl((sum ^ word) * 0x9e3779b97f4a7c15u, 29);
  }

  std::array<std::uint64_t, 4> lanes_{1, 2, 3, 4};
  std::uint64_t length_ = 0;
};

std::uint64_t checksum_of(std::span<const std::byte> bytes) {
  Checksum sum;
  sum.add(bytes);
  return sum.value();
}

std::uint64_t checksum_of(Header header) {
  header.checksum = 0;
  return checksum_of(std::as_bytes(std::span(&header, 1)));
}

[[noreturn]] void fail(const fs::path& path, const std::string& complaint) {
  throw Error(ErrorCode::kGallery, path.string() + " " + complaint);
}

class OpenFile {
 public:
  OpenFile(fs::path path, int flags)
      : path_(std::move(path)), handle_(::open(path_.c_str(), flags | O_CLOEXEC, S_IRUSR)) {
    if (handle_ < 0) fail_with_reason("cannot be opened");
  }
  ~OpenFile() { ::close(handle_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int handle() const { return handle_; }
  [[noreturn]] void fail_with_reason(const std::string& what) const {
    fail(path_, what + ": " + std::strerror(errno));
  }
  std::uint64_t size() const {
    struct stat status {};
    if (::fstat(handle_, &status) != 0) fail_with_reason("cannot be read");
    if (!S_ISREG(status.st_mode)) fail(path_, "is no regular file");
    return static_cast<std::uint64_t>(status.st_size);
  }
  void write_at(std::span<const std::byte> bytes, std::uint64_t offset) const {
    while (!bytes.empty()) {
      const ssize_t written =
          ::pwrite(handle_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail_with_reason("cannot be written");
      bytes = bytes.subspan(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
  }
  void sync() const {
    if (::fsync(handle_) != 0) fail_with_reason("cannot be written");
  }

 private:
  fs::path path_;
  int handle_;
};

// Sections one after the other, each with its checksum.
class SectionWriter {
 public:
  explicit SectionWriter(const OpenFile& file) : file_(file) {}

  void begin(Section& section) {
    offset_ = (offset_ + kPage - 1) / kPage * kPage;
    section_ = &section;
    section.offset = offset_;
    sum_ = {};
  }
  void write(std::span<const std::byte> bytes) {
    file_.write_at(bytes, offset_);
    offset_ += bytes.size();
    sum_.add(bytes);
  }
  void end() {
    section_->bytes = offset_ - section_->offset;
    section_->checksum = sum_.value();
  }

 private:
  const OpenFile& file_;
  std::uint64_t offset_ = sizeof(Header);
  Section* section_ = nullptr;
  Checksum sum_;
};

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

template <std::size_t kSize>
void set_text(std::array<char, kSize>& into, const std::string& text) {
  std::copy_n(text.begin(), std::min(text.size(), kSize - 1), into.begin());
}

std::vector<std::byte> encode(const PersonTable& persons) {
  std::vector<std::byte> bytes;
  const auto append = [&](const std::string& text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    for (const auto piece : {std::as_bytes(std::span(&size, 1)), std::as_bytes(std::span(text))})
      bytes.insert(bytes.end(), piece.begin(), piece.end());
  };
  for (std::uint32_t number = 0; number < persons.numbers(); ++number) {
    const PersonTable::Entry& person = persons[number];
    append(person.id);
    append(person.name);
    const std::array<float, 2> rule{person.rule.threshold.value_or(kNoLimit),
                                    person.rule.margin.value_or(kNoLimit)};
    append({reinterpret_cast<const char*>(rule.data()), sizeof rule});
  }
  return bytes;
}

}  // namespace

// What of an index goes into a file, and back.
class IndexFile {
 public:
  static void write(const OpenFile& file, const StoredIndex& stored);
  static StoredIndex read(const fs::path& path);

 private:
  static constexpr std::size_t kBlockRows = EmbeddingIndex::kBlockRows;

  static void write_rows(SectionWriter& writer, Header& header, const EmbeddingIndex& index);
  static void write_bytes(SectionWriter& writer, Header& header, const EmbeddingIndex& index);
  static void write_graph(SectionWriter& writer, Header& header, const EmbeddingIndex& index);

  explicit IndexFile(const fs::path& path);
  template <typename T>
  std::span<const T> section(SectionName name, std::size_t count) const;
  std::span<const std::byte> all_of(SectionName name) const;
  void require(bool holds, const char* what) const {
    if (!holds) fail(path_, std::string("is damaged: ") + what + ". It is made anew");
  }
  PersonTable persons() const;
  EmbeddingIndex index(const PersonTable& persons) const;
  void take_bytes(EmbeddingIndex& index) const;

  fs::path path_;
  OpenFile file_;
  std::shared_ptr<const std::byte> memory_;
  std::uint64_t size_ = 0;
  Header header_;
};

void IndexFile::write_rows(SectionWriter& writer, Header& header, const EmbeddingIndex& index) {
  std::vector<std::int64_t> ids;
  std::vector<std::uint32_t> owners;
  for (std::size_t row = 0; row < index.rows(); ++row) {
    owners.push_back(index.owner(row));
    ids.push_back(owners.back() == EmbeddingIndex::kNobody ? 0 : index.id(row));
  }
  writer.begin(header.sections[kIds]);
  writer.write(bytes_of(ids));
  writer.end();
  writer.begin(header.sections[kOwners]);
  writer.write(bytes_of(owners));
  writer.end();

  writer.begin(header.sections[kVectors]);
  std::vector<float> block;
  for (std::size_t begin = 0; begin < index.rows(); begin += kBlockRows) {
    block.assign(kBlockRows * index.dimensions_, 0);
    for (std::size_t row = begin; row < std::min(begin + kBlockRows, index.rows()); ++row) {
      if (index.owner(row) == EmbeddingIndex::kNobody) continue;
      std::copy_n(index.values(row).data(), index.dimensions_,
                  block.begin() + static_cast<std::ptrdiff_t>((row - begin) * index.dimensions_));
    }
    writer.write(bytes_of(block));
  }
  writer.end();
}

void IndexFile::write_bytes(SectionWriter& writer, Header& header, const EmbeddingIndex& index) {
  const std::size_t group_size = group_bytes(index.dimensions_);
  header.byte_rows = index.byte_rows();
  writer.begin(header.sections[kCentre]);
  writer.write(std::as_bytes(index.centre()));
  writer.end();
  std::vector<float> scales(index.byte_blocks_.size() * kBlockRows), biases(scales.size());
  writer.begin(header.sections[kBytes]);
  std::vector<std::uint8_t> block;
  for (std::size_t begin = 0; begin < header.byte_rows; begin += kBlockRows) {
    const EmbeddingIndex::ByteBlock& from = *index.byte_blocks_[begin / kBlockRows];
    const std::size_t rows = std::min(kBlockRows, header.byte_rows - begin);
    block.assign(kBlockRows / kGroupRows * group_size, 0);
    std::copy_n(from.bytes, rows / kGroupRows * group_size, block.begin());
    for (std::size_t row = 0; row < rows; ++row) {
      if (index.owner(begin + row) != EmbeddingIndex::kNobody) {
        scales[begin + row] = from.scales[row];
        biases[begin + row] = from.biases[row];
        continue;
      }
      for (std::size_t quad = 0; quad < quads(index.dimensions_); ++quad) {
        const std::size_t place =
            row / kGroupRows * group_size + (quad * kGroupRows + row % kGroupRows) * 4;
        std::fill_n(block.begin() + static_cast<std::ptrdiff_t>(place), 4, std::uint8_t{0});
      }
    }
    writer.write(bytes_of(block));
  }
  writer.end();
  writer.begin(header.sections[kScales]);
  writer.write(bytes_of(scales));
  writer.end();
  writer.begin(header.sections[kBiases]);
  writer.write(bytes_of(biases));
  writer.end();
}

void IndexFile::write_graph(SectionWriter& writer, Header& header, const EmbeddingIndex& index) {
  const NeighborGraph* graph = index.graph().get();
  if (graph == nullptr || graph->size() > index.rows()) return;
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const auto write_pieces = [&](SectionName name, std::span<const std::byte> bytes) {
    writer.begin(header.sections[name]);
    for (std::size_t begin = 0; begin < bytes.size(); begin += kPiece)
      writer.write(bytes.subspan(begin, std::min(kPiece, bytes.size() - begin)));
    writer.end();
  };
  write_pieces(kNodes, graph->nodes());
  write_pieces(kOutlines, graph->outlines());
  writer.begin(header.sections[kGraphRest]);
  writer.write(bytes_of(graph->rest()));
  writer.end();
}

void IndexFile::write(const OpenFile& file, const StoredIndex& stored) {
  const EmbeddingIndex& index = stored.index;
  Header header;
  header.rows = index.rows();
  header.persons = stored.persons.numbers();
  header.change = stored.stamp.change;
  header.dimensions = static_cast<std::uint32_t>(index.dimensions());
  set_text(header.gallery, stored.stamp.gallery);
  set_text(header.model_id, stored.stamp.model.id);
  set_text(header.model_name, stored.stamp.model.name);

  SectionWriter writer(file);
  writer.begin(header.sections[kPersons]);
  writer.write(encode(stored.persons));
  writer.end();
  write_rows(writer, header, index);
  write_bytes(writer, header, index);
  write_graph(writer, header, index);
  header.checksum = checksum_of(header);
  file.write_at(std::as_bytes(std::span(&header, 1)), 0);
  file.sync();
}

IndexFile::IndexFile(const fs::path& path)
    : path_(path), file_(path, O_RDONLY | O_NONBLOCK), size_(file_.size()) {
  require(size_ >= sizeof header_, "it is too short");
  void* memory = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_.handle(), 0);
  if (memory == MAP_FAILED) file_.fail_with_reason("cannot be mapped");
  memory_ = {static_cast<const std::byte*>(memory), [size = size_](const std::byte* each) {
               ::munmap(const_cast<std::byte*>(each), size);  // NOLINT
             }};
  std::memcpy(&header_, memory_.get(), sizeof header_);
  require(header_.magic == kMagic, "it does not begin as an index");
  if (header_.version != kVersion || header_.byte_order != kByteOrder)
    fail(path_, "is an index of another version of Sightline or kind of machine. It is made anew");
  require(header_.checksum == checksum_of(header_), "its header has changed");
  for (const Section& each : header_.sections) {
    require(each.offset % kPage == 0 && each.offset <= size_ && each.bytes <= size_ - each.offset,
            "it ends early");
    require(
        each.checksum == (each.bytes == 0 ? each.checksum
                                          : checksum_of({memory_.get() + each.offset, each.bytes})),
        "its contents have changed");
  }
}

std::span<const std::byte> IndexFile::all_of(SectionName name) const {
  return {memory_.get() + header_.sections[name].offset, header_.sections[name].bytes};
}

template <typename T>
std::span<const T> IndexFile::section(SectionName name, std::size_t count) const {
  const std::span<const std::byte> bytes = all_of(name);
  require(bytes.size() / sizeof(T) == count && bytes.size() % sizeof(T) == 0,
          "its parts do not fit each other");
  return {reinterpret_cast<const T*>(bytes.data()), count};
}

PersonTable IndexFile::persons() const {
  PersonTable table;
  std::span<const std::byte> bytes = all_of(kPersons);
  const auto text = [&] {
    std::uint32_t size = 0;
    require(bytes.size() >= sizeof size, "its persons end early");
    std::memcpy(&size, bytes.data(), sizeof size);
    require(bytes.size() - sizeof size >= size, "its persons end early");
    std::string read(reinterpret_cast<const char*>(bytes.data()) + sizeof size, size);
    bytes = bytes.subspan(sizeof size + size);
    return read;
  };
  for (std::uint64_t number = 0; number < header_.persons; ++number) {
    PersonTable::Entry person{text(), text(), {}};
    const std::string rule = text();
    std::array<float, 2> limits;
    require(rule.size() == sizeof limits, "a person's rule is none");
    std::memcpy(limits.data(), rule.data(), sizeof limits);
    if (!std::isnan(limits[0])) person.rule.threshold = limits[0];
    if (!std::isnan(limits[1])) person.rule.margin = limits[1];
    const bool removed = person.id.empty();
    const std::uint32_t added = table.add(std::move(person));
    if (removed) table.remove(added);
  }
  return table;
}

EmbeddingIndex IndexFile::index(const PersonTable& persons) const {
  constexpr std::uint32_t kMostDimensions = 65536;
  require(header_.dimensions >= 1 && header_.dimensions <= kMostDimensions, "its dimensions");
  const std::size_t dimensions = header_.dimensions, rows = header_.rows;
  require(rows <= size_ / sizeof(std::int64_t), "it has fewer rows than it says");
  EmbeddingIndex index(static_cast<int>(dimensions));
  const std::size_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const auto ids = section<std::int64_t>(kIds, rows);
  const auto owners = section<std::uint32_t>(kOwners, rows);
  const auto vectors = section<float>(kVectors, blocks * kBlockRows * dimensions);

  for (std::size_t i = 0; i < persons.numbers(); ++i)
    index.last_rows_.push_back(EmbeddingIndex::kNobody);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::uint32_t owner = owners[row];
    const bool removed = owner == EmbeddingIndex::kNobody;
    require(removed || (owner < persons.numbers() && !persons[owner].id.empty()),
            "an embedding belongs to nobody");
    index.ids_.push_back(ids[row]);
    index.newest_id_ = std::max(index.newest_id_, ids[row]);
    index.owners_.push_back(owner);
    index.earlier_rows_.push_back(removed ? EmbeddingIndex::kNobody : index.last_rows_[owner]);
    if (removed)
      ++index.removed_;
    else
      index.last_rows_.edit(owner) = static_cast<std::uint32_t>(row);
  }
  for (std::size_t i = 0; i < blocks; ++i) {
    auto block = std::make_shared<EmbeddingIndex::Block>();
    block->memory = memory_;
    block->vectors = vectors.data() + i * kBlockRows * dimensions;
    index.blocks_.push_back(std::move(block));
  }
  take_bytes(index);
  return index;
}

void IndexFile::take_bytes(EmbeddingIndex& index) const {
  const std::size_t dimensions = header_.dimensions;
  const bool any = header_.sections[kCentre].bytes > 0;
  require(header_.byte_rows == (any ? header_.rows / kGroupRows * kGroupRows : 0),
          "it has too few bytes");
  if (!any) return;
  const auto centre = section<float>(kCentre, dimensions);
  index.centre_ = std::make_shared<const std::vector<float>>(centre.begin(), centre.end());
  const std::size_t blocks = (header_.byte_rows + kBlockRows - 1) / kBlockRows;
  const std::size_t block_bytes = kBlockRows / kGroupRows * group_bytes(dimensions);
  const auto bytes = section<std::uint8_t>(kBytes, blocks * block_bytes);
  const auto scales = section<float>(kScales, blocks * kBlockRows);
  const auto biases = section<float>(kBiases, blocks * kBlockRows);
  for (std::size_t i = 0; i < blocks; ++i) {
    auto block = std::make_shared<EmbeddingIndex::ByteBlock>();
    block->memory = memory_;
    block->bytes = bytes.data() + i * block_bytes;
    block->scales = scales.data() + i * kBlockRows;
    block->biases = biases.data() + i * kBlockRows;
    index.byte_blocks_.push_back(std::move(block));
  }
  const Section& nodes = header_.sections[kNodes];
  if (nodes.bytes == 0) return;
  try {
    std::shared_ptr<NeighborGraph> graph = NeighborGraph::restore(
        centre, {file_.handle(), nodes.offset, nodes.bytes, all_of(kOutlines), all_of(kGraphRest)});
    require(graph->size() <= index.rows(), "its graph is of more rows");
    index.set_graph(std::move(graph));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInput) throw;
    fail(path_, std::string("is damaged: ") + error.what() + ". It is made anew");
  }
}

StoredIndex IndexFile::read(const fs::path& path) {
  const IndexFile file(path);
  StoredIndex stored;
  const auto text = [](const auto& chars) {
    return std::string(chars.begin(), std::find(chars.begin(), chars.end(), '\0'));
  };
  stored.stamp = {text(file.header_.gallery),
                  file.header_.change,
                  {text(file.header_.model_id), text(file.header_.model_name),
                   static_cast<int>(file.header_.dimensions)}};
  stored.persons = file.persons();
  stored.index = file.index(stored.persons);
  return stored;
}

fs::path index_file_of(const fs::path& gallery) { return gallery.string() + ".index"; }

void write_index_file(const fs::path& path, const StoredIndex& stored) {
  const fs::path half_written = path.string() + kHalfWritten + std::to_string(::getpid());
  try {
    {
      const OpenFile file(half_written, O_CREAT | O_TRUNC | O_RDWR | O_NOFOLLOW);
      IndexFile::write(file, stored);
    }
    if (::rename(half_written.c_str(), path.c_str()) != 0)
      fail(path, std::string("cannot be replaced: ") + std::strerror(errno));
  } catch (const Error&) {
    ::unlink(half_written.c_str());
    throw;
  }
  const OpenFile folder(fs::absolute(path).parent_path(), O_RDONLY | O_DIRECTORY);
  folder.sync();
}

StoredIndex read_index_file(const fs::path& path) { return IndexFile::read(path); }

void remove_index_file(const fs::path& gallery) {
  const fs::path path = index_file_of(gallery);
  const std::string half_written = path.filename().string() + kHalfWritten;
  std::error_code error;
  std::vector<fs::path> files{path};
  for (fs::directory_iterator each(fs::absolute(gallery).parent_path(), error), end;
       !error && each != end; each.increment(error))
    if (each->path().filename().string().starts_with(half_written)) files.push_back(each->path());
  for (const fs::path& file : files)
    if (::unlink(file.c_str()) != 0 && errno != ENOENT)
      fail(file, std::string("cannot be removed, and may hold persons who were: ") +
                     std::strerror(errno) + ". Remove it");
}

}  // namespace sightline
