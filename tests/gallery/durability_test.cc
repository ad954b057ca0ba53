// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What was removed from a file is gone to the last byte.

#include <algorithm>
#include <bit>
#include <fstream>
#include <iterator>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "gallery/gallery.h"
#include "scratch.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using Mode = Gallery::Mode;

constexpr int kDimensions = 16;

std::vector<std::uint8_t> bytes_of(const std::vector<float>& values) {
  static_assert(std::endian::native == std::endian::little);  // as the file's format is
  const auto* begin = reinterpret_cast<const std::uint8_t*>(values.data());
  return {begin, begin + values.size() * sizeof(float)};
}

std::vector<std::uint8_t> thumbnail_of(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> thumbnail = {0xff, 0xd8};
  while (thumbnail.size() < 6000) thumbnail.push_back(static_cast<std::uint8_t>(random()));
  return thumbnail;
}

// Where a trace of person `i` still is; empty if nowhere.
std::string trace_of(const fs::path& path, unsigned i) {
  const std::vector<std::uint8_t> thumbnail = thumbnail_of(i);
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    const fs::path file = path.string() + suffix;
    if (!fs::exists(file)) continue;
    if (file_has(file, "Person number " + std::to_string(i) + ".")) return file.string() + ": name";
    if (file_has(file, "picture-" + std::to_string(i) + ".")) return file.string() + ": source";
    if (file_has(file, bytes_of(unit_vector(i, kDimensions)))) return file.string() + ": vector";
    for (const std::size_t piece : {std::size_t{2}, std::size_t{3000}, thumbnail.size() - 32})
      if (file_has(file, std::span(thumbnail).subspan(piece, 32)))
        return file.string() + ": thumbnail";
  }
  return {};
}

std::string add_numbered(Gallery& gallery, unsigned i) {
  const std::string id = gallery.add_person("Person number " + std::to_string(i) + ".").id;
  gallery.add_embedding(id, unit_vector(i, kDimensions), "picture-" + std::to_string(i) + ".jpg",
                        thumbnail_of(i));
  return id;
}

TEST(Durability, NothingOfARemovedPersonStaysInTheFiles) {
  const Scratch scratch;
  const fs::path path = scratch / "people.db";
  const auto gallery = make_gallery(path);
  // Enough of them that SQLite splits pages, which is where it leaves copies.
  gallery->begin();
  std::vector<std::string> ids;
  for (unsigned i = 0; i < 400; ++i) ids.push_back(add_numbered(*gallery, i));
  gallery->commit();
  ASSERT_NE(trace_of(path, 17), "");

  gallery->remove(ids[17]);
  EXPECT_EQ(trace_of(path, 17), "");
  gallery->begin();
  for (unsigned i = 0; i < 400; i += 25) gallery->remove(ids[i]);
  gallery->commit();
  for (unsigned i = 0; i < 400; i += 25) EXPECT_EQ(trace_of(path, i), "");
  EXPECT_NE(trace_of(path, 18), "");
  EXPECT_THAT(gallery->check(), IsEmpty());
  EXPECT_EQ(gallery->persons().size(), 383u);
}

// SQLite's secure_delete overwrites rows where they are, not the copies that it left where they had
// been before a page was split. Without rebuilding the file this finds some of the names.
TEST(Durability, CopiesThatSqliteLeftOfARemovedPersonAreGoneToo) {
  const Scratch scratch;
  const fs::path path = scratch / "people.db";
  const auto gallery = make_gallery(path);
  std::mt19937 random(2);
  std::vector<std::pair<std::string, std::string>> present;  // id, name
  std::vector<std::string> removed;
  gallery->begin();
  for (int step = 0; step < 4000; ++step) {
    if (!present.empty() && random() % 5 < 2) {
      const auto chosen = present.begin() + static_cast<std::ptrdiff_t>(random() % present.size());
      gallery->remove(chosen->first);
      removed.push_back(chosen->second);
      present.erase(chosen);
    } else {
      std::string name = std::to_string(random()) + "-" + std::to_string(random());
      if (random() % 3 == 0) name += std::string(random() % 150, 'x');
      present.emplace_back(gallery->add_person(name).id, name);
    }
  }
  gallery->commit();
  EXPECT_EQ(in_child([&] {
              std::ifstream stream(path, std::ios::binary);
              const std::string all{std::istreambuf_iterator<char>(stream), {}};
              const auto is_there = [&](const std::string& name) {
                return all.find(name) != std::string::npos;
              };
              return is_there(present.front().second) &&
                     std::none_of(removed.begin(), removed.end(), is_there);
            }),
            0);
}

// A reader with a snapshot of its own, as any program may hold one.
class Reader {
 public:
  explicit Reader(const fs::path& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &connection_), SQLITE_OK);
    EXPECT_EQ(
        sqlite3_exec(connection_, "BEGIN; SELECT count(*) FROM persons", nullptr, nullptr, nullptr),
        SQLITE_OK);
  }
  ~Reader() { sqlite3_close(connection_); }

 private:
  sqlite3* connection_ = nullptr;
};

class WipingTest : public testing::Test {
 protected:
  Scratch scratch_;
  fs::path path_ = scratch_ / "people.db";
  std::unique_ptr<Gallery> gallery_ = make_gallery(path_);

  // A removal while somebody reads an older state: gone for all who ask, but not wiped.
  void remove_under_a_reader() {
    const std::string id = add_numbered(*gallery_, 1);
    const Reader reader(path_);
    gallery_->remove(id);
    EXPECT_TRUE(gallery_->persons().empty());
    EXPECT_THAT(gallery_->check(), Contains(HasSubstr("removed persons")));
  }
};

TEST_F(WipingTest, AReadersSnapshotDelaysItToTheNextChange) {
  remove_under_a_reader();
  add_numbered(*gallery_, 2);
  EXPECT_EQ(trace_of(path_, 1), "");
  EXPECT_THAT(gallery_->check(), IsEmpty());
}

TEST_F(WipingTest, AReadersSnapshotDelaysItToTheClosing) {
  remove_under_a_reader();
  gallery_.reset();
  EXPECT_EQ(trace_of(path_, 1), "");
  EXPECT_THAT(Gallery::open(path_, Mode::kReadOnly)->check(), IsEmpty());
}

TEST_F(WipingTest, AReadersSnapshotDelaysItToTheNextOpening) {
  const std::string id = add_numbered(*gallery_, 1);
  {
    const Reader reader(path_);
    gallery_->remove(id);
    gallery_.reset();
    ASSERT_THAT(Gallery::open(path_, Mode::kReadOnly)->check(),
                Contains(HasSubstr("removed persons")));
  }
  gallery_ = Gallery::open(path_, Mode::kReadWrite);
  EXPECT_EQ(trace_of(path_, 1), "");
  EXPECT_THAT(gallery_->check(), IsEmpty());
}

}  // namespace
}  // namespace sightline
