// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A connection to the database that holds a gallery, its statements and its transactions: what
// SQLite and PostgreSQL have in common, so that a gallery is written once. SQL here is what both
// understand; parameters are $1, $2, … and appear in this order. Every failure becomes an
// Error(kGallery) that names the gallery, says what is wrong with it and what to do.

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

class Cursor;

class Database {
 public:
  enum class Kind { kRead, kWrite };
  enum class Reading {
    kWhole,   // other statements may run while this one's rows are read
    kStream,  // no other statement may: for more rows than should be in memory twice
  };

  // How long a statement waits for other programs' locks before it fails, in milliseconds.
  static constexpr int kDefaultPatience = 2000;

  Database() = default;
  virtual ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  virtual const std::string& name() const = 0;  // for messages: a path, or a URL without password
  virtual bool in_transaction() const = 0;
  virtual void set_patience(int milliseconds) const = 0;

  virtual void begin(Kind kind) const = 0;
  virtual void execute(const std::string& sql) const = 0;  // without parameters and results
  virtual std::unique_ptr<Cursor> prepare(std::string_view sql, Reading reading) const = 0;

  // How a column of vectors is read, and a parameter for one is written.
  virtual std::string vector_column(const std::string& column) const { return column; }
  virtual std::string vector_parameter(const std::string& parameter) const { return parameter; }

  // Called in a transaction that is about to be committed as change `number`.
  virtual void announce(std::int64_t number) const = 0;
  // Changes when another connection has committed.
  virtual std::int64_t data_version() const = 0;
  // Makes sure that nothing is left of rows that were removed before, and returns whether it is so.
  // Outside of transactions only. Waits so many milliseconds for those who read, as every statement
  // does after it.
  virtual bool wipe(int patience) const = 0;
  // Before a writer closes: leaves everything where whoever copies the files finds it.
  virtual void tidy(int patience) const = 0;
  // Complaints about the database itself, a line each.
  virtual std::vector<std::string> integrity() const = 0;

  std::int64_t number(std::string_view sql) const;  // first column of the first row; 0 if none
  std::string text(std::string_view sql) const;     // likewise; empty if none
  [[noreturn]] void fail(const std::string& complaint) const;          // "<name> <complaint>"
  [[noreturn]] void fail_damaged(const std::string& complaint) const;  // "<name> is damaged…"
};

// A statement that a database has prepared. Parameters are bound from the left to the right; what
// is bound must live until the last step().
class Cursor {
 public:
  virtual ~Cursor() = default;

  virtual void bind_null() = 0;
  virtual void bind(std::int64_t value) = 0;
  virtual void bind(double value) = 0;
  virtual void bind(std::string_view text) = 0;
  virtual void bind(std::span<const std::uint8_t> blob) = 0;
  virtual void bind_vector(std::span<const float> values) = 0;

  virtual bool step() = 0;  // true: a row is there, false: no more

  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string text(int column) const = 0;
  virtual std::span<const std::uint8_t> blob(int column) const = 0;  // valid until the next step()
  // Writes `into.size()` values; false if there are more or fewer, or not of unit length.
  virtual bool vector(int column, std::span<float> into) const = 0;
};

// The same, for writing it in one expression.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql,
            Database::Reading reading = Database::Reading::kWhole)
      : cursor_(database.prepare(sql, reading)) {}

  template <typename Value>
  Statement& bind(const Value& value) {
    cursor_->bind(value);
    return *this;
  }
  Statement& bind(int value) { return bind(std::int64_t{value}); }
  Statement& bind(const std::vector<std::uint8_t>& blob) { return bind(std::span(blob)); }
  Statement& bind(const std::string& text) { return bind(std::string_view(text)); }
  Statement& bind(const char* text) { return bind(std::string_view(text)); }
  Statement& bind_vector(std::span<const float> values) {
    cursor_->bind_vector(values);
    return *this;
  }
  template <typename Value>
  Statement& bind_optional(const Value& value) {  // nothing: NULL
    if (value)
      cursor_->bind(static_cast<double>(*value));
    else
      cursor_->bind_null();
    return *this;
  }

  bool step() { return cursor_->step(); }
  void run() {  // to the end
    while (step()) {
    }
  }

  bool is_null(int column) const { return cursor_->is_null(column); }
  std::int64_t integer(int column) const { return cursor_->integer(column); }
  double real(int column) const { return cursor_->real(column); }
  std::string text(int column) const { return cursor_->text(column); }
  std::span<const std::uint8_t> blob(int column) const { return cursor_->blob(column); }
  bool vector(int column, std::span<float> into) const { return cursor_->vector(column, into); }

 private:
  std::unique_ptr<Cursor> cursor_;
};

// All changes from here to commit(), or none. Inside another transaction: a part of it that can
// fail alone.
class Transaction {
 public:
  Transaction(const Database& database, Database::Kind kind);
  ~Transaction();  // undoes what was not committed
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  bool is_nested() const { return nested_; }
  void commit();

 private:
  const Database& database_;
  bool nested_;
  bool open_ = true;
};

}  // namespace sightline
