// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/sqlite.h"

#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include <sqlite3.h>

#include "core/error.h"

namespace sightline {
namespace {

// What SQLite's result code means for whoever asked for a gallery, and what to do about it.
std::string explain(int extended, int system_error, const std::string& message) {
  const std::string detail =
      " (" + message + (system_error != 0 ? ", " + std::string(std::strerror(system_error)) : "") +
      ")";
  switch (extended & 0xff) {
    case SQLITE_NOTADB:
      return "is not a gallery: it is no SQLite file. Choose another file";
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return "is damaged" + detail +
             ". See what is wrong with `sightline gallery check`, or restore a backup";
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

}  // namespace

Connection::Connection(std::filesystem::path path, Access access, int patience)
    : path_(std::move(path)), immutable_(access == Access::kImmutable) {
  // Absolute, so that no name (":memory:", "file:…") has a meaning of its own.
  const std::string name = std::filesystem::absolute(path_).string();
  // Readers open for writing too where they may: the last one to close then tidies up the log.
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (immutable_ ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE);
  const std::string target = immutable_ ? uri_of(name, "?immutable=1") : name;
  if (sqlite3_open_v2(target.c_str(), &handle_, flags, nullptr) != SQLITE_OK) {
    if (handle_ == nullptr) throw std::bad_alloc();
    const std::string complaint = explain(sqlite3_extended_errcode(handle_),
                                          sqlite3_system_errno(handle_), sqlite3_errmsg(handle_));
    sqlite3_close(handle_);
    throw Error(ErrorCode::kGallery, path_.string() + " " + complaint);
  }
  try {
    set_patience(patience);
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

Connection::~Connection() { sqlite3_close(handle_); }

bool Connection::is_read_only() const { return sqlite3_db_readonly(handle_, "main") != 0; }

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void Connection::set_patience(int milliseconds) const {
  sqlite3_busy_timeout(handle_, milliseconds);
}

void Connection::execute(const std::string& sql) const {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
}

std::int64_t Connection::number(const std::string& sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Connection::text(const std::string& sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.text(0) : std::string();
}

std::int64_t Connection::changes() const { return sqlite3_changes64(handle_); }

std::int64_t Connection::last_row() const { return sqlite3_last_insert_rowid(handle_); }

void Connection::fail() const {
  const int code = sqlite3_extended_errcode(handle_);
  if ((code & 0xff) == SQLITE_NOMEM) throw std::bad_alloc();
  const bool from_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  fail(explain(code, from_system ? sqlite3_system_errno(handle_) : 0, sqlite3_errmsg(handle_)));
}

void Connection::fail(const std::string& complaint) const {
  throw Error(ErrorCode::kGallery, path_.string() + " " + complaint);
}

Statement::Statement(const Connection& connection, std::string_view sql) : connection_(connection) {
  check(sqlite3_prepare_v2(connection.handle_, sql.data(), static_cast<int>(sql.size()), &handle_,
                           nullptr));
}

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::check(int status) const {
  if (status != SQLITE_OK) connection_.fail();
}

Statement& Statement::bind(std::int64_t value) {
  check(sqlite3_bind_int64(handle_, ++bound_, value));
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  check(
      sqlite3_bind_text64(handle_, ++bound_, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(std::span<const std::uint8_t> blob) {
  check(sqlite3_bind_blob64(handle_, ++bound_, blob.data(), blob.size(), SQLITE_STATIC));
  return *this;
}

bool Statement::step() {
  const int status = sqlite3_step(handle_);
  if (status == SQLITE_ROW) return true;
  if (status != SQLITE_DONE) connection_.fail();
  return false;
}

void Statement::run() {
  while (step()) {
  }
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::span<const std::uint8_t> Statement::blob(int column) const {
  const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(handle_, column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

Transaction::Transaction(const Connection& connection, Kind kind)
    : connection_(connection), nested_(connection.in_transaction()) {
  connection_.execute(nested_                ? "SAVEPOINT part"
                      : kind == Kind::kWrite ? "BEGIN IMMEDIATE"
                                             : "BEGIN DEFERRED");
}

Transaction::~Transaction() {
  // SQLite has rolled back by itself after some failures (a full disk); then nothing is left to do.
  if (!open_ || !connection_.in_transaction()) return;
  try {
    connection_.execute(nested_ ? "ROLLBACK TO part; RELEASE part" : "ROLLBACK");
  } catch (const std::exception&) {
    // The journal undoes it when the file is opened next.
  }
}

void Transaction::commit() {
  connection_.execute(nested_ ? "RELEASE part" : "COMMIT");
  open_ = false;
}

}  // namespace sightline
