// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/sqlite.h"

#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include <sqlite3.h>

#include "core/error.h"
#include "gallery/gallery_file.h"

namespace sightline {
namespace {

constexpr int kLargestRow = 8 << 20;  // bytes

bool is_damage(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return true;
    default:
      return false;
  }
}

// What any other of SQLite's result codes means for whoever asked for a gallery, and what to do
// about it.
std::string explain(int extended, int system_error, const std::string& message) {
  const std::string detail =
      " (" + message + (system_error != 0 ? ", " + std::string(std::strerror(system_error)) : "") +
      ")";
  switch (extended & 0xff) {
    case SQLITE_NOTADB:
      return "is not a gallery: it is no SQLite file. Choose another file";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "is locked by another program that is writing to it. Try again when it has finished, "
             "or end it";
    case SQLITE_READONLY:
      return "cannot be changed: the file or its directory is read-only" + detail +
             ". Change their permissions, or work on a copy";
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
      return "cannot be opened" + detail +
             ". Its directory must be writable too, for the files -wal and -shm beside it";
    case SQLITE_FULL:
      return "could not be written: no space is left. Nothing was changed; free some space and "
             "try again";
    case SQLITE_IOERR:
      return "could not be read or written" + detail +
             ". What was committed before is kept; check the disk, its quota and its free space";
    default:
      return "failed" + detail;
  }
}

// A path as SQLite's URI: everything but plain characters is escaped.
std::string uri_of(const std::string& path, const char* query) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    const auto byte = static_cast<unsigned char>(c);
    if (plain)
      uri += c;
    else
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return uri + query;
}

[[noreturn]] void fail(sqlite3* handle, const std::string& name) {
  const int code = sqlite3_extended_errcode(handle);
  if ((code & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  if (is_damage(code)) throw DamagedGallery(name + " is damaged (" + sqlite3_errmsg(handle) + ")");
  const bool from_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  throw Error(ErrorCode::kGallery, name + " " +
                                       explain(code, from_system ? sqlite3_system_errno(handle) : 0,
                                               sqlite3_errmsg(handle)));
}

class SqliteCursor final : public Cursor {
 public:
  SqliteCursor(sqlite3* database, const std::string& name, std::string_view sql)
      : database_(database), name_(name) {
    check(
        sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &handle_, nullptr));
  }
  ~SqliteCursor() override { sqlite3_finalize(handle_); }

  void bind_null() override { check(sqlite3_bind_null(handle_, ++bound_)); }
  void bind(std::int64_t value) override { check(sqlite3_bind_int64(handle_, ++bound_, value)); }
  void bind(double value) override { check(sqlite3_bind_double(handle_, ++bound_, value)); }
  void bind(std::string_view text) override {
    check(sqlite3_bind_text64(handle_, ++bound_, text.data(), text.size(), SQLITE_STATIC,
                              SQLITE_UTF8));
  }
  void bind(std::span<const std::uint8_t> blob) override {
    if (blob.empty())  // a null pointer would be NULL
      check(sqlite3_bind_zeroblob(handle_, ++bound_, 0));
    else
      check(sqlite3_bind_blob64(handle_, ++bound_, blob.data(), blob.size(), SQLITE_STATIC));
  }
  void bind_vector(std::span<const float> values) override {
    vector_ = encode_vector(values);
    bind(std::span<const std::uint8_t>(vector_));
  }

  bool step() override {
    const int status = sqlite3_step(handle_);
    if (status == SQLITE_ROW) return true;
    if (status != SQLITE_DONE) fail(database_, name_);
    return false;
  }

  bool is_null(int column) const override {
    return sqlite3_column_type(handle_, column) == SQLITE_NULL;
  }
  std::int64_t integer(int column) const override { return sqlite3_column_int64(handle_, column); }
  double real(int column) const override { return sqlite3_column_double(handle_, column); }
  std::string text(int column) const override {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
  }
  std::span<const std::uint8_t> blob(int column) const override {
    const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
  }
  bool vector(int column, std::span<float> into) const override {
    return decode_vector(blob(column), into);
  }

 private:
  void check(int status) const {
    if (status != SQLITE_OK) fail(database_, name_);
  }

  sqlite3* database_;
  const std::string& name_;
  sqlite3_stmt* handle_ = nullptr;
  int bound_ = 0;
  std::vector<std::uint8_t> vector_;
};

}  // namespace

SqliteDatabase::SqliteDatabase(std::filesystem::path path, Access access, int patience)
    : path_(std::move(path)), immutable_(access == Access::kImmutable) {
  // Absolute, so that no name (":memory:", "file:…") has a meaning of its own.
  const std::string name = std::filesystem::absolute(path_).string();
  // Readers open for writing too where they may: the last one to close then tidies up the log.
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (immutable_ ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE);
  const std::string target = immutable_ ? uri_of(name, "?immutable=1") : name;
  if (sqlite3_open_v2(target.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
    if (handle_ == nullptr) throw std::bad_alloc();
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> closing(handle_, sqlite3_close);
    sightline::fail(handle_, path_.string());
  }
  try {
    set_patience(patience);
    // The largest is a picture of kMaxThumbnailBytes. A file from elsewhere may say anything.
    sqlite3_limit(handle_, SQLITE_LIMIT_LENGTH, kLargestRow);
    // A gallery from elsewhere may bring triggers and views, and must not run them.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
    execute("PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON");
    number("PRAGMA mmap_size = 0");  // a file that shrinks must be an error, not a SIGBUS
    number("PRAGMA secure_delete = ON");
    if (access != Access::kWrite) execute("PRAGMA query_only = ON");
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close(handle_); }

bool SqliteDatabase::is_read_only() const { return sqlite3_db_readonly(handle_, "main") != 0; }

bool SqliteDatabase::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void SqliteDatabase::set_patience(int milliseconds) const {
  sqlite3_busy_timeout(handle_, milliseconds);
}

void SqliteDatabase::begin(Kind kind) const {
  execute(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED");
}

void SqliteDatabase::execute(const std::string& sql) const {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    sightline::fail(handle_, name());
}

std::unique_ptr<Cursor> SqliteDatabase::prepare(std::string_view sql, Reading) const {
  return std::make_unique<SqliteCursor>(handle_, name(), sql);
}

std::int64_t SqliteDatabase::data_version() const { return number("PRAGMA data_version"); }

bool SqliteDatabase::empty_log() const { return number("PRAGMA wal_checkpoint(TRUNCATE)") == 0; }

// Deleting rows is not enough: SQLite moves rows when it splits pages and leaves copies in the
// gaps, and the log keeps old pages. So the file is rebuilt and the log emptied, which a reader's
// snapshot can prevent.
bool SqliteDatabase::wipe(int patience) const {
  std::filesystem::remove(path_.string() + kIndexSuffix);
  set_patience(patience);
  if (!empty_log()) return false;  // first, so that a failing attempt costs little
  execute("VACUUM");
  return empty_log();
}

void SqliteDatabase::tidy(int patience) const {
  set_patience(patience);
  empty_log();
}

std::vector<std::string> SqliteDatabase::integrity() const {
  std::vector<std::string> problems;
  Statement integrity(*this, "PRAGMA integrity_check");
  while (integrity.step())
    if (const std::string line = integrity.text(0); line != "ok") problems.push_back(line);
  Statement orphans(*this, "PRAGMA foreign_key_check");
  while (orphans.step()) {
    problems.push_back("table " + orphans.text(0) + ", row " + std::to_string(orphans.integer(1)) +
                       ": belongs to no row of " + orphans.text(2));
  }
  return problems;
}

}  // namespace sightline
