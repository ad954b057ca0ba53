// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What only a gallery in a PostgreSQL database can do: be away, be out of reach, have passwords.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../patience.h"
#include "gallery/gallery.h"
#include "postgres_server.h"
#include "stores.h"

namespace sightline {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Clock = std::chrono::steady_clock;
using Mode = Gallery::Mode;
using Seconds = std::chrono::duration<double>;

constexpr int kDimensions = 16;

void add(Gallery& gallery, const std::string& name, unsigned seed) {
  gallery.add_embedding(gallery.add_person(name).id, unit_vector(seed, kDimensions), "a", {});
}

TEST(Location, IsShownWithoutPasswords) {
  EXPECT_EQ(shown_location("people.db"), "people.db");
  EXPECT_EQ(shown_location("a:b@c"), "a:b@c");
  EXPECT_EQ(shown_location("postgresql://host/people"), "postgresql://host/people");
  EXPECT_EQ(shown_location("postgres://ann@host:5432/x"), "postgres://ann@host:5432/x");
  for (const char* url : {"postgresql://ann:secret@host/x", "postgres://ann:se/secret@host:5432/x",
                          "postgresql://ann:sec@secret@host", "postgresql://host/x?password=secret",
                          "postgresql://host/x?user=ann&password=secret&schema=y",
                          "postgresql://:secret@host", "postgresql://host/x?sslpassword=secret"})
    EXPECT_THAT(shown_location(url), Not(HasSubstr("secret"))) << url;
  EXPECT_THAT(shown_location("postgresql://h/x?password=secret&schema=y"), HasSubstr("schema=y"));
}

#ifdef SIGHTLINE_TEST_POSTGRESQL

TEST(Database, ComplaintsNameThePlaceWithoutThePassword) {
  for (const char* url :
       {"postgresql://ann:secret@127.0.0.1:1/x", "postgresql://ann:secret@[oops/x",
        "postgresql://ann:secret@127.0.0.1:nan/x",
        "postgresql://ann:secret@127.0.0.1:1/x?nonsense=1"}) {
    const std::string complaint =
        complaint_of(ErrorCode::kGallery, [&] { Gallery::open(url, Mode::kCreate); });
    EXPECT_THAT(complaint, AllOf(HasSubstr("postgresql://ann"), Not(HasSubstr("secret"))));
    EXPECT_EQ(complaint_of([&] { Matcher::open(url, {}); }), complaint);
  }
  EXPECT_THAT(complaint_of(ErrorCode::kInput,
                           [] { Gallery::open("postgresql://h/x?schema=a;b", Mode::kCreate); }),
              HasSubstr("schema"));
}

#else

TEST(Database, ABuildWithoutItSaysSo) {
  const auto complaint = [](Mode mode) {
    return complaint_of(ErrorCode::kGallery,
                        [&] { Gallery::open("postgresql://ann:secret@host/x", mode); });
  };
  EXPECT_THAT(complaint(Mode::kCreate), AllOf(HasSubstr("libpq"), Not(HasSubstr("secret"))));
  EXPECT_THAT(complaint_of([] { Matcher::open("postgres://host/x", {}); }), HasSubstr("libpq"));
}

#endif

class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = make_store(StoreKind::kPostgresql);
    if (store_ == nullptr)
      GTEST_SKIP() << "no PostgreSQL: Debian's postgresql and libpq-dev are needed";
  }
  std::unique_ptr<Store> store_;
};

TEST_F(DatabaseTest, WhatIsNoGalleryIsNamed) {
  const std::string url = store_->location();
  for (const Mode mode : {Mode::kReadOnly, Mode::kReadWrite})
    EXPECT_THAT(complaint_of(ErrorCode::kNotFound, [&] { Gallery::open(url, mode); }),
                HasSubstr("sightline enroll"));
  make_gallery(url);
  Psql psql(url);
  psql.ask("UPDATE schema_version SET version = 99");
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { Gallery::open(url, Mode::kReadOnly); }),
              HasSubstr("newer"));
  psql.ask("UPDATE schema_version SET version = 2; DROP TABLE crops");
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { Gallery::open(url, Mode::kReadOnly); }),
              HasSubstr("crops"));
}

