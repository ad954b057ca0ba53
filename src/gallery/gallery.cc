// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/gallery.h"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <utility>

#include <glib.h>

#include "gallery/changes.h"
#include "gallery/exchange.h"
#include "gallery/gallery_database.h"
#include "gallery/gallery_file.h"
#include "gallery/index_file.h"
#include "gallery/stored_contents.h"

namespace sightline {
namespace {

// 64 random bits: unlike a counter they are not given again after a rollback or in a new file.
std::string new_person_id() {
  std::random_device random;
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x", random(), random());
  return text.data();
}

// How long to wait for somebody who reads, before what is better done without readers is put off.
constexpr int kReaderPatience = 500;
constexpr std::chrono::milliseconds kForgettingTime{5000};
constexpr std::chrono::milliseconds kFirstPause{200};

// After how many changes somebody who was away has to read everything again.
constexpr std::int64_t kRememberedChanges = 100'000;

std::int64_t microseconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::string this_program() {
  const char* name = g_get_prgname();
  return valid_utf8(std::string(name != nullptr ? name : "unknown") + "@" + g_get_host_name());
}

// A gallery that another program has changed may hold anything. The name becomes what is stored.
void make_importable(ExchangedRow& row, const std::optional<ModelFingerprint>& model) {
  try {
    row.person.name = clean_name(row.person.name);
    if (!row.embedding) return;
    if (!model || row.embedding->values.size() != static_cast<std::size_t>(model->dimensions))
      throw Error(ErrorCode::kInput, "an embedding of " +
                                         std::to_string(row.embedding->values.size()) +
                                         " numbers is not of the gallery's model");
    require_source(row.embedding->source);
    require_thumbnail(row.embedding->thumbnail);
    if (!row.embedding->crop.picture.empty()) require_crop(row.embedding->crop);
  } catch (const Error& error) {
    throw Error(ErrorCode::kGallery,
                "\"" + valid_utf8(row.person.name) + "\" cannot be imported: " + error.what());
  }
}

class StoredGallery final : public Gallery {
 public:
  StoredGallery(std::unique_ptr<Database> database, bool writable)
      : database_(std::move(database)), writable_(writable) {
    if (!writable_) return;
    wipe_removed(0);
    forget_old_changes();
  }

  ~StoredGallery() override;

  std::optional<ModelFingerprint> fingerprint() const override {
    return read_fingerprint(*database_);
  }
  void require_model(const ModelFingerprint& model) override;

  std::vector<Person> persons() const override;
  std::vector<Person> find_by_name(const std::string& name) const override;
  std::vector<StoredEmbedding> embeddings(const std::string& person) const override;

  Person add_person(const std::string& name) override;
  std::int64_t add_embedding(const std::string& person, std::span<const float> values,
                             const std::string& source,
                             std::span<const std::uint8_t> thumbnail) override;
  void rename(const std::string& person, const std::string& name) override;
  void remove(const std::string& person) override;
  void remove_embedding(std::int64_t embedding) override;
  int merge_persons(const std::string& from, const std::string& into) override;
  Wiping forget(const std::string& person) override;

  void set_rule(const std::string& person, const OwnRule& rule) override;
  OwnRule rule() const override { return read_rule(*database_); }
  std::optional<Calibration> calibration() const override { return read_calibration(*database_); }
  void set_calibration(const std::optional<Calibration>& calibration) override;

  FaceCrop crop(std::int64_t embedding) const override;
  void set_crop(std::int64_t embedding, const FaceCrop& crop) override;
  void replace_model(const ModelFingerprint& model, std::span<const Replacement> vectors) override;

  void begin() override;
  void commit() override;
  void rollback() override;

  std::unique_ptr<GalleryContents> contents(Pictures pictures) const override {
    return std::make_unique<StoredContents>(*database_, pictures);
  }
  int import_from(GalleryContents& contents) override;
  std::vector<std::string> check() const override;

