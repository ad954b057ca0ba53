// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/stored_contents.h"

#include <string>

#include "gallery/changes.h"
#include "gallery/gallery_file.h"

namespace sightline {
namespace {

// Persons that are read by one statement: few enough for a server to sort what they have at once.
constexpr std::int64_t kPersonsOfAPage = 256;

// Of an embedding, after those of its person, and of its pictures.
constexpr int kEmbedding = kPersonColumnCount;
constexpr int kPictures = kEmbedding + kEmbeddingColumnCount;

std::vector<std::uint8_t> bytes_of(std::span<const std::uint8_t> blob) {
  return {blob.begin(), blob.end()};
}

}  // namespace

StoredContents::StoredContents(const Database& database, Gallery::Pictures pictures)
    : database_(database),
      has_pictures_(pictures == Gallery::Pictures::kIncluded),
      snapshot_(database, Database::Kind::kRead),
      head_{read_fingerprint(database), read_rule(database), read_calibration(database)} {}

bool StoredContents::next(ExchangedRow& row) {
  for (;;) {
    if (!rows_ && !begin_page()) return false;
    if (rows_->step()) {
      read(row);
      return true;
    }
    rows_.reset();
  }
}

bool StoredContents::begin_page() {
  after_ = until_;
  {
    Statement last(database_,
                   "SELECT max(number) FROM (SELECT number FROM persons WHERE number > $1 "
                   "ORDER BY number LIMIT $2) page");
    last.bind(after_).bind(kPersonsOfAPage);
    if (!last.step() || last.is_null(0)) return false;
    until_ = last.integer(0);
  }
  const std::string columns = std::string(kPersonColumns) + ", " + embedding_columns(database_) +
                              (has_pictures_ ? ", t.jpeg, c.picture, c.landmarks" : "");
  const std::string pictures = has_pictures_ ? "LEFT JOIN thumbnails t ON t.embedding = e.id "
                                               "LEFT JOIN crops c ON c.embedding = e.id "
                                             : "";
  rows_.emplace(database_,
                "SELECT " + columns +
                    " FROM persons p LEFT JOIN embeddings e ON e.person = p.number " + pictures +
                    "WHERE p.number > $1 AND p.number <= $2 ORDER BY p.number, e.id",
                Database::Reading::kStream);
  rows_->bind(after_).bind(until_);
  return true;
}

void StoredContents::read(ExchangedRow& row) const {
  row.person = read_person(database_, *rows_, 0);
  row.embedding.reset();
  if (rows_->is_null(kEmbedding)) return;
  row.embedding.emplace(
      ExchangedEmbedding{read_embedding(database_, *rows_, kEmbedding, head_.model), {}});
  if (!has_pictures_) return;
  row.embedding->thumbnail = bytes_of(rows_->blob(kPictures));
  row.embedding->crop = {bytes_of(rows_->blob(kPictures + 1)),
                         decode_points(rows_->blob(kPictures + 2))};
}

}  // namespace sightline
