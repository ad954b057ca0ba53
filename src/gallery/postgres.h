// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A connection to a PostgreSQL database. Nothing here waits for ever: a server that does not answer
// is an error after some seconds.

#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <libpq-fe.h>

#include "gallery/database.h"

namespace sightline {

// postgresql://USER@HOST:PORT/DATABASE?schema=NAME, all parts optional; other parameters are
// libpq's.
struct DatabaseUrl {
  std::string connection;  // what libpq is given
  std::string schema;      // where the gallery's tables are
  std::string shown;       // without password

  // Throws Error(kInput) if the schema's name is none.
  static DatabaseUrl parse(const std::string& url);
};

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Result = std::unique_ptr<PGresult, ResultDeleter>;

// A parameter of a statement, in PostgreSQL's binary form.
struct Parameter {
  Oid type = 0;
  std::string bytes;
  bool null = false;
};

class PostgresDatabase final : public Database {
 public:
  using Duration = std::chrono::milliseconds;
  static constexpr Duration kConnectTime{10'000};
  static constexpr Duration kAnswerTime{30'000};

  // Throws Error(kGallery) if there is no connection after `connect_time`. What becomes readable at
  // `interrupt`, a file descriptor, ends all waiting with an Error; -1: nothing does.
  PostgresDatabase(DatabaseUrl url, Duration connect_time, Duration answer_time,
                   int interrupt = -1);
  ~PostgresDatabase() override;

  const DatabaseUrl& url() const { return url_; }
  const std::string& name() const override { return url_.shown; }
  bool in_transaction() const override;
  void set_patience(int milliseconds) const override;
  void begin(Kind kind) const override;
  void execute(const std::string& sql) const override;  // several statements, too
  std::unique_ptr<Cursor> prepare(std::string_view sql, Reading reading) const override;
  std::string vector_column(const std::string& column) const override;
  std::string vector_parameter(const std::string& parameter) const override;
  void announce(std::int64_t number) const override;
  std::int64_t data_version() const override;
  bool wipe(int patience) const override;
  void tidy(int) const override {}
  std::vector<std::string> integrity() const override { return {}; }

  // Finds out how vectors are stored; once there are tables.
  void look_at_vectors();
  std::string quoted(const std::string& identifier) const;

  // From here on a lost connection is not replaced by another.
  void listen();
  // Waits until another connection has announced a change of this gallery; false: it has not, so
  // far.
  bool wait_for_announcement(Duration time) const;

  // For cursors. The statement's results come one after another, until there is none.
  void send(const std::string& sql, const std::vector<Parameter>& parameters, bool stream) const;
  Result next_result() const;
  void finish() const;  // drops results that have not come yet
  bool is_lost() const;
  void connect_again() const;
  [[noreturn]] void fail_of(const PGresult* result) const;

 private:
  using Clock = std::chrono::steady_clock;

  void require_url() const;
  void connect() const;
  void begin_session() const;
  // Waits for `events` of the connection. False: the deadline has passed.
  bool wait(short events, Clock::time_point deadline) const;
  void wait_for_answer(short events) const;
  void check_sent(int sent) const;
  [[noreturn]] void fail_lost() const;

  DatabaseUrl url_;
  Duration connect_time_;
  mutable Duration answer_time_;
  int interrupt_;
  bool listening_ = false;
  bool vector_type_ = false;  // of pgvector
  mutable int patience_ = 0;
  mutable PGconn* connection_ = nullptr;
};

}  // namespace sightline
