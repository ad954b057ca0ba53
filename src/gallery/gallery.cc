// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/gallery.h"

#include <array>
#include <cstdio>
#include <random>
#include <utility>

#include "gallery/exchange.h"
#include "gallery/gallery_file.h"
#include "gallery/sqlite.h"

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

constexpr char kPersonColumns[] =
    "SELECT p.id, p.name, (SELECT count(*) FROM embeddings WHERE person = p.number), p.created "
    "FROM persons p ";

class GalleryFile final : public Gallery {
 public:
  GalleryFile(const std::filesystem::path& path, Mode mode)
      : connection_(open_gallery_file(path, mode)), writable_(mode != Mode::kReadOnly) {
    if (writable_) wipe_removed(0);
  }

  ~GalleryFile() override;

  std::optional<ModelFingerprint> fingerprint() const override {
    return read_fingerprint(*connection_);
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

  void begin() override;
  void commit() override;
  void rollback() override;

  std::string export_json() const override;
  int import_json(const std::string& document) override;
  std::vector<std::string> check() const override;

  std::int64_t data_version() const override { return connection_->number("PRAGMA data_version"); }

 private:
  void require_writable() const;
  void written();
  void wipe_removed(int patience);
  std::int64_t number_of(const std::string& person) const;
  std::vector<Person> read_persons(Statement& rows) const;
  Person insert_person(const std::string& name, const std::string& created);
  std::int64_t insert_embedding(std::int64_t number, const StoredEmbedding& embedding);
  int import_person(const ExchangedPerson& exchanged);
  void check_contents(std::vector<std::string>& problems) const;
  void check_embeddings(int dimensions, std::vector<std::string>& problems) const;

  std::unique_ptr<Connection> connection_;
  bool writable_;
  bool grouped_ = false;  // between begin() and commit()
};

// The log is emptied, even while others have the file open: whoever copies or replaces the file
// then finds everything in it.
GalleryFile::~GalleryFile() {
  if (!writable_ || connection_->in_transaction()) return;
  wipe_removed(0);
  try {
    connection_->set_patience(kReaderPatience);
    connection_->number("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (const std::exception&) {
    // Nothing is lost: the log stays and is read along.
  }
}

// Before every change. A group whose transaction SQLite has ended (a full disk) must not go on as
// single changes.
void GalleryFile::require_writable() const {
  if (!writable_) connection_->fail("was opened for reading only, so it cannot be changed");
  if (grouped_ && !connection_->in_transaction()) {
    connection_->fail("has undone this group of changes after an earlier failure. Begin again");
  }
}

void GalleryFile::written() {
  if (!connection_->in_transaction()) wipe_removed(0);
}

// Deleting rows is not enough: SQLite moves rows when it splits pages and leaves copies in the
// gaps, and the log keeps old pages. So the file is rebuilt and the log emptied. A reader's
// snapshot can prevent that; then the next write, close or opening tries again, as `wiped` says.
void GalleryFile::wipe_removed(int patience) {
  try {
    const std::int64_t removals = connection_->number("SELECT removals FROM gallery");
    if (removals == connection_->number("SELECT wiped FROM gallery")) return;
    connection_->set_patience(patience);
    const auto empty_log = [&] {
      return connection_->number("PRAGMA wal_checkpoint(TRUNCATE)") == 0;
    };
    if (empty_log()) {  // first, so that a failing attempt costs little
      connection_->execute("VACUUM");
      if (empty_log()) {
        Statement(*connection_, "UPDATE gallery SET wiped = ?1 WHERE wiped < ?1")
            .bind(removals)
            .run();
      }
    }
  } catch (const std::exception&) {
    // The removal itself is committed; check() tells that its traces are not wiped yet.
  }
  connection_->set_patience(Connection::kDefaultPatience);
}

std::int64_t GalleryFile::number_of(const std::string& person) const {
  Statement row(*connection_, "SELECT number FROM persons WHERE id = ?");
  if (!row.bind(person).step()) {
    throw Error(ErrorCode::kNotFound, connection_->path().string() +
                                          " has no person with the id \"" + valid_utf8(person) +
                                          "\". `sightline gallery list` shows who is there");
  }
  return row.integer(0);
}

void GalleryFile::require_model(const ModelFingerprint& model) {
  require_plausible(model);
  std::optional<ModelFingerprint> bound = fingerprint();
  if (!bound) {
    require_writable();
    Transaction transaction(*connection_, Transaction::Kind::kWrite);
    bound = fingerprint();  // another process may have been quicker
    if (!bound) {
      Statement(*connection_, "UPDATE gallery SET model_id = ?, model_name = ?, dimensions = ?")
          .bind(model.id)
          .bind(model.name)
          .bind(static_cast<std::int64_t>(model.dimensions))
          .run();
      bound = model;
    }
    transaction.commit();
    written();
  }
  if (*bound == model) return;
  connection_->fail("was made with model " + describe(*bound) + "; this is model " +
                    describe(model) +
                    ". Their embeddings cannot be compared: use that model, or enrol again into a "
                    "new gallery: sightline enroll NAME IMAGE... --gallery NEW.db");
}

std::vector<Person> GalleryFile::read_persons(Statement& rows) const {
  std::vector<Person> persons;
  while (rows.step()) {
    persons.push_back(
        {rows.text(0), rows.text(1), static_cast<int>(rows.integer(2)), rows.text(3)});
    if (!is_utf8(persons.back().id) || !is_utf8(persons.back().name))
      connection_->fail("is damaged: a person's name is not UTF-8. Restore a backup");
  }
  return persons;
}

std::vector<Person> GalleryFile::persons() const {
  Statement rows(*connection_, std::string(kPersonColumns) + "ORDER BY p.number");
  return read_persons(rows);
}

std::vector<Person> GalleryFile::find_by_name(const std::string& name) const {
  const std::string clean = clean_name(name);
  Statement rows(*connection_, std::string(kPersonColumns) + "WHERE p.name = ?");
  rows.bind(clean);
  return read_persons(rows);
}

std::vector<StoredEmbedding> GalleryFile::embeddings(const std::string& person) const {
  const Transaction snapshot(*connection_, Transaction::Kind::kRead);
  const std::int64_t number = number_of(person);
  const std::optional<ModelFingerprint> model = fingerprint();
  Statement rows(*connection_,
                 "SELECT id, vector, source, created, jpeg FROM embeddings "
                 "LEFT JOIN thumbnails ON embedding = id WHERE person = ? ORDER BY id");
  rows.bind(number);
  std::vector<StoredEmbedding> embeddings;
  while (rows.step()) {
    StoredEmbedding embedding{rows.integer(0), person, {}, rows.text(2), rows.text(3), {}};
    embedding.values.resize(model ? static_cast<std::size_t>(model->dimensions) : 0);
    if (!decode_vector(rows.blob(1), embedding.values) || !is_utf8(embedding.source) ||
        !is_time(embedding.created)) {
      connection_->fail("is damaged: embedding " + std::to_string(embedding.id) +
                        " is not sound. See `sightline gallery check`, or restore a backup");
    }
    const std::span<const std::uint8_t> jpeg = rows.blob(4);
    embedding.thumbnail.assign(jpeg.begin(), jpeg.end());
    embeddings.push_back(std::move(embedding));
  }
  return embeddings;
}

Person GalleryFile::insert_person(const std::string& name, const std::string& created) {
  Person person{new_person_id(), name, 0, created};
  Statement(*connection_, "INSERT INTO persons(id, name, created) VALUES (?, ?, ?)")
      .bind(person.id)
      .bind(person.name)
      .bind(person.created)
      .run();
  return person;
}

Person GalleryFile::add_person(const std::string& name) {
  require_writable();
  const std::string clean = clean_name(name);
  Transaction transaction(*connection_, Transaction::Kind::kWrite);
  if (!find_by_name(clean).empty())
    connection_->fail("has a person named \"" + clean +
                      "\" already. Add to that person, or choose "
                      "another name");
  Person person = insert_person(clean, time_now());
  transaction.commit();
  written();
  return person;
}

std::int64_t GalleryFile::insert_embedding(std::int64_t number, const StoredEmbedding& embedding) {
  const std::vector<std::uint8_t> vector = encode_vector(embedding.values);
  Statement(*connection_,
            "INSERT INTO embeddings(person, vector, source, created) VALUES (?, ?, ?, ?)")
      .bind(number)
      .bind(vector)
      .bind(embedding.source)
      .bind(embedding.created)
      .run();
  const std::int64_t id = connection_->last_row();
  if (!embedding.thumbnail.empty()) {
    Statement(*connection_, "INSERT INTO thumbnails(embedding, jpeg) VALUES (?, ?)")
        .bind(id)
        .bind(embedding.thumbnail)
        .run();
  }
  return id;
}

std::int64_t GalleryFile::add_embedding(const std::string& person, std::span<const float> values,
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

  Transaction transaction(*connection_, Transaction::Kind::kWrite);
  const std::optional<ModelFingerprint> model = fingerprint();
  if (!model) connection_->fail("is not bound to a model yet, so it takes no embeddings");
  if (values.size() != static_cast<std::size_t>(model->dimensions)) {
    throw Error(ErrorCode::kInput, "this embedding has " + std::to_string(values.size()) +
                                       " numbers, " + connection_->path().string() +
                                       " is of model " + describe(*model));
  }
  const std::int64_t id = insert_embedding(number_of(person), embedding);
  transaction.commit();
  written();
  return id;
}

void GalleryFile::rename(const std::string& person, const std::string& name) {
  require_writable();
  const std::string clean = clean_name(name);
  Transaction transaction(*connection_, Transaction::Kind::kWrite);
  const std::int64_t number = number_of(person);
  const std::vector<Person> taken = find_by_name(clean);
  if (!taken.empty() && taken.front().id != person)
    connection_->fail("has another person named \"" + clean + "\" (" + taken.front().id +
                      "). Choose another name");
  Statement(*connection_, "UPDATE persons SET name = ? WHERE number = ?")
      .bind(clean)
      .bind(number)
      .run();
  transaction.commit();
  written();
}

void GalleryFile::remove(const std::string& person) {
  require_writable();
  Transaction transaction(*connection_, Transaction::Kind::kWrite);
  Statement(*connection_, "DELETE FROM persons WHERE number = ?").bind(number_of(person)).run();
  connection_->execute("UPDATE gallery SET removals = removals + 1");
  transaction.commit();
  if (!connection_->in_transaction()) wipe_removed(kReaderPatience);
}

void GalleryFile::begin() {
  if (grouped_)
    throw Error(ErrorCode::kFailed, "Gallery::begin: a group of changes is open already");
  require_writable();
  connection_->execute("BEGIN IMMEDIATE");
  grouped_ = true;
}

void GalleryFile::commit() {
  if (!grouped_) throw Error(ErrorCode::kFailed, "Gallery::commit: no group of changes is open");
  if (!connection_->in_transaction()) {
    grouped_ = false;
    connection_->fail("has undone this group of changes after an earlier failure. Begin again");
  }
  connection_->execute("COMMIT");
  grouped_ = false;
  wipe_removed(kReaderPatience);
}

void GalleryFile::rollback() {
  if (!grouped_) throw Error(ErrorCode::kFailed, "Gallery::rollback: no group of changes is open");
  grouped_ = false;
  if (connection_->in_transaction()) connection_->execute("ROLLBACK");
}

std::string GalleryFile::export_json() const {
  const Transaction snapshot(*connection_, Transaction::Kind::kRead);
  GalleryDocument document{fingerprint(), {}};
  for (Person& person : persons()) {
    std::vector<StoredEmbedding> stored = embeddings(person.id);
    document.persons.push_back({std::move(person), std::move(stored)});
  }
  return to_json(document);
}

// Persons of equal name become one; an embedding that the person has already is not added again,
// so that importing twice changes nothing.
int GalleryFile::import_person(const ExchangedPerson& exchanged) {
  std::vector<Person> found = find_by_name(exchanged.person.name);
  if (found.empty())
    found.push_back(insert_person(exchanged.person.name, exchanged.person.created));
  const std::int64_t number = number_of(found.front().id);
  int added = 0;
  for (const StoredEmbedding& embedding : exchanged.embeddings) {
    const std::vector<std::uint8_t> vector = encode_vector(embedding.values);
    Statement same(*connection_, "SELECT 1 FROM embeddings WHERE person = ? AND vector = ?");
    if (same.bind(number).bind(vector).step()) continue;
    insert_embedding(number, embedding);
    ++added;
  }
  return added;
}

int GalleryFile::import_json(const std::string& document) {
  require_writable();
  const GalleryDocument imported = from_json(document);
  Transaction transaction(*connection_, Transaction::Kind::kWrite);
  if (imported.model) require_model(*imported.model);
  int added = 0;
  for (const ExchangedPerson& exchanged : imported.persons) added += import_person(exchanged);
  transaction.commit();
  written();
  return added;
}

std::vector<std::string> GalleryFile::check() const {
  std::vector<std::string> problems;
  try {
    const Transaction snapshot(*connection_, Transaction::Kind::kRead);
    Statement integrity(*connection_, "PRAGMA integrity_check");
    while (integrity.step())
      if (const std::string line = integrity.text(0); line != "ok") problems.push_back(line);
    Statement orphans(*connection_, "PRAGMA foreign_key_check");
    while (orphans.step()) {
      problems.push_back("table " + orphans.text(0) + ", row " +
                         std::to_string(orphans.integer(1)) + ": belongs to no row of " +
                         orphans.text(2));
    }
    check_contents(problems);
  } catch (const Error& error) {
    problems.emplace_back(error.what());
  }
  return problems;
}

void GalleryFile::check_contents(std::vector<std::string>& problems) const {
  Statement names(*connection_, "SELECT number, name, created FROM persons ORDER BY number");
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

  Statement removals(*connection_, "SELECT removals - wiped FROM gallery");
  if (removals.step() && removals.integer(0) != 0) {
    problems.push_back(
        "the bytes of removed persons are still in the file, because another program was reading "
        "it; the next change, or opening it for one, wipes them");
  }
}

void GalleryFile::check_embeddings(int dimensions, std::vector<std::string>& problems) const {
  std::vector<float> values(static_cast<std::size_t>(dimensions));
  Statement rows(*connection_,
                 "SELECT id, vector, source, created, jpeg FROM embeddings "
                 "LEFT JOIN thumbnails ON embedding = id ORDER BY id");
  while (rows.step()) {
    const std::string where = "embedding " + std::to_string(rows.integer(0)) + ": ";
    const std::span<const std::uint8_t> vector = rows.blob(1);
    if (vector.size() != values.size() * sizeof(float)) {
      problems.push_back(where + std::to_string(vector.size()) + " bytes, expected " +
                         std::to_string(values.size() * sizeof(float)));
    } else if (!decode_vector(vector, values)) {
      problems.push_back(where + "its vector is not of unit length");
    }
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

std::unique_ptr<Gallery> Gallery::open(const std::filesystem::path& path, Mode mode) {
  return std::make_unique<GalleryFile>(path, mode);
}

}  // namespace sightline
