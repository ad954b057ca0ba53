// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Files that are no galleries, that may not be touched, that are full, locked or damaged.

#include <chrono>
#include <fstream>
#include <iterator>
#include <random>

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "gallery/gallery.h"
#include "scratch.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using Mode = Gallery::Mode;

constexpr Mode kModes[] = {Mode::kReadOnly, Mode::kReadWrite, Mode::kCreate};

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_closed_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string random_bytes(std::size_t count) {
  std::mt19937 random(5);
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(random());
  return bytes;
}

// Root may do anything; the tests of permissions become somebody else.
void drop_privileges() {
  constexpr uid_t kNobody = 65534;
  if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0))
    throw std::runtime_error("cannot drop privileges");
}

void fill(const fs::path& path, int persons) {
  const auto gallery = make_gallery(path);
  gallery->begin();
  for (int i = 0; i < persons; ++i) {
    const std::string id = gallery->add_person("Person " + std::to_string(i)).id;
    gallery->add_embedding(id, unit_vector(static_cast<unsigned>(i), 16), "a.jpg", {});
  }
  gallery->commit();
}

void expect_refused(const fs::path& path, Mode mode, const std::string& part) {
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { Gallery::open(path, mode); }),
              AllOf(HasSubstr(path.string()), HasSubstr(part)));
}

TEST(GalleryFile, WhatIsNoGalleryIsNamedAndLeftAlone) {
  const Scratch scratch;
  const fs::path text = scratch / "notes.txt", noise = scratch / "noise.db",
                 other = scratch / "other.db", zeros = scratch / "zeros.db";
  write_file(text, "shopping: milk");
  write_file(noise, random_bytes(20000));
  write_file(zeros, std::string(8192, '\0'));
  raw_sql(other, "CREATE TABLE milk(litres); INSERT INTO milk VALUES (2)");
  for (const Mode mode : kModes) {
    for (const fs::path& path : {text, noise, zeros}) {
      const std::string before = read_closed_file(path);
      expect_refused(path, mode, "no SQLite file");
      EXPECT_EQ(read_closed_file(path), before);
    }
    const std::string before = read_closed_file(other);
    expect_refused(other, mode, "another program");
    EXPECT_EQ(read_closed_file(other), before);
  }
  raw_sql(other, "PRAGMA application_id = 1196444487");
  expect_refused(other, Mode::kCreate, "1196444487");
}

TEST(GalleryFile, WhatIsNoFileIsNamed) {
  const Scratch scratch;
  EXPECT_THAT(complaint_of(ErrorCode::kNotFound,
                           [&] { Gallery::open(scratch / "none.db", Mode::kReadOnly); }),
              AllOf(HasSubstr("none.db"), HasSubstr("sightline enroll")));
  complaint_of(ErrorCode::kNotFound, [&] { Gallery::open(scratch / "none.db", Mode::kReadWrite); });
  EXPECT_FALSE(fs::exists(scratch / "none.db"));
  EXPECT_NE(complaint_of(ErrorCode::kNotFound,
                         [&] { Gallery::open(scratch / "no/people.db", Mode::kCreate); }),
            "");
  EXPECT_NE(complaint_of(ErrorCode::kNotFound, [&] { Matcher::open(scratch / "none.db", {}); }),
            "");
  for (const Mode mode : kModes) expect_refused(scratch.path(), mode, "directory");
  ASSERT_EQ(::mkfifo((scratch / "pipe").c_str(), 0600), 0);
  for (const Mode mode : kModes) expect_refused(scratch / "pipe", mode, "regular file");
}

TEST(GalleryFile, AnEmptyFileBecomesAGalleryOnlyWhenOneIsToBeMade) {
  const Scratch scratch;
  write_file(scratch / "people.db", "");
  expect_refused(scratch / "people.db", Mode::kReadOnly, "empty");
  expect_refused(scratch / "people.db", Mode::kReadWrite, "empty");
  make_gallery(scratch / "people.db")->add_person("Ann");
  EXPECT_EQ(Gallery::open(scratch / "people.db", Mode::kReadOnly)->persons().size(), 1u);
}

TEST(GalleryFile, NamesThatSqliteTakesForSomethingElseAreFiles) {
  const Scratch scratch;
  const fs::path before = fs::current_path();
  fs::current_path(scratch.path());
  for (const char* name : {":memory:", "file:people.db?mode=memory", "100%.db", "a?b#c.db"}) {
    make_gallery(name)->add_person("Ann");
    EXPECT_TRUE(fs::is_regular_file(name)) << name;
    EXPECT_EQ(Gallery::open(name, Mode::kReadOnly)->persons().size(), 1u) << name;
  }
  fs::current_path(before);
}

TEST(GalleryFile, ANewerFormatAsksForAnUpdate) {
  const Scratch scratch;
  make_gallery(scratch / "people.db").reset();
  raw_sql(scratch / "people.db", "PRAGMA user_version = 4");
  for (const Mode mode : kModes) expect_refused(scratch / "people.db", mode, "newer");
}

