// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where nothing more can be written, what was committed stays, and the rest is not there at all.

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "endless_contents.h"
#include "gallery/gallery.h"
#include "postgres_server.h"
#include "scratch.h"
#include "stores.h"

namespace sightline {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using Mode = Gallery::Mode;

constexpr unsigned kEnough = 2000;  // rows of 40 KB

void add_ann(Gallery& gallery) {
  gallery.add_embedding(gallery.add_person("Ann").id, unit_vector(1, kModel.dimensions), "ann.jpg",
                        {});
}

// What ends an import of more rows than there is room for.
std::string complaint_of_import(Gallery& gallery) {
  EndlessContents contents(kModel, "Import", [](unsigned taken) {
    if (taken > kEnough) throw Error(ErrorCode::kFailed, "there was room for all");
  });
  return complaint_of(ErrorCode::kGallery, [&] { gallery.import_from(contents); });
}

void expect_ann_alone(const Gallery& gallery) {
  EXPECT_THAT(gallery.check(), IsEmpty());
  const std::vector<Person> persons = gallery.persons();
  ASSERT_EQ(persons.size(), 1u);
  EXPECT_EQ(persons[0].name, "Ann");
  const std::vector<StoredEmbedding> stored = gallery.embeddings(persons[0].id);
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0].values, unit_vector(1, kModel.dimensions));
}

// An import into a file fails with these words; what was there is there, and changes go on when the
// limit has gone or, since what the import wrote has, even before.
void expect_import_to_fail(const std::string& path, const std::string& words,
                           const std::function<void()>& limit) {
  auto gallery = make_gallery(path);
  add_ann(*gallery);
  limit();
  EXPECT_THAT(complaint_of_import(*gallery), AllOf(HasSubstr(path), HasSubstr(words)));
  expect_ann_alone(*gallery);
  gallery.reset();
  gallery = Gallery::open(path, Mode::kReadWrite);
  expect_ann_alone(*gallery);
  gallery->add_person("Bo");
  EXPECT_EQ(gallery->persons().size(), 2u);
  EXPECT_THAT(gallery->check(), IsEmpty());
}

// Expectations in another process, which may have other limits and mounts.
int expectations_in_child(const std::function<void()>& test) {
  return in_child([&] {
    test();
    std::cout.flush();
    return !testing::Test::HasFailure();
  });
}

void write_to(const char* file, const std::string& text) { std::ofstream(file) << text; }

// A disk of 4 MB over the folder, for this process alone. False: the system does not allow it.
bool mount_small_disk(const std::string& folder) {
  const std::string user = std::to_string(::getuid()), group = std::to_string(::getgid());
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    write_to("/proc/self/setgroups", "deny");
    write_to("/proc/self/uid_map", "0 " + user + " 1");
    write_to("/proc/self/gid_map", "0 " + group + " 1");
  }
  return ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("none", folder.c_str(), "tmpfs", 0, "size=4m") == 0;
}

TEST(FullDisk, AnImportThatFillsItIsUndoneAndSaysSo) {
  constexpr int kNotAllowed = 77;
  const Scratch scratch;
  const int status = expectations_in_child([&] {
    if (!mount_small_disk(scratch.path())) ::_exit(kNotAllowed);
    expect_import_to_fail(scratch / "people.db", "no space is left", [] {});
  });
  if (status == kNotAllowed) GTEST_SKIP() << "the system allows no mounts here";
  EXPECT_EQ(status, 0);
}

TEST(FullDisk, AnImportThatExceedsALimitOfFilesIsUndoneAndSaysSo) {
  const Scratch scratch;
  EXPECT_EQ(expectations_in_child([&] {
              expect_import_to_fail(scratch / "people.db", "What was committed before is kept", [] {
                constexpr rlim_t kLargest = 4 << 20;
                const rlimit limit{kLargest, kLargest};
                ::signal(SIGXFSZ, SIG_IGN);
                ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
              });
            }),
            0);
}

#ifdef SIGHTLINE_TEST_POSTGRESQL

// The server's disk is full for whoever has more than so many rows.
TEST(FullDisk, AnImportThatFillsAServersDiskIsUndoneAndSaysSo) {
  const auto store = make_store(StoreKind::kPostgresql);
  if (store == nullptr)
    GTEST_SKIP() << "no PostgreSQL: Debian's postgresql and libpq-dev are needed";
  const auto gallery = make_gallery(store->location());
  add_ann(*gallery);
  Psql psql(store->location());
  psql.ask(
      "CREATE FUNCTION refuse_many() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "IF (SELECT count(*) FROM embeddings) > 100 THEN RAISE disk_full USING MESSAGE = "
      "'could not extend file: No space left on device'; END IF; RETURN NEW; END $$");
  psql.ask(
      "CREATE TRIGGER full_disk BEFORE INSERT ON embeddings FOR EACH ROW "
      "EXECUTE FUNCTION refuse_many()");
  EXPECT_THAT(complaint_of_import(*gallery),
              AllOf(HasSubstr("the server lacks room"), HasSubstr("No space left on device")));
  expect_ann_alone(*gallery);
  gallery->add_person("Bo");
  EXPECT_EQ(Gallery::open(store->location(), Mode::kReadOnly)->persons().size(), 2u);
}

#endif

}  // namespace
}  // namespace sightline
