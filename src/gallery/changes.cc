// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/changes.h"

#include <span>
#include <string>
#include <unordered_map>

#include "gallery/gallery_file.h"

namespace sightline {
namespace {

using Numbers = std::unordered_map<std::int64_t, std::uint32_t>;  // of persons, to their places

std::optional<float> optional_float(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return static_cast<float>(row.real(column));
}

bool is_known(const Database& database, std::int64_t version) {
  Statement known(database, "SELECT number FROM changes WHERE number = $1");
  return version > 0 && known.bind(version).step();
}

Numbers read_persons(const Database& database, std::int64_t version, Changes& changes) {
  const std::string all = std::string("SELECT p.number, ") + kPersonColumns + " FROM persons p ";
  const std::string some =
      "WHERE p.changed > $1 OR p.number IN "
      "(SELECT e.person FROM embeddings e WHERE e.changed > $2) ";
  Statement rows(database, all + (changes.complete ? "" : some) + "ORDER BY p.number");
  if (!changes.complete) rows.bind(version).bind(version);
  Numbers numbers;
  while (rows.step()) {
    numbers.emplace(rows.integer(0), static_cast<std::uint32_t>(changes.persons.size()));
    changes.persons.push_back(read_person(database, rows, 1));
  }
  return numbers;
}

void read_rows(const Database& database, std::int64_t version, const Numbers& numbers,
               Changes& changes) {
  const auto dimensions = static_cast<std::size_t>(changes.model ? changes.model->dimensions : 0);
  if (changes.complete) {
    const auto count = static_cast<std::size_t>(database.number("SELECT count(*) FROM embeddings"));
    changes.added.reserve(count);
    changes.vectors.reserve(count * dimensions);
  }
  Statement rows(database,
                 "SELECT id, person, " + database.vector_column("vector") + " FROM embeddings " +
                     (changes.complete ? "" : "WHERE changed > $1 ") + "ORDER BY id",
                 Database::Reading::kStream);
  if (!changes.complete) rows.bind(version);
  while (rows.step()) {
    const std::size_t end = changes.vectors.size();
    changes.vectors.resize(end + dimensions);
    const auto person = numbers.find(rows.integer(1));
    if (person == numbers.end() || dimensions == 0 ||
        !rows.vector(2, std::span(changes.vectors).subspan(end))) {
      database.fail_damaged(": embedding " + std::to_string(rows.integer(0)) + " is not sound");
    }
    changes.added.push_back({rows.integer(0), person->second});
  }
}

void read_removed(const Database& database, std::int64_t version, Changes& changes) {
  Statement rows(database, "SELECT embedding, person FROM removed WHERE change > $1");
  rows.bind(version);
  while (rows.step()) {
    if (!rows.is_null(0)) changes.removed.push_back(rows.integer(0));
    if (!rows.is_null(1)) changes.removed_persons.push_back(rows.text(1));
  }
}

}  // namespace

Person read_person(const Database& database, const Statement& row, int first) {
  Person person{row.text(first),
                row.text(first + 1),
                0,
                row.text(first + 2),
                {optional_float(row, first + 3), optional_float(row, first + 4)}};
  if (!is_utf8(person.id) || !is_utf8(person.name))
    database.fail("is damaged: a person's name is not UTF-8. Restore a backup");
  return person;
}

std::string embedding_columns(const Database& database) {
  return "e.id, " + database.vector_column("e.vector") + ", e.source, e.created";
}

StoredEmbedding read_embedding(const Database& database, const Statement& row, int first,
                               const std::optional<ModelFingerprint>& model) {
  StoredEmbedding embedding{row.integer(first),  {}, {}, row.text(first + 2),
                            row.text(first + 3), {}};
  embedding.values.resize(model ? static_cast<std::size_t>(model->dimensions) : 0);
  if (!row.vector(first + 1, embedding.values) || !is_utf8(embedding.source) ||
      !is_time(embedding.created))
    database.fail_damaged(": embedding " + std::to_string(embedding.id) + " is not sound");
  return embedding;
}

std::optional<ModelFingerprint> read_fingerprint(const Database& database) {
  Statement row(database, "SELECT model_id, model_name, dimensions FROM gallery");
  if (!row.step() || row.is_null(0)) return std::nullopt;
  const std::int64_t dimensions = row.integer(2);
  ModelFingerprint model{row.text(0), row.text(1), 0};
  if (dimensions < 1 || dimensions > kMaxDimensions || !is_utf8(model.id) || !is_utf8(model.name))
    database.fail("is damaged: what it says about its model makes no sense. Restore a backup");
  model.dimensions = static_cast<int>(dimensions);
  return model;
}

OwnRule read_rule(const Database& database) {
  Statement row(database, "SELECT threshold, margin, compare FROM gallery");
  if (!row.step()) return {};
  OwnRule rule{optional_float(row, 0), optional_float(row, 1)};
  if (row.is_null(2)) return rule;
  rule.compare = compare_from(row.text(2));
  if (!rule.compare)
    database.fail_damaged(": what a face is compared with is \"" + valid_utf8(row.text(2)) +
                          "\", expected best or mean");
  return rule;
}

std::optional<Calibration> read_calibration(const Database& database) {
  Statement row(database, "SELECT calibration_slope, calibration_offset FROM gallery");
  if (!row.step() || row.is_null(0) || row.is_null(1)) return std::nullopt;
  return Calibration{row.real(0), row.real(1)};
}

Changes read_changes(const Database& database, std::int64_t version) {
  const Transaction snapshot(database, Database::Kind::kRead);
  Changes changes;
  changes.version = database.number("SELECT change FROM gallery");
  changes.gallery = database.text("SELECT identity FROM gallery");
  changes.model = read_fingerprint(database);
  changes.rule = read_rule(database);
  changes.calibration = read_calibration(database);
  changes.complete = !is_known(database, version);
  const Numbers numbers = read_persons(database, version, changes);
  read_rows(database, version, numbers, changes);
  if (!changes.complete) read_removed(database, version, changes);
  return changes;
}

}  // namespace sightline
