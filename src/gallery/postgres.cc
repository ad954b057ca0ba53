// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/postgres.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

#include <poll.h>

#include "core/error.h"
#include "gallery/gallery.h"
#include "gallery/gallery_file.h"

namespace sightline {
namespace {

// Types of PostgreSQL, by the numbers that they have everywhere.
enum : Oid { kBytea = 17, kBigint = 20, kText = 25, kRealArray = 1021, kReal = 700, kDouble = 701 };

constexpr char kChannel[] = "sightline";
constexpr const char* kPersonalTables[] = {"embeddings", "thumbnails", "crops", "persons"};

template <typename Integer>
void append_big_endian(std::string& bytes, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof(value)) - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>(value >> shift & 0xff);
}

std::uint64_t read_big_endian(const char* bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

// An array of real as PostgreSQL sends it: dimensions, whether there are NULLs, the elements' type;
// length and lower bound of each dimension; of each element its length and its bytes.
constexpr std::size_t kArrayHeader = 20;
constexpr std::size_t kArrayElement = 8;

std::string to_real_array(std::span<const float> values) {
  std::string bytes;
  for (const std::uint32_t field :
       {1u, 0u, static_cast<std::uint32_t>(kReal), static_cast<std::uint32_t>(values.size()), 1u})
    append_big_endian(bytes, field);
  for (const float value : values) {
    append_big_endian(bytes, std::uint32_t{sizeof(float)});
    append_big_endian(bytes, std::bit_cast<std::uint32_t>(value));
  }
  return bytes;
}

bool from_real_array(std::span<const std::uint8_t> bytes, std::span<float> into) {
  const auto* begin = reinterpret_cast<const char*>(bytes.data());
  if (bytes.size() != kArrayHeader + into.size() * kArrayElement || into.empty() ||
      read_big_endian(begin, 4) != 1 || read_big_endian(begin + 8, 4) != kReal)
    return false;
  for (std::size_t i = 0; i < into.size(); ++i) {
    const char* element = begin + kArrayHeader + i * kArrayElement;
    if (read_big_endian(element, 4) != sizeof(float)) return false;
    into[i] = std::bit_cast<float>(static_cast<std::uint32_t>(read_big_endian(element + 4, 4)));
  }
  return is_unit_length(into);
}

// On one line, without the words that libpq and the server begin with.
std::string one_line(std::string message) {
  for (const char blank : {'\n', '\t'}) std::replace(message.begin(), message.end(), blank, ' ');
  while (!message.empty() && message.back() == ' ') message.pop_back();
  return valid_utf8(message);
}

bool is_damage(std::string_view state) {
  // Of these explain() knows better.
  if (state == "42501" || state == "42P01") return false;
  return state.starts_with("42") || state.starts_with("23") || state.starts_with("22") ||
         state.starts_with("XX");
}

// What any other error code of the server means for whoever asked for a gallery, and what to do
// about it.
std::string explain(std::string_view state, const std::string& message) {
  const std::string detail = " (" + one_line(message) + ")";
  if (state == "55P03" || state == "40P01" || state == "40001" || state == "57014")
    return "is locked by another program that is writing to it. Try again when it has finished, "
           "or end it";
  if (state == "42501")
    return "does not allow this role to do that" + detail +
           ". docs/gallery.md says which privileges it needs";
  if (state == "42P01" || state == "3F000")  // so it is, too, while a role loses its rights
    return "has lost a table, or does not allow this role to use its schema any more" + detail +
           ". docs/gallery.md says which privileges it needs; if a table is lost, restore a backup";
  if (state == "25006")
    return "cannot be changed: the server is read-only" + detail +
           ". Choose the primary server of its cluster";
  if (state.starts_with("53"))
    return "could not be written: the server lacks room" + detail +
           ". Nothing was changed; free some space and try again";
  if (state.starts_with("08") || state.starts_with("57"))
    return "cannot be reached" + detail + ". Try again";
  return "failed" + detail;
}

class PostgresCursor final : public Cursor {
 public:
  PostgresCursor(const PostgresDatabase& database, std::string_view sql, bool stream)
      : database_(database), sql_(sql), stream_(stream) {}
  ~PostgresCursor() override {
    if (open_) database_.finish();
  }

  void bind_null() override { parameters_.push_back({0, {}, true}); }
  void bind(std::int64_t value) override {
    append_big_endian(add(kBigint), static_cast<std::uint64_t>(value));
  }
  void bind(double value) override {
    append_big_endian(add(kDouble), std::bit_cast<std::uint64_t>(value));
  }
  void bind(std::string_view text) override { add(kText) = text; }
  void bind(std::span<const std::uint8_t> blob) override {
    add(kBytea).assign(reinterpret_cast<const char*>(blob.data()), blob.size());
  }
  void bind_vector(std::span<const float> values) override {
    if (database_.vector_parameter("").empty()) {
      const std::vector<std::uint8_t> blob = encode_vector(values);
      bind(std::span<const std::uint8_t>(blob));
    } else {
      add(kRealArray) = to_real_array(values);
    }
  }

  bool step() override;

  bool is_null(int column) const override { return PQgetisnull(result_.get(), row_, column) != 0; }
  std::int64_t integer(int column) const override {
    if (is_null(column)) return 0;
    const auto length = static_cast<std::size_t>(PQgetlength(result_.get(), row_, column));
    if (length > sizeof(std::int64_t)) return 0;
    const std::uint64_t bits = read_big_endian(PQgetvalue(result_.get(), row_, column), length);
    return length == sizeof(std::int32_t) ? static_cast<std::int32_t>(bits)
                                          : static_cast<std::int64_t>(bits);
  }
  double real(int column) const override {
    if (is_null(column) || PQgetlength(result_.get(), row_, column) != sizeof(double)) return 0;
    return std::bit_cast<double>(
        read_big_endian(PQgetvalue(result_.get(), row_, column), sizeof(double)));
  }
  std::string text(int column) const override {
    const std::span<const std::uint8_t> bytes = blob(column);
    return {bytes.begin(), bytes.end()};
  }
  std::span<const std::uint8_t> blob(int column) const override {
    return {reinterpret_cast<const std::uint8_t*>(PQgetvalue(result_.get(), row_, column)),
            static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
  }
  bool vector(int column, std::span<float> into) const override {
    return PQftype(result_.get(), column) == kRealArray ? from_real_array(blob(column), into)
                                                        : decode_vector(blob(column), into);
  }

 private:
  std::string& add(Oid type) { return parameters_.emplace_back(Parameter{type, {}, false}).bytes; }
  void start();
  void take_result();

  const PostgresDatabase& database_;
  const std::string sql_;
  const bool stream_;
  std::vector<Parameter> parameters_;
  Result result_;
  int row_ = -1;
  bool started_ = false;
  bool open_ = false;  // results are still to come
};

void PostgresCursor::take_result() {
  result_ = database_.next_result();
  row_ = -1;
  if (result_ == nullptr) {
    open_ = false;
    return;
  }
  const ExecStatusType status = PQresultStatus(result_.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_SINGLE_TUPLE)
    return;
  const Result failed = std::move(result_);
  database_.finish();
  open_ = false;
  database_.fail_of(failed.get());
}

// What only reads may be asked again if the connection, which nobody used for a while, was lost.
void PostgresCursor::start() {
  started_ = true;
  const bool repeatable = !database_.in_transaction() && sql_.starts_with("SELECT");
  try {
    database_.send(sql_, parameters_, stream_);
    open_ = true;
    take_result();
  } catch (const Error&) {
    open_ = false;
    if (!repeatable || !database_.is_lost()) throw;
    database_.connect_again();
    database_.send(sql_, parameters_, stream_);
    open_ = true;
    take_result();
  }
}

bool PostgresCursor::step() {
  if (!started_) start();
  while (result_ != nullptr) {
    if (++row_ < PQntuples(result_.get())) return true;
    if (stream_) {
      take_result();
    } else {
      database_.finish();
      open_ = false;
      return false;
    }
  }
  return false;
}

std::string take_schema(std::string& url) {
  constexpr std::string_view kParameter = "schema=";
  for (std::size_t at = url.find(kParameter); at != std::string::npos;
       at = url.find(kParameter, at + 1)) {
    if (at == 0 || (url[at - 1] != '?' && url[at - 1] != '&')) continue;
    const std::size_t end = std::min(url.find('&', at), url.size());
    const std::string schema = url.substr(at + kParameter.size(), end - at - kParameter.size());
    // With the separator after it, or else the one before it.
    if (end < url.size())
      url.erase(at, end + 1 - at);
    else
      url.erase(at - 1);
    return schema;
  }
  return "sightline";
}

}  // namespace

DatabaseUrl DatabaseUrl::parse(const std::string& url) {
  constexpr std::size_t kMaxName = 63;
  DatabaseUrl parsed{url, {}, shown_location(url)};
  parsed.schema = take_schema(parsed.connection);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (parsed.schema.empty() || parsed.schema.size() > kMaxName ||
      !std::all_of(parsed.schema.begin(), parsed.schema.end(), plain) ||
      parsed.schema.starts_with("pg_")) {
    throw Error(ErrorCode::kInput,
                parsed.shown + ": schema = " + valid_utf8(parsed.schema) +
                    ": expected small letters, digits and _, 1 to 63 of them, as in "
                    "postgresql://host/people?schema=visitors");
  }
  return parsed;
}

PostgresDatabase::PostgresDatabase(DatabaseUrl url, Duration connect_time, Duration answer_time,
                                   int interrupt)
    : url_(std::move(url)),
      connect_time_(connect_time),
      answer_time_(answer_time),
      interrupt_(interrupt) {
  try {
    connect();
  } catch (...) {
    PQfinish(connection_);
    throw;
  }
}

PostgresDatabase::~PostgresDatabase() { PQfinish(connection_); }

// libpq's own complaint would show the URL, with the password.
void PostgresDatabase::require_url() const {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url_.connection.c_str(), &message), PQconninfoFree);
  PQfreemem(message);
  if (options == nullptr)
    fail(
        "is no location that libpq understands. Expected postgresql://USER@HOST:PORT/DATABASE, "
        "with what is special in a part escaped (%40 for @), and parameters that libpq knows");
}