  std::int64_t data_version() const override { return database_->data_version(); }
  Changes changes_since(std::int64_t version) const override {
    return read_changes(*database_, version);
  }
  std::vector<AuditEntry> audit() const override;

 private:
  class Change;

  void require_writable() const;
  bool wipe_removed(int patience);
  void forget_old_changes();
  std::int64_t next_change() const;
  void record(const std::string& action, const std::string& person) const;
  std::int64_t number_of(const std::string& person) const;
  std::string person_of(std::int64_t embedding) const;
  void bind_model(const ModelFingerprint& model) const;
  std::vector<Person> read_persons(Statement& rows) const;
  Person insert_person(const std::string& name, const std::string& created);
  std::int64_t insert_embedding(const std::string& person, const StoredEmbedding& embedding);
  void delete_person(const std::string& person, const std::string& action);
  void insert_crop(std::int64_t embedding, const FaceCrop& crop);
  void import_settings(const GalleryHead& head);
  std::string import_person(const Person& person);
  std::set<std::vector<float>> vectors_of(const std::string& person) const;
  void check_contents(std::vector<std::string>& problems) const;
  void check_embeddings(int dimensions, std::vector<std::string>& problems) const;

  std::unique_ptr<Database> database_;
  bool writable_;
  bool grouped_ = false;     // between begin() and commit()
  std::int64_t change_ = 0;  // number of the change that is being made
};

// One change, or a part of the one that is being made.
class StoredGallery::Change {
 public:
  explicit Change(StoredGallery& gallery)
      : gallery_(gallery), transaction_(*gallery.database_, Database::Kind::kWrite) {
    if (!transaction_.is_nested()) gallery_.change_ = gallery_.next_change();
  }

  // `patience`: for those who keep bytes of removed rows alive.
  void commit(int patience = 0) {
    if (!transaction_.is_nested()) gallery_.database_->announce(gallery_.change_);
    transaction_.commit();
    if (!transaction_.is_nested()) gallery_.wipe_removed(patience);
  }