TEST_F(DatabaseTest, MissingPrivilegesAreNamedAndNotTakenForDamage) {
  const std::string url = store_->location();
  const std::string schema = url.substr(url.find("&schema=") + 8);
  std::string theirs = url;
  theirs.replace(theirs.find("user=sightline"), 14, "user=visitor");
  make_gallery(url);
  Psql psql(url);
  psql.ask("CREATE ROLE visitor LOGIN");
  const auto complaint = [&](Mode mode) {
    return complaint_of(ErrorCode::kGallery, [&] { Gallery::open(theirs, mode); });
  };
  for (const Mode mode : {Mode::kReadOnly, Mode::kReadWrite, Mode::kCreate})
    EXPECT_THAT(complaint(mode),
                AllOf(HasSubstr("GRANT USAGE ON SCHEMA \"" + schema + "\" TO visitor"),
                      Not(HasSubstr("damaged"))));
  EXPECT_THAT(complaint_of([&] { Matcher::open(theirs, {}); }), HasSubstr("GRANT USAGE"));
  psql.ask("GRANT USAGE ON SCHEMA " + schema + " TO visitor");
  EXPECT_THAT(complaint(Mode::kReadOnly),
              AllOf(HasSubstr("does not allow this role"), Not(HasSubstr("damaged"))));
  psql.ask("GRANT SELECT ON ALL TABLES IN SCHEMA " + schema + " TO visitor");
  const auto gallery = Gallery::open(theirs, Mode::kReadOnly);
  EXPECT_THAT(gallery->persons(), IsEmpty());
  psql.ask("REVOKE USAGE ON SCHEMA " + schema + " FROM visitor");
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery->persons(); }),
              AllOf(HasSubstr("does not allow this role"), Not(HasSubstr("damaged"))));
  psql.ask("DROP OWNED BY visitor");
  psql.ask("DROP ROLE visitor");
}

// What the first version of the tables has not.
constexpr char kBackToFirst[] =
    "ALTER TABLE gallery DROP COLUMN compare; UPDATE schema_version SET version = 1";

TEST_F(DatabaseTest, AnOlderFormatIsBroughtUpToDateByItsOwner) {
  const std::string url = store_->location();
  add(*make_gallery(url), "Ann", 1);
  Psql(url).ask(kBackToFirst);
  const auto gallery = Gallery::open(url, Mode::kReadOnly);
  EXPECT_EQ(gallery->persons().size(), 1u);
  EXPECT_EQ(gallery->rule(), OwnRule{});
  EXPECT_EQ(Psql(url).ask("SELECT version FROM schema_version"), "2");
}

TEST_F(DatabaseTest, WhoDoesNotOwnAnOlderFormatIsToldWhatTheOwnerHasToDo) {
  const std::string url = store_->location();
  const std::string schema = url.substr(url.find("&schema=") + 8);
  std::string theirs = url;
  theirs.replace(theirs.find("user=sightline"), 14, "user=guest");
  add(*make_gallery(url), "Ann", 1);
  Psql psql(url);
  psql.ask(kBackToFirst);
  psql.ask("CREATE ROLE guest LOGIN");
  psql.ask("GRANT USAGE, CREATE ON SCHEMA " + schema + " TO guest");
  psql.ask("GRANT ALL ON ALL TABLES IN SCHEMA " + schema + " TO guest");
  for (const Mode mode : {Mode::kReadOnly, Mode::kReadWrite, Mode::kCreate})
    EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { Gallery::open(theirs, mode); }),
                AllOf(HasSubstr("older format (1, this Sightline's is 2)"),
                      HasSubstr("Have \"sightline\" run once"),
                      HasSubstr("sightline gallery list --gallery"), Not(HasSubstr("damaged"))));
  EXPECT_THAT(complaint_of([&] { Matcher::open(theirs, {}); }), HasSubstr("older format"));
  EXPECT_EQ(psql.ask("SELECT version FROM schema_version"), "1");
  Gallery::open(url, Mode::kReadOnly);
  EXPECT_EQ(Gallery::open(theirs, Mode::kReadOnly)->persons().size(), 1u);
  psql.ask("DROP OWNED BY guest");
  psql.ask("DROP ROLE guest");
}

TEST_F(DatabaseTest, ManyWhoMakeTheSameGalleryAtOnceMakeOne) {
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      if (complaint_of([&] {
            make_gallery(store_->location())->add_person("Person " + std::to_string(i));
          }) != "")
        ++failed;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(Gallery::open(store_->location(), Mode::kReadOnly)->persons().size(), 8u);
}

std::string vector_type(Psql& psql) {
  return psql.ask(
      "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = "
      "'embeddings'::regclass AND attname = 'vector'");
}