void PostgresDatabase::connect() const {
  PQfinish(std::exchange(connection_, nullptr));
  require_url();
  // What the URL says counts for more than what is before it here, and less than what is after it.
  // A peer that has vanished without a word is noticed by the probes.
  constexpr const char* kKeywords[] = {
      "fallback_application_name", "keepalives_idle", "keepalives_interval", "keepalives_count",
      "tcp_user_timeout",          "dbname",          "client_encoding",     nullptr};
  const char* const values[] = {"sightline", "2",    "1", "3", "5000", url_.connection.c_str(),
                                "UTF8",      nullptr};
  connection_ = PQconnectStartParams(kKeywords, values, 1);
  if (connection_ == nullptr) throw std::bad_alloc();
  PQsetNoticeReceiver(
      connection_, [](void*, const PGresult*) {}, nullptr);

  const auto deadline = Clock::now() + connect_time_;
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK) {
    if (PQstatus(connection_) == CONNECTION_BAD || status == PGRES_POLLING_FAILED) fail_lost();
    if (!wait(status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
      fail("cannot be reached: no answer within " + std::to_string(connect_time_.count() / 1000) +
           " s. See whether the server runs and can be reached from here");
    status = PQconnectPoll(connection_);
  }
  PQsetnonblocking(connection_, 1);
  begin_session();
}

// `public` and the schema of pgvector are looked into for its type; nothing that another role may
// have put there stands before what is ours.
void PostgresDatabase::begin_session() const {
  patience_ = kDefaultPatience;
  send(
      "SELECT set_config('search_path', quote_ident($1) || ', public' || coalesce(("
      "SELECT ', ' || quote_ident(n.nspname) FROM pg_catalog.pg_extension e "
      "JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace "
      "WHERE e.extname = 'vector' AND n.nspname <> 'public'), '') || ', pg_temp', false), "
      "set_config('lock_timeout', $2, false)",
      {{kText, url_.schema}, {kText, std::to_string(patience_)}}, false);
  const Result result = next_result();
  finish();
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) fail_of(result.get());
}