 private:
  StoredGallery& gallery_;
  Transaction transaction_;
};

StoredGallery::~StoredGallery() {
  if (!writable_ || database_->in_transaction()) return;
  wipe_removed(0);
  try {
    database_->tidy(kReaderPatience);
  } catch (const std::exception&) {
    // Nothing is lost: SQLite's log stays and is read along.
  }
}

// Before every change. A group whose transaction the database has ended (a full disk, a lost
// connection) must not go on as single changes.
void StoredGallery::require_writable() const {
  if (!writable_) database_->fail("was opened for reading only, so it cannot be changed");
  if (grouped_ && !database_->in_transaction()) {
    database_->fail("has undone this group of changes after an earlier failure. Begin again");
  }
}

// Returns whether nothing is left to wipe. If not, the next write, close or opening tries again, as
// `wiped` says.
bool StoredGallery::wipe_removed(int patience) {
  bool wiped = false;
  try {
    const std::int64_t removals = database_->number("SELECT removals FROM gallery");
    wiped = removals == database_->number("SELECT wiped FROM gallery");
    // Whoever writes one meanwhile looks afterwards, and removes it.
    if (!wiped && !is_database_url(database_->name())) remove_index_file(database_->name());
    if (!wiped && database_->wipe(patience)) {
      Statement(*database_, "UPDATE gallery SET wiped = $1 WHERE wiped < $2")
          .bind(removals)
          .bind(removals)
          .run();
      wiped = true;
    }
  } catch (const std::exception&) {
    // The removal itself is committed; check() tells that its traces are not wiped yet.
  }
  try {
    database_->set_patience(Database::kDefaultPatience);
  } catch (const std::exception&) {
    // The connection is lost; a new one begins with this patience.
  }
  return wiped;
}

// Numbers grow with the clock, so that two copies of a gallery that go different ways do not give
// the same number to different changes.
std::int64_t StoredGallery::next_change() const {
  const std::int64_t now = microseconds_now();
  Statement(*database_,
            "UPDATE gallery SET change = CASE WHEN change < $1 THEN $2 ELSE change + 1 END")
      .bind(now)
      .bind(now)
      .run();
  const std::int64_t number = database_->number("SELECT change FROM gallery");
  Statement(*database_, "INSERT INTO changes(number) VALUES ($1)").bind(number).run();
  return number;
}

void StoredGallery::forget_old_changes() {
  if (database_->number("SELECT count(*) FROM changes") < 2 * kRememberedChanges) return;
  Transaction transaction(*database_, Database::Kind::kWrite);
  Statement(*database_,
            "DELETE FROM changes WHERE number < "
            "(SELECT number FROM changes ORDER BY number DESC LIMIT 1 OFFSET $1)")
      .bind(kRememberedChanges)
      .run();
  database_->execute("DELETE FROM removed WHERE change < (SELECT min(number) FROM changes)");
  transaction.commit();
}

void StoredGallery::record(const std::string& action, const std::string& person) const {
  const std::string program = this_program();
  const std::string time = time_now();
  Statement(*database_, "INSERT INTO audit(time, program, action, person) VALUES ($1, $2, $3, $4)")
      .bind(time)
      .bind(program)
      .bind(action)
      .bind(person)
      .run();
}

std::int64_t StoredGallery::number_of(const std::string& person) const {
  Statement row(*database_, "SELECT number FROM persons WHERE id = $1");
  if (!row.bind(person).step()) {
    throw Error(ErrorCode::kNotFound, database_->name() + " has no person with the id \"" +
                                          valid_utf8(person) +
                                          "\". `sightline gallery list` shows who is there");
  }
  return row.integer(0);
}

// The id of whom an embedding belongs to.
std::string StoredGallery::person_of(std::int64_t embedding) const {
  Statement row(*database_,
                "SELECT p.id FROM persons p, embeddings e WHERE p.number = e.person AND e.id = $1");
  if (!row.bind(embedding).step()) {
    throw Error(ErrorCode::kNotFound,
                database_->name() + " has no embedding " + std::to_string(embedding) +
                    ". `sightline gallery show PERSON --json` shows what is there");
  }
  return row.text(0);
}

void StoredGallery::bind_model(const ModelFingerprint& model) const {
  Statement(*database_, "UPDATE gallery SET model_id = $1, model_name = $2, dimensions = $3")
      .bind(model.id)
      .bind(model.name)
      .bind(model.dimensions)
      .run();
}

void StoredGallery::require_model(const ModelFingerprint& model) {
  require_plausible(model);
  std::optional<ModelFingerprint> bound = fingerprint();
  if (!bound) {
    require_writable();
    Change change(*this);
    bound = fingerprint();  // another process may have been quicker
    if (!bound) {
      bind_model(model);
      bound = model;
    }
    change.commit();
  }
  if (*bound == model) return;
  database_->fail("was made with model " + describe(*bound) + "; this is model " + describe(model) +
                  ". Their embeddings cannot be compared: use that model, or enrol again into a "
                  "new gallery: sightline enroll NAME IMAGE... --gallery NEW.db");
}

constexpr char kCountedPersons[] =
    "(SELECT count(*) FROM embeddings e WHERE e.person = p.number) FROM persons p ";

std::vector<Person> StoredGallery::read_persons(Statement& rows) const {
  std::vector<Person> persons;
  while (rows.step()) {
    persons.push_back(read_person(*database_, rows, 0));
    persons.back().embeddings = static_cast<int>(rows.integer(kPersonColumnCount));
  }
  return persons;
}

std::vector<Person> StoredGallery::persons() const {
  Statement rows(*database_, std::string("SELECT ") + kPersonColumns + ", " + kCountedPersons +
                                 "ORDER BY p.number");
  return read_persons(rows);
}

std::vector<Person> StoredGallery::find_by_name(const std::string& name) const {
  const std::string clean = clean_name(name);
  Statement rows(*database_, std::string("SELECT ") + kPersonColumns + ", " + kCountedPersons +
                                 "WHERE p.name = $1");
  rows.bind(clean);
  return read_persons(rows);
}

std::vector<StoredEmbedding> StoredGallery::embeddings(const std::string& person) const {
  const Transaction snapshot(*database_, Database::Kind::kRead);
  const std::int64_t number = number_of(person);
  const std::optional<ModelFingerprint> model = fingerprint();
  Statement rows(*database_, "SELECT " + embedding_columns(*database_) +
                                 ", t.jpeg FROM embeddings e "
                                 "LEFT JOIN thumbnails t ON t.embedding = e.id "
                                 "WHERE e.person = $1 ORDER BY e.id");
  rows.bind(number);
  std::vector<StoredEmbedding> embeddings;
  while (rows.step()) {
    StoredEmbedding& embedding =
        embeddings.emplace_back(read_embedding(*database_, rows, 0, model));
    embedding.person = person;
    const std::span<const std::uint8_t> jpeg = rows.blob(kEmbeddingColumnCount);
    embedding.thumbnail.assign(jpeg.begin(), jpeg.end());
  }
  return embeddings;
}

Person StoredGallery::insert_person(const std::string& name, const std::string& created) {
  Person person{new_person_id(), name, 0, created};
  Statement(*database_, "INSERT INTO persons(id, name, created, changed) VALUES ($1, $2, $3, $4)")
      .bind(person.id)
      .bind(person.name)
      .bind(person.created)
      .bind(change_)
      .run();
  record("added", person.id);
  return person;
}

Person StoredGallery::add_person(const std::string& name) {
  require_writable();
  const std::string clean = clean_name(name);
  Change change(*this);
  if (!find_by_name(clean).empty())
    database_->fail("has a person named \"" + clean +
                    "\" already. Add to that person, or choose "
                    "another name");
  Person person = insert_person(clean, time_now());
  change.commit();
  return person;
}

std::int64_t StoredGallery::insert_embedding(const std::string& person,
                                             const StoredEmbedding& embedding) {
  Statement insertion(*database_,
                      "INSERT INTO embeddings(person, vector, source, created, changed) "
                      "VALUES ($1, " +
                          database_->vector_parameter("$2") + ", $3, $4, $5) RETURNING id");
  insertion.bind(number_of(person))
      .bind_vector(embedding.values)
      .bind(embedding.source)
      .bind(embedding.created)
      .bind(change_);
  insertion.step();
  const std::int64_t id = insertion.integer(0);
  insertion.run();
  if (!embedding.thumbnail.empty()) {
    Statement(*database_, "INSERT INTO thumbnails(embedding, jpeg) VALUES ($1, $2)")
        .bind(id)
        .bind(embedding.thumbnail)
        .run();
  }
  record("picture added", person);
  return id;
}

std::int64_t StoredGallery::add_embedding(const std::string& person, std::span<const float> values,
                                          const std::string& source,
                                          std::span<const std::uint8_t> thumbnail) {
  require_writable();
  StoredEmbedding embedding{0,
                            person,
                            to_unit_length(values),
                            valid_utf8(source),
                            time_now(),
                            {thumbnail.begin(), thumbnail.end()}};
  require_source(embedding.source);
  require_thumbnail(embedding.thumbnail);

  Change change(*this);
  const std::optional<ModelFingerprint> model = fingerprint();
  if (!model) database_->fail("is not bound to a model yet, so it takes no embeddings");
  if (values.size() != static_cast<std::size_t>(model->dimensions)) {
    throw Error(ErrorCode::kInput, "this embedding has " + std::to_string(values.size()) +
                                       " numbers, " + database_->name() + " is of model " +
                                       describe(*model));
  }
  const std::int64_t id = insert_embedding(person, embedding);
  change.commit();
  return id;
}

void StoredGallery::rename(const std::string& person, const std::string& name) {
  require_writable();
  const std::string clean = clean_name(name);
  Change change(*this);
  const std::int64_t number = number_of(person);
  const std::vector<Person> taken = find_by_name(clean);
  if (!taken.empty() && taken.front().id != person)
    database_->fail("has another person named \"" + clean + "\" (" + taken.front().id +
                    "). Choose another name");
  Statement(*database_, "UPDATE persons SET name = $1, changed = $2 WHERE number = $3")
      .bind(clean)
      .bind(change_)
      .bind(number)
      .run();
  record("renamed", person);
  change.commit();
}

// The log of removals keeps ids only.
void StoredGallery::delete_person(const std::string& person, const std::string& action) {
  const std::int64_t number = number_of(person);
  Statement(
      *database_,
      "INSERT INTO removed(change, embedding) SELECT $1, id FROM embeddings WHERE person = $2")
      .bind(change_)
      .bind(number)
      .run();
  Statement(*database_, "INSERT INTO removed(change, person) VALUES ($1, $2)")
      .bind(change_)
      .bind(person)
      .run();
  Statement(*database_, "DELETE FROM persons WHERE number = $1").bind(number).run();
  database_->execute("UPDATE gallery SET removals = removals + 1");
  record(action, person);
}

void StoredGallery::remove(const std::string& person) {
  require_writable();
  Change change(*this);
  delete_person(person, "removed");
  change.commit(kReaderPatience);
}

Gallery::Wiping StoredGallery::forget(const std::string& person) {
  require_writable();
  if (database_->in_transaction())
    throw Error(ErrorCode::kFailed, "Gallery::forget: not in a group of changes");
  {
    Change change(*this);
    delete_person(person, "forgotten");
    change.commit();
  }
  // SQLite waits for readers; with PostgreSQL it has to be tried.
  const auto deadline = std::chrono::steady_clock::now() + kForgettingTime;
  for (auto pause = kFirstPause;; pause *= 2) {
    if (wipe_removed(static_cast<int>(kForgettingTime.count()))) return Wiping::kDone;
    if (std::chrono::steady_clock::now() + pause > deadline) return Wiping::kPending;
    std::this_thread::sleep_for(pause);
  }
}

void StoredGallery::remove_embedding(std::int64_t embedding) {
  require_writable();
  Change change(*this);
  const std::string person = person_of(embedding);
  Statement(*database_, "INSERT INTO removed(change, embedding) VALUES ($1, $2)")
      .bind(change_)
      .bind(embedding)
      .run();
  Statement(*database_, "DELETE FROM embeddings WHERE id = $1").bind(embedding).run();
  database_->execute("UPDATE gallery SET removals = removals + 1");
  record("picture removed", person);
  change.commit(kReaderPatience);
}

int StoredGallery::merge_persons(const std::string& from, const std::string& into) {
  require_writable();
  if (from == into)
    throw Error(ErrorCode::kInput, "a person cannot be merged with itself (" + from + ")");
  Change change(*this);
  const std::int64_t source = number_of(from), target = number_of(into);
  Statement moved(*database_,
                  "UPDATE embeddings SET person = $1, changed = $2 WHERE person = $3 RETURNING id");
  moved.bind(target).bind(change_).bind(source);
  int count = 0;
  while (moved.step()) ++count;
  delete_person(from, "merged into " + into);
  change.commit(kReaderPatience);
  return count;
}

void StoredGallery::set_rule(const std::string& person, const OwnRule& rule) {
  const auto plausible = [](const std::optional<float>& value, float least, float most) {
    return !value || (*value >= least && *value <= most);  // false for NaN
  };
  if (!plausible(rule.threshold, -1, 1) || !plausible(rule.margin, 0, 2))
    throw Error(ErrorCode::kInput,
                "a threshold must be from -1 to 1, a margin from 0 to 2: similarities are cosines");
  if (!person.empty() && rule.compare)
    throw Error(ErrorCode::kInput,
                "what a face is compared with holds for a whole gallery, not for a person");
  require_writable();
  Change change(*this);
  if (person.empty()) {
    Statement update(*database_,
                     "UPDATE gallery SET threshold = $1, margin = $2, compare = nullif($3, '')");
    update.bind_optional(rule.threshold)
        .bind_optional(rule.margin)
        .bind(rule.compare ? name_of(*rule.compare) : "")
        .run();
  } else {
    Statement(*database_,
              "UPDATE persons SET threshold = $1, margin = $2, changed = $3 WHERE number = $4")
        .bind_optional(rule.threshold)
        .bind_optional(rule.margin)
        .bind(change_)
        .bind(number_of(person))
        .run();
  }
  record("rule changed", person);
  change.commit();
}

void StoredGallery::set_calibration(const std::optional<Calibration>& calibration) {
  if (calibration && !(std::isfinite(calibration->slope) && std::isfinite(calibration->offset)))
    throw Error(ErrorCode::kInput, "a calibration must be two finite numbers");
  require_writable();
  std::optional<double> slope, offset;
  if (calibration) slope = calibration->slope, offset = calibration->offset;
  Change change(*this);
  Statement(*database_, "UPDATE gallery SET calibration_slope = $1, calibration_offset = $2")
      .bind_optional(slope)
      .bind_optional(offset)
      .run();
  record("calibrated", "");
  change.commit();
}

FaceCrop StoredGallery::crop(std::int64_t embedding) const {
  Statement row(*database_, "SELECT picture, landmarks FROM crops WHERE embedding = $1");
  if (!row.bind(embedding).step()) return {};
  const std::span<const std::uint8_t> picture = row.blob(0);
  return {{picture.begin(), picture.end()}, decode_points(row.blob(1))};
}

void StoredGallery::set_crop(std::int64_t embedding, const FaceCrop& crop) {
  require_writable();
  require_crop(crop);
  Change change(*this);
  person_of(embedding);  // it must be there
  Statement(*database_, "DELETE FROM crops WHERE embedding = $1").bind(embedding).run();
  insert_crop(embedding, crop);
  change.commit();
}

void StoredGallery::insert_crop(std::int64_t embedding, const FaceCrop& crop) {
  const std::vector<std::uint8_t> landmarks = encode_points(crop.landmarks);
  Statement(*database_, "INSERT INTO crops(embedding, picture, landmarks) VALUES ($1, $2, $3)")
      .bind(embedding)
      .bind(crop.picture)
      .bind(landmarks)
      .run();
}

// Whoever follows the gallery reads everything again: none of the old numbers is known any more.
void StoredGallery::replace_model(const ModelFingerprint& model,
                                  std::span<const Replacement> vectors) {
  require_writable();
  require_plausible(model);
  Change change(*this);
  if (database_->number("SELECT count(*) FROM embeddings") !=
      static_cast<std::int64_t>(vectors.size()))
    throw Error(ErrorCode::kInput, "another model's embeddings must be there for every embedding");
  for (const Replacement& replacement : vectors) {
    if (replacement.values.size() != static_cast<std::size_t>(model.dimensions))
      throw Error(ErrorCode::kInput, "an embedding of " + describe(model) + " cannot have " +
                                         std::to_string(replacement.values.size()) + " numbers");
    const std::vector<float> unit = to_unit_length(replacement.values);
    Statement updated(*database_,
                      "UPDATE embeddings SET vector = " + database_->vector_parameter("$1") +
                          ", changed = $2 WHERE id = $3 AND changed <> $4 RETURNING id");
    updated.bind_vector(unit).bind(change_).bind(replacement.embedding).bind(change_);
    if (!updated.step())
      throw Error(ErrorCode::kInput, "embedding " + std::to_string(replacement.embedding) +
                                         " is not there, or was given twice");
    updated.run();
  }
  bind_model(model);
  database_->execute(
      "UPDATE gallery SET calibration_slope = NULL, calibration_offset = NULL, "
      "threshold = NULL, margin = NULL");
  database_->execute("UPDATE persons SET threshold = NULL, margin = NULL");
  database_->execute("DELETE FROM removed");
  Statement(*database_, "DELETE FROM changes WHERE number <> $1").bind(change_).run();
  record("model changed", "");
  change.commit();
  if (!is_database_url(database_->name())) remove_index_file(database_->name());
}

void StoredGallery::begin() {
  if (grouped_)
    throw Error(ErrorCode::kFailed, "Gallery::begin: a group of changes is open already");
  require_writable();
  database_->begin(Database::Kind::kWrite);
  try {
    change_ = next_change();
  } catch (...) {
    database_->execute("ROLLBACK");
    throw;
  }
  grouped_ = true;
}

void StoredGallery::commit() {
  if (!grouped_) throw Error(ErrorCode::kFailed, "Gallery::commit: no group of changes is open");
  if (!database_->in_transaction()) {
    grouped_ = false;
    database_->fail("has undone this group of changes after an earlier failure. Begin again");
  }
  database_->announce(change_);
  database_->execute("COMMIT");
  grouped_ = false;
  wipe_removed(kReaderPatience);
}

void StoredGallery::rollback() {
  if (!grouped_) throw Error(ErrorCode::kFailed, "Gallery::rollback: no group of changes is open");
  grouped_ = false;
  if (database_->in_transaction()) database_->execute("ROLLBACK");
}

// Of equal name: who is there already keeps the own rule, or none. Returns the id.
std::string StoredGallery::import_person(const Person& person) {
  const std::vector<Person> found = find_by_name(person.name);
  if (!found.empty()) return found.front().id;
  if (!is_time(person.created))
    throw Error(ErrorCode::kGallery, "\"" + person.name +
                                         "\" cannot be imported: expected a time like "
                                         "2026-01-31T23:59:59Z since when the person is known");
  const std::string id = insert_person(person.name, person.created).id;
  if (person.rule != OwnRule{}) set_rule(id, person.rule);
  return id;
}

// What the gallery has set itself stays. A calibration is a model's.
void StoredGallery::import_settings(const GalleryHead& head) {
  const OwnRule own = rule();
  const OwnRule wanted{own.threshold ? own.threshold : head.rule.threshold,
                       own.margin ? own.margin : head.rule.margin,
                       own.compare ? own.compare : head.rule.compare};
  if (wanted != own) set_rule("", wanted);
  if (head.model && head.calibration && !calibration()) set_calibration(head.calibration);
}

// Read once for all that is compared with them: the database has no index by vectors, and would
// look through all of the person's for each.
std::set<std::vector<float>> StoredGallery::vectors_of(const std::string& person) const {
  const std::optional<ModelFingerprint> model = fingerprint();
  std::vector<float> values(model ? static_cast<std::size_t>(model->dimensions) : 0);
  Statement rows(*database_, "SELECT " + database_->vector_column("vector") +
                                 " FROM embeddings WHERE person = $1");
  rows.bind(number_of(person));
  std::set<std::vector<float>> vectors;
  while (rows.step())
    if (rows.vector(0, values)) vectors.insert(values);  // check() names what is not sound
  return vectors;
}

// Importing twice changes nothing: an embedding that the person has already is not added again.
int StoredGallery::import_from(GalleryContents& contents) {
  // Of persons, what they have. Rows of one person mostly follow each other, so that forgetting it
  // all costs little.
  struct Known {
    std::string id;
    std::set<std::vector<float>> vectors;
  };
  constexpr std::size_t kMostKnown = 100'000;  // vectors
  require_writable();
  Change change(*this);
  const GalleryHead& head = contents.head();
  if (head.model) require_model(*head.model);
  // Whoever is known already is to be judged as before.
  if (database_->number("SELECT count(*) FROM persons") == 0) import_settings(head);
  const std::optional<ModelFingerprint> model = fingerprint();
  std::map<std::string, Known> known;
  std::size_t vectors = 0;
  int added = 0;
  for (ExchangedRow row; contents.next(row);) {
    make_importable(row, model);
    auto person = known.find(row.person.name);
    if (person == known.end()) {
      if (vectors > kMostKnown) vectors = 0, known.clear();
      const std::string id = import_person(row.person);
      person = known.emplace(row.person.name, Known{id, vectors_of(id)}).first;
      vectors += person->second.vectors.size() + 1;
    }
    if (!row.embedding || !person->second.vectors.insert(row.embedding->values).second) continue;
    ++vectors;
    const std::int64_t id = insert_embedding(person->second.id, *row.embedding);
    if (!row.embedding->crop.picture.empty()) insert_crop(id, row.embedding->crop);
    ++added;
  }
  change.commit();
  return added;
}

std::vector<AuditEntry> StoredGallery::audit() const {
  Statement rows(*database_, "SELECT time, program, action, person FROM audit ORDER BY number");
  std::vector<AuditEntry> entries;
  while (rows.step()) entries.push_back({rows.text(0), rows.text(1), rows.text(2), rows.text(3)});
  return entries;
}

std::vector<std::string> StoredGallery::check() const {
  std::vector<std::string> problems;
  try {
    const Transaction snapshot(*database_, Database::Kind::kRead);
    problems = database_->integrity();
    check_contents(problems);
  } catch (const Error& error) {
    problems.emplace_back(error.what());
  }
  return problems;
}

void StoredGallery::check_contents(std::vector<std::string>& problems) const {
  Statement names(*database_, "SELECT number, name, created FROM persons ORDER BY number");
  while (names.step()) {
    const std::string where = "person " + std::to_string(names.integer(0)) + ": ";
    try {
      if (clean_name(names.text(1)) != names.text(1))
        problems.push_back(where + "its name is not trimmed, or not composed");
    } catch (const Error& error) {
      problems.push_back(where + error.what());
    }
    if (!is_time(names.text(2))) problems.push_back(where + "its time is none");
  }
  const std::optional<ModelFingerprint> model = fingerprint();
  check_embeddings(model ? model->dimensions : 0, problems);

  Statement removals(*database_, "SELECT removals - wiped FROM gallery");
  if (removals.step() && removals.integer(0) != 0) {
    problems.push_back(
        "the bytes of removed persons are still stored, because another program was reading; the "
        "next change, or opening the gallery for one, wipes them");
  }
}

void StoredGallery::check_embeddings(int dimensions, std::vector<std::string>& problems) const {
  std::vector<float> values(static_cast<std::size_t>(dimensions));
  Statement rows(*database_,
                 "SELECT id, " + database_->vector_column("vector") +
                     ", source, created, jpeg FROM embeddings "
                     "LEFT JOIN thumbnails ON embedding = id ORDER BY id",
                 Database::Reading::kStream);
  while (rows.step()) {
    const std::string where = "embedding " + std::to_string(rows.integer(0)) + ": ";
    if (!rows.vector(1, values))
      problems.push_back(where + "its vector is not one of unit length with " +
                         std::to_string(dimensions) + " numbers");
    if (!is_time(rows.text(3))) problems.push_back(where + "its time is none");
    try {
      require_source(rows.text(2));
      require_thumbnail(rows.blob(4));
    } catch (const Error& error) {
      problems.push_back(where + error.what());
    }
  }
}

}  // namespace

std::string Gallery::export_json() const { return to_json(document_of(*contents())); }

int Gallery::import_json(const std::string& document) {
  return import_from(*contents_of(from_json(document)));
}

std::unique_ptr<Gallery> Gallery::open(const std::string& location, Mode mode) {
  std::unique_ptr<Database> database;
  if (is_database_url(location))
    database = open_gallery_database(location, mode);
  else
    database = open_gallery_file(location, mode);
  return std::make_unique<StoredGallery>(std::move(database), mode != Mode::kReadOnly);
}

}  // namespace sightline
