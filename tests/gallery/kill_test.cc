// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What was committed stays, whatever kills the program or the server. SIGHTLINE_KILLS says how
// often they are killed.

#include <chrono>
#include <cstdlib>
#include <functional>
#include <random>
#include <set>
#include <stdexcept>
#include <thread>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../patience.h"
#include "endless_contents.h"
#include "gallery/gallery.h"
#include "postgres_server.h"
#include "stores.h"

namespace sightline {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;
using Mode = Gallery::Mode;

constexpr int kDimensions = 16;

unsigned rounds() {
  const char* text = std::getenv("SIGHTLINE_KILLS");
  return text != nullptr ? static_cast<unsigned>(std::atoi(text)) : 12;
}

std::string name_of(unsigned round, unsigned i) {
  return "Round " + std::to_string(round) + ", person " + std::to_string(i);
}

// A busy server may hold a killed program's lock for longer than a change waits for it.
std::unique_ptr<Gallery> open_when_unlocked(const std::function<std::unique_ptr<Gallery>()>& open) {
  std::unique_ptr<Gallery> gallery;
  std::string complaint;
  const auto try_it = [&] {
    complaint = complaint_of([&] { gallery = open(); });
    return complaint.find("locked") == std::string::npos;
  };
  eventually(try_it);
  if (gallery == nullptr) throw std::runtime_error(complaint);
  return gallery;
}

// Adds persons one by one and reports each that was committed with a byte, until it is killed.
[[noreturn]] void add_forever(const std::string& location, unsigned round, int report) {
  try {
    const auto gallery =
        open_when_unlocked([&] { return Gallery::open(location, Mode::kReadWrite); });
    for (unsigned i = 0;; ++i) {
      const std::string id = gallery->add_person(name_of(round, i)).id;
      gallery->add_embedding(id, unit_vector(i, kDimensions), std::to_string(i), {});
      if (::write(report, "+", 1) != 1) break;
      if (i % 7 == 6) gallery->remove(gallery->add_person("Soon gone " + std::to_string(round)).id);
    }
  } catch (const std::exception&) {
  }
  ::_exit(1);
}

// Reports each row that was taken with a byte, until it is killed.
[[noreturn]] void import_forever(const std::string& location, unsigned round, int report) {
  try {
    const auto gallery =
        open_when_unlocked([&] { return Gallery::open(location, Mode::kReadWrite); });
    EndlessContents contents(kModel, "Import " + std::to_string(round), [&](unsigned) {
      if (::write(report, "+", 1) != 1) ::_exit(1);
    });
    gallery->import_from(contents);
  } catch (const std::exception&) {
  }
  ::_exit(1);
}

// A process that reports with a byte each time that it has got further.
class Reporter {
 public:
  // `work` is given where to write them to, and does not return.
  explicit Reporter(const std::function<void(int report)>& work) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::close(ends[0]);
      work(ends[1]);
    }
    ::close(ends[1]);
    reports_ = ends[0];
  }
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  void wait_for(unsigned reports) {
    while (count_ < reports && take_one()) {
    }
  }
  void kill() { EXPECT_EQ(::kill(child_, SIGKILL), 0); }
  // Waits until it has ended; how many reports there were.
  unsigned end() {
    while (take_one()) {
    }
    ::close(reports_);
    EXPECT_EQ(::waitpid(child_, nullptr, 0), child_);
    return count_;
  }

 private:
  bool take_one() {
    char byte = 0;
    if (::read(reports_, &byte, 1) != 1) return false;
    ++count_;
    return true;
  }

  pid_t child_ = 0;
  int reports_ = -1;
  unsigned count_ = 0;
};

class KillTest : public StoreTest {
 protected:
  // How many were committed before the writer, or its server, was killed.
  unsigned write_until_killed(unsigned round, bool server, std::chrono::microseconds moment) {
    Reporter writer([&](int report) { add_forever(location_, round, report); });
    writer.wait_for(1);  // it has begun
    std::this_thread::sleep_for(moment);
    if (server)
      PostgresServer::shared()->kill();
    else
      writer.kill();
    const unsigned count = writer.end();
    if (server) PostgresServer::shared()->start();
    return count;
  }

