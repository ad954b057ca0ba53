// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A connection to one SQLite file, its statements and its transactions. Every failure becomes an
// Error(kGallery) that names the file, says what is wrong with it and what to do.

#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace sightline {

class Connection {
 public:
  enum class Access {
    kRead,       // changes are refused; SQLite may still recover or tidy up its log
    kWrite,      // changes too; the file must be there
    kImmutable,  // the file alone, without locks and log: for read-only directories
  };

  // How long a statement waits for other programs' locks before it fails, in milliseconds.
  static constexpr int kDefaultPatience = 2000;

  Connection(std::filesystem::path path, Access access, int patience = kDefaultPatience);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  const std::filesystem::path& path() const { return path_; }
  bool is_read_only() const;  // for whatever reason: as asked, or because the file is
  bool is_immutable() const { return immutable_; }
  bool in_transaction() const;

  void set_patience(int milliseconds) const;

  void execute(const std::string& sql) const;         // one statement or several, without results
  std::int64_t number(const std::string& sql) const;  // first column of the first row; 0 if none
  std::string text(const std::string& sql) const;     // likewise; empty if none
  std::int64_t changes() const;                       // rows changed by the last statement
  std::int64_t last_row() const;                      // rowid of the last insertion
  [[noreturn]] void fail() const;                     // the last failure, as an Error
  [[noreturn]] void fail(const std::string& complaint) const;  // "<path> <complaint>"

 private:
  friend class Statement;

  std::filesystem::path path_;
  bool immutable_;
  sqlite3* handle_ = nullptr;
};

// A prepared statement. Parameters are bound from the left to the right; what is bound must live
// until the last step().
class Statement {
 public:
  Statement(const Connection& connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view text);
  Statement& bind(std::span<const std::uint8_t> blob);

  bool step();  // true: a row is there, false: no more
  void run();   // to the end

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  std::string text(int column) const;
  std::span<const std::uint8_t> blob(int column) const;  // valid until the next step()

 private:
  void check(int status) const;

  const Connection& connection_;
  sqlite3_stmt* handle_ = nullptr;
  int bound_ = 0;
};

// All changes from here to commit(), or none. Inside another transaction: a part of it that can
// fail alone.
class Transaction {
 public:
  enum class Kind { kRead, kWrite };

  Transaction(const Connection& connection, Kind kind);
  ~Transaction();  // undoes what was not committed
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void commit();

 private:
  const Connection& connection_;
  bool nested_;
  bool open_ = true;
};

}  // namespace sightline
