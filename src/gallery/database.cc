// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/database.h"

#include "gallery/gallery.h"

namespace sightline {

std::int64_t Database::number(std::string_view sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Database::text(std::string_view sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.text(0) : std::string();
}

void Database::fail(const std::string& complaint) const {
  throw Error(ErrorCode::kGallery, name() + " " + complaint);
}

void Database::fail_damaged(const std::string& complaint) const {
  throw DamagedGallery(name() + " is damaged" + complaint);
}

Transaction::Transaction(const Database& database, Database::Kind kind)
    : database_(database), nested_(database.in_transaction()) {
  if (nested_)
    database_.execute("SAVEPOINT part");
  else
    database_.begin(kind);
}

Transaction::~Transaction() {
  // SQLite has rolled back by itself after some failures (a full disk), and a lost connection has
  // ended every transaction; then nothing is left to do.
  if (!open_ || !database_.in_transaction()) return;
  try {
    if (nested_) {
      database_.execute("ROLLBACK TO part");
      database_.execute("RELEASE part");
    } else {
      database_.execute("ROLLBACK");
    }
  } catch (const std::exception&) {
    // SQLite's journal undoes it when the file is opened next, PostgreSQL when it misses us.
  }
}

void Transaction::commit() {
  database_.execute(nested_ ? "RELEASE part" : "COMMIT");
  open_ = false;
}

}  // namespace sightline