  // A server goes on for a moment with what a killed program asked for; until that has ended,
  // bytes of removed persons wait for it.
  std::unique_ptr<Gallery> open_when_wiped() {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + kPatience;
    for (;;) {
      auto gallery = open_when_unlocked([this] { return open(); });
      const std::vector<std::string> problems = gallery->check();
      EXPECT_THAT(problems, Each(HasSubstr("the bytes of removed persons are still stored")));
      if (problems.empty() || Clock::now() > end) return gallery;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }

  // How many rows had been taken when the importer was killed.
  unsigned import_until_killed(unsigned round, std::chrono::microseconds moment) {
    constexpr unsigned kBegun = 300;  // more than SQLite keeps in memory
    Reporter importer([&](int report) { import_forever(location_, round, report); });
    importer.wait_for(kBegun);
    std::this_thread::sleep_for(moment);
    importer.kill();
    return importer.end();
  }

  void expect_committed(unsigned round, unsigned count) {
    const auto gallery = open_when_wiped();
    EXPECT_THAT(gallery->check(), IsEmpty());
    for (unsigned i = 0; i < count; ++i) {
      const auto found = gallery->find_by_name(name_of(round, i));
      ASSERT_EQ(found.size(), 1u) << name_of(round, i);
      const auto stored = gallery->embeddings(found[0].id);
      ASSERT_EQ(stored.size(), 1u);
      EXPECT_EQ(stored[0].values, unit_vector(i, kDimensions));
    }
  }
};
SIGHTLINE_FOR_ALL_STORES(KillTest);

TEST_P(KillTest, NothingCommittedIsLostAndNothingIsDamaged) {
  constexpr unsigned kServersTurn = 6;  // of PostgreSQL's rounds, each so many-th is the server's
  gallery_.reset();
  std::mt19937 random(3);
  std::set<std::string> committed;
  for (unsigned round = 0; round < rounds(); ++round) {
    const bool server = GetParam() == StoreKind::kPostgresql && round % kServersTurn == 5;
    const unsigned count =
        write_until_killed(round, server, std::chrono::microseconds(random() % 60000));
    EXPECT_GT(count, 0u);
    expect_committed(round, count);
    if (HasFatalFailure()) return;
    for (unsigned i = 0; i < count; ++i) committed.insert(name_of(round, i));
  }
  for (const Person& person : open()->persons()) committed.erase(person.name);
  EXPECT_THAT(committed, IsEmpty());
}

TEST_P(KillTest, OfAnImportThatWasKilledNothingIsThere) {
  const std::string ann = gallery_->add_person("Ann").id;
  gallery_->add_embedding(ann, unit_vector(1, kDimensions), "ann.jpg", {});
  gallery_.reset();
  std::mt19937 random(4);
  for (unsigned round = 0; round < (rounds() + 3) / 4; ++round) {
    EXPECT_GE(import_until_killed(round, std::chrono::microseconds(random() % 200'000)), 300u);
    auto gallery = open_when_wiped();
    EXPECT_THAT(gallery->check(), IsEmpty());
    const std::vector<Person> persons = gallery->persons();
    ASSERT_EQ(persons.size(), 1u) << persons.back().name;
    EXPECT_EQ(persons[0].id, ann);
    ASSERT_EQ(gallery->embeddings(ann).size(), 1u);
    EXPECT_EQ(gallery->embeddings(ann)[0].values, unit_vector(1, kDimensions));
    gallery.reset();  // and with it a file's log; a server clears up when it likes
    if (GetParam() == StoreKind::kSqlite)
      EXPECT_FALSE(store_->has_bytes(EndlessContents::marker()));
  }
}

}  // namespace
}  // namespace sightline