bool PostgresDatabase::wait(short events, Clock::time_point deadline) const {
  for (;;) {
    const auto left = std::chrono::duration_cast<Duration>(deadline - Clock::now()).count();
    pollfd waited[] = {{PQsocket(connection_), events, 0}, {interrupt_, POLLIN, 0}};
    const int ready = ::poll(waited, 2, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready > 0 && waited[1].revents != 0) fail("is not waited for any longer");
    return ready > 0;
  }
}

void PostgresDatabase::wait_for_answer(short events) const {
  if (wait(events, Clock::now() + answer_time_)) return;
  // An answer that comes later would be taken for that of another question.
  PQfinish(std::exchange(connection_, nullptr));
  fail("does not answer: nothing came for " + std::to_string(answer_time_.count() / 1000) +
       " s. Whether the last change was made is unknown: look before trying again");
}

bool PostgresDatabase::is_lost() const { return PQstatus(connection_) == CONNECTION_BAD; }

void PostgresDatabase::connect_again() const {
  if (listening_) fail_lost();  // whoever listens has to know, to look for what was missed
  connect();
}

void PostgresDatabase::fail_lost() const {
  const std::string message = one_line(PQerrorMessage(connection_));
  fail("cannot be reached (" + (message.empty() ? "the connection was lost" : message) +
       "). See whether the server runs and can be reached from here");
}