TEST(GalleryFile, AGalleryWithOtherTablesIsDamaged) {
  const Scratch scratch;
  for (const char* sql :
       {"DROP TABLE thumbnails", "DELETE FROM gallery", "PRAGMA user_version = 0",
        "DROP TABLE gallery; CREATE TABLE gallery(two)",
        "DROP TABLE gallery; CREATE VIEW gallery AS SELECT 1 AS one",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'nonsense'"}) {
    const fs::path path = scratch / (std::to_string(reinterpret_cast<std::uintptr_t>(sql)) + ".db");
    make_gallery(path).reset();
    raw_sql(path, sql);
    for (const Mode mode : kModes) expect_refused(path, mode, "damaged");
  }
  const fs::path path = scratch / "model.db";
  make_gallery(path).reset();
  raw_sql(path, "UPDATE gallery SET dimensions = 4000000000");
  EXPECT_THAT(complaint_of([&] { Gallery::open(path, Mode::kReadOnly)->fingerprint(); }),
              HasSubstr("damaged"));
  EXPECT_THAT(complaint_of([&] { Matcher::open(path, {}); }), HasSubstr("damaged"));
}

// Whatever the bytes are: an answer or an Error, and check() finds what reading stumbles over.
void read_everything(const fs::path& path) {
  complaint_of([&] {
    const auto gallery = Gallery::open(path, Mode::kReadOnly);
    const bool sound = gallery->check().empty();
    const std::string complaint = complaint_of([&] { gallery->export_json(); });
    if (sound) {
      EXPECT_EQ(complaint, "");
    }
  });
  complaint_of([&] { Matcher::open(path, {})->decide(unit_vector(1, 16)); });
  complaint_of([&] {
    const auto gallery = Gallery::open(path, Mode::kReadWrite);
    gallery->remove(gallery->add_person("New").id);
  });
}

TEST(GalleryFile, TruncatedAndScribbledFilesNeverCrash) {
  const Scratch scratch;
  fill(scratch / "good.db", 60);
  const std::string good = read_closed_file(scratch / "good.db");
  ASSERT_GT(good.size(), 20000u);
  std::mt19937 random(11);
  int complaints = 0;
  for (int i = 0; i < 120; ++i) {
    const fs::path path = scratch / ("bad" + std::to_string(i) + ".db");
    std::string bytes = good;
    if (i % 3 == 0) {
      bytes.resize(random() % bytes.size());
    } else if (i % 3 == 1) {  // scattered
      for (int n = 0; n < 40; ++n) bytes[random() % bytes.size()] = static_cast<char>(random());
    } else {  // a whole page
      const std::size_t page = 1 + random() % (bytes.size() / 4096 - 1);
      bytes.replace(page * 4096, 4096, random_bytes(4096));
    }
    write_file(path, bytes);
    if (complaint_of([&] {
          if (!Gallery::open(path, Mode::kReadOnly)->check().empty())
            throw Error(ErrorCode::kGallery, "found");
        }) != "")
      ++complaints;
    read_everything(path);
  }
  EXPECT_GT(complaints, 60);
}

TEST(GalleryFile, AnotherProgramsLockIsAnErrorAfterTwoSeconds) {
  const Scratch scratch;
  const fs::path path = scratch / "people.db";
  make_gallery(path).reset();
  sqlite3* holder = nullptr;  // within one process SQLite's locks work as between two
  ASSERT_EQ(sqlite3_open(path.c_str(), &holder), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(holder, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", nullptr,
                         nullptr, nullptr),
            SQLITE_OK);
  for (const Mode mode : {Mode::kReadOnly, Mode::kReadWrite}) {
    const auto begin = std::chrono::steady_clock::now();
    expect_refused(path, mode, "locked by another program");
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - begin;
    EXPECT_GT(waited.count(), 1.5);
    EXPECT_LT(waited.count(), 30);  // two seconds, where the machine has nothing else to do
  }
  sqlite3_close(holder);
  EXPECT_EQ(complaint_of([&] { Gallery::open(path, Mode::kReadWrite); }), "");
}

TEST(GalleryFile, AWriterInTheMiddleOfAGroupLocksOthersWritesNotReads) {
  const Scratch scratch;
  const auto first = make_gallery(scratch / "people.db");
  const auto second = Gallery::open(scratch / "people.db", Mode::kReadWrite);
  first->begin();
  first->add_person("Ann");
  EXPECT_TRUE(second->persons().empty());
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { second->add_person("Bob"); }),
              HasSubstr("locked"));
  first->commit();
  second->add_person("Bob");
  EXPECT_EQ(first->persons().size(), 2u);
}

