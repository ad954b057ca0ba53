// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/index_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "faces.h"
#include "gallery/index_keeper.h"
#include "gallery/neighbor_graph.h"
#include "scratch.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int kDimensions = 24;
constexpr std::uint32_t kPersons = 1500;

class IndexFileTest : public testing::Test {
 protected:
  IndexFileTest() {
    stored_.stamp = {"0123456789abcdef", 42, {"3f2a91bc77d0e412", "face-embed", kDimensions}};
    stored_.index = EmbeddingIndex(kDimensions, 256);
    RandomFaces faces(kDimensions, 7);
    for (std::uint32_t i = 0; i < kPersons; ++i) {
      const std::uint32_t person =
          stored_.persons.add({"id" + std::to_string(i), "Person " + std::to_string(i), {}});
      stored_.index.add({i + 1, person, faces.embedding_of(i)});
    }
    stored_.persons.change(5, "Émilie", {.threshold = 0.9f, .margin = {}});
    auto graph = std::make_shared<NeighborGraph>(stored_.index.centre(), stored_.index.rows());
    graph->add_all(stored_.index.rows(), 1,
                   [&](std::size_t row) { return stored_.index.values(row); }, {});
    stored_.index.set_graph(std::move(graph));
  }

  std::vector<char> contents() const {
    std::ifstream file(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::vector<char>& bytes) const {
    fs::remove(file_);  // which may not be written to
    std::ofstream(file_, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  std::string refused() const {
    return complaint_of(ErrorCode::kGallery, [&] { read_index_file(file_); });
  }

  Scratch scratch_;
  const fs::path file_ = scratch_ / "people.db.index";
  StoredIndex stored_;
};

TEST_F(IndexFileTest, GivesBackWhatWasWritten) {
  write_index_file(file_, stored_);
  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0400u);

  StoredIndex read = read_index_file(file_);
  EXPECT_EQ(read.stamp.gallery, stored_.stamp.gallery);
  EXPECT_EQ(read.stamp.change, 42);
  EXPECT_EQ(read.stamp.model, stored_.stamp.model);
  EXPECT_EQ(read.persons.size(), kPersons);
  EXPECT_EQ(read.persons.find("id17"), 17u);
  EXPECT_EQ(read.persons[5].name, "Émilie");
  EXPECT_EQ(read.persons[5].rule, (OwnRule{.threshold = 0.9f, .margin = {}}));
  EXPECT_EQ(read.index.method(), EmbeddingIndex::Method::kGraph);
  fs::remove(file_);  // what is mapped stays

  RandomFaces faces(kDimensions, 8);
  for (std::uint32_t i = 0; i < 40; ++i)  // rows are added to what was mapped
    for (StoredIndex* each : {&read, &stored_})
      each->index.add({5000 + i, i, unit_vector(i, kDimensions)});
  for (std::uint64_t i = 0; i < 50; ++i) {
    const std::vector<float> query = faces.embedding_of(i);
    for (const auto method : {EmbeddingIndex::Method::kSinglePrecision,
                              EmbeddingIndex::Method::kBytes, EmbeddingIndex::Method::kGraph}) {
      const auto found = read.index.nearest_rows(method, query, 5).at(0);
      const auto expected = stored_.index.nearest_rows(method, query, 5).at(0);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t place = 0; place < found.size(); ++place) {
        EXPECT_EQ(found[place].row, expected[place].row);
        EXPECT_EQ(found[place].owner, expected[place].owner);
        EXPECT_EQ(found[place].similarity, expected[place].similarity);
      }
    }
  }
}

TEST_F(IndexFileTest, NothingOfWhatWasRemovedIsInIt) {
  const std::span<const float> values = stored_.index.values(700);
  const std::vector<float> removed(values.begin(), values.end());
  const auto bytes = [&](const std::vector<float>& each) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(each.data());
    return std::vector<std::uint8_t>(begin, begin + each.size() * sizeof(float));
  };
  write_index_file(file_, stored_);
  ASSERT_TRUE(file_has(file_, bytes(removed)));
  ASSERT_TRUE(file_has(file_, "Person 700"));
  const std::vector<std::uint32_t> rows = stored_.index.remove({701});
  ASSERT_EQ(rows, std::vector<std::uint32_t>{700});
  stored_.index.graph()->wipe(rows);
  stored_.persons.remove(700);
  write_index_file(file_, stored_);
  EXPECT_FALSE(file_has(file_, bytes(removed)));
  EXPECT_FALSE(file_has(file_, "Person 700"));
  const StoredIndex read = read_index_file(file_);
  EXPECT_EQ(read.index.size(), kPersons - 1);
  EXPECT_EQ(read.persons.size(), kPersons - 1);
  EXPECT_NE(read.index.nearest_rows(removed, 1).at(0).at(0).row, 700u);
}