bool has_pgvector(Psql& psql) {
  return psql.ask("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == "1";
}

// Debian 12 has no package of pgvector. This has what the statements ask of its type: casts from
// and to arrays of real, and equality.
TEST_F(DatabaseTest, ATypeForVectorsIsUsed) {
  Psql psql(store_->location());
  if (has_pgvector(psql)) GTEST_SKIP() << "there is pgvector itself";
  psql.ask("CREATE DOMAIN public.vector AS real[]");
  {
    const auto gallery = make_gallery(store_->location());
    add(*gallery, "Ann", 1);
    EXPECT_EQ(vector_type(psql), "vector");
    EXPECT_EQ(gallery->embeddings(gallery->persons()[0].id)[0].values, unit_vector(1, kDimensions));
    EXPECT_EQ(gallery->import_json(gallery->export_json()), 0);
    EXPECT_EQ(gallery->changes_since(0).vectors, unit_vector(1, kDimensions));
    EXPECT_THAT(gallery->check(), IsEmpty());
  }
  psql.ask("DROP DOMAIN public.vector CASCADE");
}

// Other programs ask for neighbours in SQL, also by an index of pgvector's, and find whom we find.
TEST_F(DatabaseTest, PgvectorFindsTheSameNearestPersons) {
  Psql psql(store_->location());
  if (!has_pgvector(psql)) GTEST_SKIP() << "the PostgreSQL here has no pgvector";
  const auto gallery = make_gallery(store_->location());
  gallery->begin();
  for (unsigned i = 0; i < 300; ++i) add(*gallery, "Person " + std::to_string(i), i);
  gallery->commit();
  EXPECT_EQ(vector_type(psql), "vector");
  psql.ask("CREATE INDEX ON embeddings USING hnsw ((vector::vector(16)) vector_cosine_ops)");
  psql.ask("SET hnsw.ef_search = 400");  // more than there are
  add(*gallery, "Late", 1000);
  const auto matcher = Matcher::open(store_->location(), {.threshold = 0.9f, .margin = 0});
  const auto expect_the_same = [&](unsigned seed) {
    std::string literal;
    for (const float value : unit_vector(seed, kDimensions))
      literal += (literal.empty() ? "[" : ",") + std::to_string(value);
    EXPECT_EQ(psql.ask("SELECT name FROM embeddings JOIN persons ON number = person ORDER BY "
                       "vector::vector(16) <=> '" +
                       literal + "]' LIMIT 1"),
              matcher->decide(unit_vector(seed, kDimensions)).name);
  };
  for (unsigned seed = 900; seed < 920; ++seed) expect_the_same(seed);
  expect_the_same(1000);
  const auto late = gallery->find_by_name("Late");
  EXPECT_EQ(gallery->embeddings(late.at(0).id).at(0).values, unit_vector(1000, kDimensions));
  EXPECT_EQ(gallery->forget(late[0].id), Gallery::Wiping::kDone);
  EXPECT_FALSE(store_->has_bytes(unit_vector(1000, kDimensions)));
  EXPECT_EQ(gallery->import_json(gallery->export_json()), 0);
  EXPECT_THAT(gallery->check(), IsEmpty());
}

// SIGHTLINE_AWAY_SECONDS says for how long.
TEST_F(DatabaseTest, WhileItIsAwayTheLastIndexAnswersAndIsSoonCaughtUp) {
  const char* text = std::getenv("SIGHTLINE_AWAY_SECONDS");
  const Seconds away(text != nullptr ? std::atof(text) : 2.0);
  const std::string url = store_->location();
  auto gallery = make_gallery(url);
  add(*gallery, "Ann", 1);
  const auto matcher = Matcher::open(url, {.threshold = 0.9f, .margin = 0});

  std::atomic<bool> stop{false};
  std::atomic<int> asked{0}, wrong{0};
  std::atomic<double> slowest{0};
  std::thread frames([&] {  // 200 frames a second
    while (!stop) {
      const auto begin = Clock::now();
      if (matcher->decide(unit_vector(1, kDimensions)).name != "Ann") ++wrong;
      slowest = std::max(slowest.load(), Seconds(Clock::now() - begin).count());
      ++asked;
      std::this_thread::sleep_until(begin + std::chrono::milliseconds(5));
    }
  });
  PostgresServer::shared()->stop();
  const int asked_before = asked;
  std::this_thread::sleep_for(away);
  EXPECT_GT(asked, asked_before);
  EXPECT_TRUE(eventually(
      [&] { return matcher->problem().find("cannot be reached") != std::string::npos; }));
  EXPECT_THAT(complaint_of(ErrorCode::kGallery, [&] { gallery->add_person("Nobody"); }),
              HasSubstr("cannot be reached"));
  PostgresServer::shared()->start();
  const auto back = Clock::now();
  add(*gallery, "Bob", 2);  // the same object: it connects again
  EXPECT_TRUE(eventually([&] { return matcher->decide(unit_vector(2, kDimensions)).known; }));
  const double took = Seconds(Clock::now() - back).count();
  stop = true;
  frames.join();
  EXPECT_EQ(matcher->problem(), "");
  EXPECT_EQ(wrong, 0);
  EXPECT_LT(slowest,
            away.count() / 2);  // nobody waited for the server, but perhaps for the machine
  RecordProperty("caught_up_seconds", std::to_string(took));
  std::printf("away for %.0f s: %d asked, slowest %.4f s, caught up after %.3f s\n", away.count(),
              asked.load(), slowest.load(), took);
}

}  // namespace
}  // namespace sightline
