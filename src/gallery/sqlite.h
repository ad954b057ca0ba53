// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A connection to one SQLite file.

#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gallery/database.h"

struct sqlite3;

namespace sightline {

class SqliteDatabase final : public Database {
 public:
  enum class Access {
    kRead,       // changes are refused; SQLite may still recover or tidy up its log
    kWrite,      // changes too; the file must be there
    kImmutable,  // the file alone, without locks and log: for read-only directories
  };

  SqliteDatabase(std::filesystem::path path, Access access, int patience = kDefaultPatience);
  ~SqliteDatabase() override;

  const std::string& name() const override { return path_.native(); }
  bool in_transaction() const override;
  void set_patience(int milliseconds) const override;
  void begin(Kind kind) const override;
  void execute(const std::string& sql) const override;  // several statements, too
  std::unique_ptr<Cursor> prepare(std::string_view sql, Reading) const override;
  void announce(std::int64_t) const override {}  // whoever follows the file asks it
  std::int64_t data_version() const override;
  bool wipe(int patience) const override;
  void tidy(int patience) const override;
  std::vector<std::string> integrity() const override;

  bool is_read_only() const;  // for whatever reason: as asked, or because the file is
  bool is_immutable() const { return immutable_; }

 private:
  bool empty_log() const;

  std::filesystem::path path_;
  bool immutable_;
  sqlite3* handle_ = nullptr;
};

}  // namespace sightline