void PostgresDatabase::fail_of(const PGresult* result) const {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (state == nullptr || is_lost()) fail_lost();
  if (is_damage(state)) fail_damaged(" (" + one_line(message == nullptr ? state : message) + ")");
  fail(explain(state, message == nullptr ? state : message));
}

bool PostgresDatabase::in_transaction() const {
  const PGTransactionStatusType status = PQtransactionStatus(connection_);
  return status != PQTRANS_IDLE && status != PQTRANS_UNKNOWN;
}

void PostgresDatabase::check_sent(int sent) const {
  if (sent == 0) fail_lost();
  for (int left = PQflush(connection_); left != 0; left = PQflush(connection_)) {
    if (left < 0) fail_lost();
    wait_for_answer(POLLOUT | POLLIN);
    if (PQconsumeInput(connection_) == 0) fail_lost();
  }
}

void PostgresDatabase::send(const std::string& sql, const std::vector<Parameter>& parameters,
                            bool stream) const {
  if (is_lost() && !in_transaction()) connect_again();
  std::vector<Oid> types;
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  for (const Parameter& parameter : parameters) {
    types.push_back(parameter.type);
    values.push_back(parameter.null ? nullptr : parameter.bytes.data());
    lengths.push_back(static_cast<int>(parameter.bytes.size()));
    formats.push_back(1);
  }
  const int sent =
      PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(parameters.size()), types.data(),
                        values.data(), lengths.data(), formats.data(), 1);
  if (sent != 0 && stream) PQsetSingleRowMode(connection_);
  check_sent(sent);
}

Result PostgresDatabase::next_result() const {
  while (PQisBusy(connection_) != 0) {
    wait_for_answer(POLLIN);
    if (PQconsumeInput(connection_) == 0) fail_lost();
  }
  return Result(PQgetResult(connection_));
}

void PostgresDatabase::finish() const {
  try {
    while (next_result() != nullptr) {
    }
  } catch (const std::exception&) {
    // The connection is lost, which whoever uses it next is told.
  }
}

void PostgresDatabase::execute(const std::string& sql) const {
  check_sent(PQsendQuery(connection_, sql.c_str()));
  Result failed;
  while (Result result = next_result()) {
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && failed == nullptr)
      failed = std::move(result);
  }
  if (failed != nullptr) fail_of(failed.get());
}