TEST(GalleryFile, ReadOnlyFilesAndDirectoriesCanBeReadAndSayWhyNotMore) {
  const Scratch scratch;
  const fs::path path = scratch / "people.db";
  fill(path, 3);
  const int failed = in_child([&] {
    fs::permissions(path, fs::perms(0444));
    fs::permissions(scratch.path(), fs::perms(0555));
    drop_privileges();
    expect_refused(path, Mode::kReadWrite, "read-only");
    expect_refused(path, Mode::kCreate, "read-only");
    expect_refused(scratch / "new.db", Mode::kCreate, "cannot be created");
    EXPECT_EQ(Gallery::open(path, Mode::kReadOnly)->persons().size(), 3u);
    EXPECT_TRUE(Gallery::open(path, Mode::kReadOnly)->check().empty());
    EXPECT_EQ(Matcher::open(path, {})->decide(unit_vector(1, 16)).name, "Person 1");
    return !testing::Test::HasFailure();
  });
  EXPECT_EQ(failed, 0);
}

TEST(GalleryFile, AWritableFileInAReadOnlyDirectoryIsRefusedForWriting) {
  const Scratch scratch;
  const fs::path path = scratch / "people.db";
  fill(path, 3);
  EXPECT_EQ(in_child([&] {
              fs::permissions(path, fs::perms(0666));
              fs::permissions(scratch.path(), fs::perms(0555));
              drop_privileges();
              expect_refused(path, Mode::kReadWrite, "directory");
              EXPECT_EQ(Gallery::open(path, Mode::kReadOnly)->persons().size(), 3u);
              return !testing::Test::HasFailure();
            }),
            0);
}

TEST(GalleryFile, AFileThatMayNotBeReadSaysSo) {
  const Scratch scratch;
  const fs::path path = scratch / "people.db";
  fill(path, 3);
  EXPECT_EQ(in_child([&] {
              fs::permissions(path, fs::perms::none);
              fs::permissions(scratch.path(), fs::perms(0755));
              drop_privileges();
              for (const Mode mode : kModes) expect_refused(path, mode, "Permission denied");
              return !testing::Test::HasFailure();
            }),
            0);
}

// Adds until it fails; what was added before the failure must be there.
bool fails_cleanly_when_full(const fs::path& path, const std::string& part) {
  std::vector<std::uint8_t> thumbnail(20000, 0x55);
  thumbnail[0] = 0xff;
  thumbnail[1] = 0xd8;
  int added = 0;
  std::string complaint;
  {
    const auto gallery = make_gallery(path);
    const std::string id = gallery->add_person("Ann").id;
    complaint = complaint_of(ErrorCode::kGallery, [&] {
      for (unsigned i = 0; i < 1000; ++i, ++added)
        gallery->add_embedding(id, unit_vector(i, 16), "a.jpg", thumbnail);
    });
    EXPECT_THAT(complaint, AllOf(HasSubstr(path.string()), HasSubstr(part)));
    EXPECT_EQ(gallery->persons().at(0).embeddings, added);
  }
  EXPECT_GT(added, 3);
  const auto gallery = Gallery::open(path, Mode::kReadOnly);
  EXPECT_EQ(gallery->persons().at(0).embeddings, added);
  EXPECT_TRUE(gallery->check().empty());
  return !testing::Test::HasFailure();
}

TEST(GalleryFile, AFileThatMayNotGrowLosesNothing) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{400000, 400000};
              ::setrlimit(RLIMIT_FSIZE, &limit);
              return fails_cleanly_when_full(scratch / "people.db", "free space");
            }),
            0);
}

TEST(GalleryFile, AFullDiskLosesNothing) {
  const Scratch scratch;
  constexpr int kSkipped = 1;
  const int status = in_child([&] {
    if (::unshare(CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0 ||
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", scratch.path().c_str(), "tmpfs", 0, "size=1m") != 0)
      return false;
    if (!fails_cleanly_when_full(scratch / "people.db", "no space is left"))
      throw std::runtime_error("the expectations above failed");
    return true;
  });
  if (status == kSkipped) GTEST_SKIP() << "no file system may be mounted here";
  EXPECT_EQ(status, 0);
}

TEST(GalleryFile, AGroupThatTheDiskUndidDoesNotGoOn) {
  const Scratch scratch;
  EXPECT_EQ(in_child([&] {
              const auto gallery = make_gallery(scratch / "people.db");
              const std::string id = gallery->add_person("Ann").id;
              ::signal(SIGXFSZ, SIG_IGN);
              const rlimit limit{200000, 200000};
              ::setrlimit(RLIMIT_FSIZE, &limit);
              std::vector<std::uint8_t> thumbnail(1000000, 0x55);
              thumbnail[0] = 0xff;
              thumbnail[1] = 0xd8;
              gallery->begin();
              gallery->add_person("Bob");
              complaint_of([&] {
                for (unsigned i = 0; i < 100; ++i)
                  gallery->add_embedding(id, unit_vector(i, 16), "a.jpg", thumbnail);
              });
              const std::string complaint = complaint_of([&] { gallery->commit(); });
              EXPECT_NE(complaint, "");
              EXPECT_EQ(Gallery::open(scratch / "people.db", Mode::kReadOnly)->persons().size(),
                        1u);
              return !testing::Test::HasFailure();
            }),
            0);
}

}  // namespace
}  // namespace sightline
