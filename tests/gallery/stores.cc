// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stores.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <string.h>

#include <sqlite3.h>

#include "postgres_server.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;

class SqliteStore final : public Store {
 public:
  std::string location() const override { return scratch_ / "people.db"; }
  bool has_bytes(std::span<const std::uint8_t> bytes) override {
    for (const fs::directory_entry& file : fs::directory_iterator(scratch_.path()))
      if (file_has(file.path(), bytes)) return true;
    return false;
  }
  std::shared_ptr<void> hold_snapshot() override {
    sqlite3* reader = nullptr;
    EXPECT_EQ(sqlite3_open(location().c_str(), &reader), SQLITE_OK);
    EXPECT_EQ(
        sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM persons", nullptr, nullptr, nullptr),
        SQLITE_OK);
    return {reader, [](sqlite3* connection) { sqlite3_close(connection); }};
  }

 private:
  Scratch scratch_;
};

// The server's files are not SQLite's, so this process may read them.
bool has(const fs::path& file, std::span<const std::uint8_t> bytes) {
  std::ifstream stream(file, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(stream), {}};
  return ::memmem(all.data(), all.size(), bytes.data(), bytes.size()) != nullptr;
}

class PostgresStore final : public Store {
 public:
  explicit PostgresStore(PostgresServer& server) : server_(server) {
    static int count = 0;
    schema_ = "test_" + std::to_string(++count);
  }
  std::string location() const override { return server_.url(schema_); }
  bool has_bytes(std::span<const std::uint8_t> bytes) override {
    Psql(location()).ask("CHECKPOINT");
    for (const fs::directory_entry& file : fs::recursive_directory_iterator(server_.data())) {
      const bool log = file.path().string().find("/pg_wal/") != std::string::npos;
      if (file.is_regular_file() && !log && has(file.path(), bytes)) return true;
    }
    return false;
  }
  std::shared_ptr<void> hold_snapshot() override {
    auto reader = std::make_shared<Psql>(location());
    // Of something else: the tables can be locked, but the rows cannot be given up.
    reader->ask("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM audit");
    return reader;
  }

 private:
  PostgresServer& server_;
  std::string schema_;
};

}  // namespace

bool Store::has_bytes(const std::string& text) {
  return has_bytes(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

bool Store::has_bytes(const std::vector<float>& vector) {
  return has_bytes(std::span(reinterpret_cast<const std::uint8_t*>(vector.data()),
                             vector.size() * sizeof(float)));
}

std::unique_ptr<Store> make_store(StoreKind kind) {
  if (kind == StoreKind::kSqlite) return std::make_unique<SqliteStore>();
  PostgresServer* server = PostgresServer::shared();
  if (server == nullptr) return nullptr;
  return std::make_unique<PostgresStore>(*server);
}

void StoreTest::SetUp() {
  store_ = make_store(GetParam());
  if (store_ == nullptr)
    GTEST_SKIP() << "no PostgreSQL: Debian's postgresql and libpq-dev are needed";
  location_ = store_->location();
  gallery_ = make_gallery(location_);
}

std::string store_name(const testing::TestParamInfo<StoreKind>& info) {
  return info.param == StoreKind::kSqlite ? "Sqlite" : "Postgresql";
}

}  // namespace sightline