std::unique_ptr<Cursor> PostgresDatabase::prepare(std::string_view sql, Reading reading) const {
  return std::make_unique<PostgresCursor>(*this, sql, reading == Reading::kStream);
}

// A change waits for the one before it, and then sees what that one did.
void PostgresDatabase::begin(Kind kind) const {
  const std::string sql = kind == Kind::kWrite ? "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
                                               : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
  try {
    if (is_lost()) connect_again();
    execute(sql);
  } catch (const Error&) {
    if (!is_lost()) throw;
    connect_again();
    execute(sql);
  }
}

// PostgreSQL takes 0 for "for ever".
void PostgresDatabase::set_patience(int milliseconds) const {
  const int wanted = std::max(milliseconds, 1);
  if (wanted == patience_) return;
  const std::string text = std::to_string(wanted);
  Statement(*this, "SELECT set_config('lock_timeout', $1, false)").bind(text).run();
  patience_ = wanted;
}

std::string PostgresDatabase::vector_column(const std::string& column) const {
  return vector_type_ ? column + "::real[]" : column;
}

std::string PostgresDatabase::vector_parameter(const std::string& parameter) const {
  return vector_type_ ? parameter + "::real[]::vector" : parameter;
}

void PostgresDatabase::look_at_vectors() {
  Statement row(*this,
                "SELECT t.typname::text FROM pg_catalog.pg_attribute a "
                "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid "
                "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
                "WHERE n.nspname = $1 AND c.relname = 'embeddings' AND a.attname = 'vector'");
  row.bind(url_.schema);
  vector_type_ = row.step() && row.text(0) == "vector";
}

std::string PostgresDatabase::quoted(const std::string& identifier) const {
  const std::unique_ptr<char, decltype(&PQfreemem)> text(
      PQescapeIdentifier(connection_, identifier.data(), identifier.size()), PQfreemem);
  if (text == nullptr) fail_lost();
  return text.get();
}

std::int64_t PostgresDatabase::data_version() const { return number("SELECT change FROM gallery"); }

void PostgresDatabase::announce(std::int64_t change) const {
  const std::string payload = url_.schema + " " + std::to_string(change);
  Statement(*this, "SELECT pg_notify($1, $2)").bind(kChannel).bind(payload).run();
}

void PostgresDatabase::listen() {
  execute(std::string("LISTEN ") + kChannel);
  listening_ = true;
}

bool PostgresDatabase::wait_for_announcement(Duration time) const {
  const auto deadline = Clock::now() + time;
  for (;;) {
    bool ours = false;
    if (PQconsumeInput(connection_) == 0) fail_lost();
    while (PGnotify* raw = PQnotifies(connection_)) {
      const std::unique_ptr<PGnotify, decltype(&PQfreemem)> notice(raw, PQfreemem);
      ours |= std::string_view(notice->extra).starts_with(url_.schema + " ");
    }
    if (ours || !wait(POLLIN, deadline)) return ours;
  }
}

// Deleted rows stay in a table's file until it is rewritten, which leaves out those that nobody's
// snapshot sees any more. The table then says which transactions it has been freed of: all older
// than its relfrozenxid. `now` is younger than every removal before this call.
bool PostgresDatabase::wipe(int patience) const {
  constexpr Duration kRewriteTime{600'000};
  set_patience(patience);
  const std::string now = text("SELECT pg_current_xact_id()::xid::text");
  const Duration usual = std::exchange(answer_time_, kRewriteTime);
  try {
    for (const char* table : kPersonalTables) execute(std::string("VACUUM (FULL) ") + table);
  } catch (...) {
    answer_time_ = usual;
    throw;
  }
  answer_time_ = usual;
  Statement dirty(*this,
                  "SELECT count(*) FROM pg_catalog.pg_class c "
                  "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                  "WHERE n.nspname = $1 AND c.relname IN "
                  "('embeddings', 'thumbnails', 'crops', 'persons') "
                  "AND age(c.relfrozenxid) >= age($2::text::xid)");
  dirty.bind(url_.schema).bind(now);
  return dirty.step() && dirty.integer(0) == 0;
}

}  // namespace sightline