TEST_F(IndexFileTest, ShortenedFilesAreRefused) {
  write_index_file(file_, stored_);
  const std::vector<char> whole = contents();
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{100},
                                 std::size_t{4096}, whole.size() / 2, whole.size() - 1}) {
    write({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_NE(refused(), "") << size;
  }
}

// A program that has mapped it would be ended if another could shorten it.
TEST_F(IndexFileTest, IsWrittenWithoutTouchingTheOneThatIsMapped) {
  write_index_file(file_, stored_);
  const bool overrides = ::geteuid() == 0;  // whoever may write to any file
  EXPECT_EQ(std::ofstream(file_, std::ios::app).is_open(), overrides);
  const StoredIndex mapped = read_index_file(file_);
  stored_.index.remove({1, 2, 3});
  write_index_file(file_, stored_);
  EXPECT_EQ(read_index_file(file_).index.size(), kPersons - 3);
  EXPECT_EQ(mapped.index.size(), kPersons);
  const std::span<const float> values = mapped.index.values(700);
  EXPECT_EQ(mapped.index.nearest_rows(values, 1).at(0).at(0).row, 700u);
}

// A byte in every 1009 is changed, one at a time. Gaps between sections do not matter.
TEST_F(IndexFileTest, ChangedBytesAreRefusedOrMeanNothing) {
  write_index_file(file_, stored_);
  const std::vector<char> whole = contents();
  std::size_t noticed = 0;
  for (std::size_t place = 0; place < whole.size(); place += 1009) {
    std::vector<char> changed = whole;
    changed[place] = static_cast<char>(changed[place] ^ 0x10);
    write(changed);
    if (!refused().empty()) {
      ++noticed;
    } else {
      EXPECT_EQ(whole[place], 0) << place;  // in a gap
    }
  }
  EXPECT_GT(noticed, 100u);
}

TEST_F(IndexFileTest, OtherFilesAndVersionsAreRefused) {
  EXPECT_THAT(refused(), HasSubstr("cannot be opened"));
  write(std::vector<char>(200'000, 'x'));
  EXPECT_THAT(refused(), HasSubstr("does not begin as an index"));
  write_index_file(file_, stored_);
  for (const char version : {1, 3}) {  // before outlines, and later
    std::vector<char> other = contents();
    other[8] = version;
    write(other);
    EXPECT_THAT(refused(), HasSubstr("another version"));
    fs::remove(file_);
    write_index_file(file_, stored_);
  }
  fs::remove(file_);
  fs::create_directory(file_);
  EXPECT_NE(refused(), "");
}

TEST_F(IndexFileTest, IsRemovedWithHalfWrittenOnes) {
  for (const char* name : {"people.db.index", "people.db.index.new-17", "other.db.index"})
    std::ofstream(scratch_ / name) << "an index";
  remove_index_file(scratch_ / "people.db");
  EXPECT_FALSE(fs::exists(file_));
  EXPECT_FALSE(fs::exists(scratch_ / "people.db.index.new-17"));
  EXPECT_TRUE(fs::exists(scratch_ / "other.db.index"));
  remove_index_file(scratch_ / "people.db");  // there is none
}

// A gallery that is large enough for a file.
class IndexedGalleryTest : public testing::Test {
 protected:
  IndexedGalleryTest() {
    gallery_->begin();
    for (unsigned i = 0; i < kIndexFileFrom / 20; ++i) {
      const std::string id = gallery_->add_person("Person " + std::to_string(i)).id;
      for (unsigned j = 0; j < 20; ++j)
        gallery_->add_embedding(id, unit_vector(i * 20 + j, 16), "", {});
    }
    gallery_->commit();
  }
  std::string nearest(unsigned seed) {
    return Matcher::open(path_, {})->decide(unit_vector(seed, 16)).name;
  }

  Scratch scratch_;
  const fs::path path_ = scratch_ / "people.db";
  std::unique_ptr<Gallery> gallery_ = make_gallery(path_);
};

TEST_F(IndexedGalleryTest, IsOpenedFromItsFileAndBroughtUpToDate) {
  ASSERT_TRUE(make_index_file(path_, {}));
  ASSERT_TRUE(fs::exists(index_file_of(path_)));
  EXPECT_EQ(nearest(70), "Person 3");
  const std::string late = gallery_->add_person("Late").id;
  gallery_->add_embedding(late, unit_vector(777'777, 16), "", {});
  gallery_->rename(gallery_->find_by_name("Person 3").at(0).id, "Renamed");
  EXPECT_EQ(nearest(777'777), "Late");
  EXPECT_EQ(nearest(70), "Renamed");
  gallery_->remove(late);
  EXPECT_NE(nearest(777'777), "Late");
}

TEST_F(IndexedGalleryTest, RemovingAPersonRemovesTheFileThatHoldsThem) {
  ASSERT_TRUE(make_index_file(path_, {}));
  gallery_->rename(gallery_->find_by_name("Person 3").at(0).id, "Renamed");
  EXPECT_TRUE(fs::exists(index_file_of(path_)));
  gallery_->remove(gallery_->find_by_name("Person 4").at(0).id);
  EXPECT_FALSE(fs::exists(index_file_of(path_)));
}

// One that another program has put back, from a backup say, is ignored.
TEST_F(IndexedGalleryTest, AnotherModelRemovesTheFileOfTheOld) {
  ASSERT_TRUE(make_index_file(path_, {}));
  const fs::path backup = scratch_ / "backup";
  fs::copy_file(index_file_of(path_), backup);
  std::vector<Gallery::Replacement> vectors;
  for (const Person& person : gallery_->persons())
    for (const StoredEmbedding& each : gallery_->embeddings(person.id))
      vectors.push_back({each.id, unit_vector(static_cast<unsigned>(500'000 + each.id), 8)});
  gallery_->replace_model({"91bc04de91bc04de", "another", 8}, vectors);
  EXPECT_FALSE(fs::exists(index_file_of(path_)));
  fs::copy_file(backup, index_file_of(path_));
  const auto matcher = Matcher::open(path_, {});
  EXPECT_EQ(matcher->fingerprint()->name, "another");
  const Decision decision = matcher->decide(vectors[70].values);
  EXPECT_EQ(decision.name, "Person 3");
  EXPECT_NEAR(decision.similarity, 1, 1e-5);
}

TEST_F(IndexedGalleryTest, ADamagedOrForeignFileIsIgnored) {
  ASSERT_TRUE(make_index_file(path_, {}));
  fs::permissions(index_file_of(path_), fs::perms::owner_write, fs::perm_options::add);
  {
    std::fstream file(index_file_of(path_), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(70'000);
    file << "something else";
  }
  EXPECT_EQ(nearest(70), "Person 3");

  ASSERT_TRUE(make_index_file(path_, {}));
  const fs::path other = scratch_ / "other.db";
  const auto others = make_gallery(other);
  others->add_embedding(others->add_person("Other").id, unit_vector(70, 16), "", {});
  fs::copy_file(index_file_of(path_), index_file_of(other));
  EXPECT_EQ(Matcher::open(other, {})->decide(unit_vector(70, 16)).name, "Other");
  EXPECT_EQ(Matcher::open(other, {})->person_count(), 1);
}

TEST_F(IndexedGalleryTest, ASmallGalleryHasNoFile) {
  make_gallery(scratch_ / "small.db");
  EXPECT_FALSE(make_index_file(scratch_ / "small.db", {}));
  EXPECT_FALSE(fs::exists(scratch_ / "small.db.index"));
}

}  // namespace
}  // namespace sightline
