// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/contents.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace sightline {
namespace {

class DocumentContents final : public GalleryContents {
 public:
  explicit DocumentContents(GalleryDocument document) : document_(std::move(document)) {}

  const GalleryHead& head() const override { return document_; }

  bool next(ExchangedRow& row) override {
    for (; person_ < document_.persons.size(); ++person_, embedding_ = 0) {
      ExchangedPerson& exchanged = document_.persons[person_];
      const std::size_t rows = std::max<std::size_t>(exchanged.embeddings.size(), 1);
      if (embedding_ == rows) continue;
      row.person = exchanged.person;
      row.embedding.reset();
      if (!exchanged.embeddings.empty())
        row.embedding = std::move(exchanged.embeddings[embedding_]);
      ++embedding_;
      return true;
    }
    return false;
  }

 private:
  GalleryDocument document_;
  std::size_t person_ = 0, embedding_ = 0;  // the next
};

std::size_t bytes_of(const ExchangedRow& row) {
  std::size_t bytes = sizeof row + row.person.name.size();
  if (row.embedding)
    bytes += row.embedding->values.size() * sizeof(float) + row.embedding->source.size() +
             row.embedding->thumbnail.size() + row.embedding->crop.picture.size();
  return bytes;
}

class AheadContents final : public GalleryContents {
 public:
  AheadContents(std::unique_ptr<GalleryContents> contents, std::size_t bytes)
      : contents_(std::move(contents)) {
    std::size_t read = 0;
    for (ExchangedRow row; read < bytes && contents_->next(row);) {
      read += bytes_of(row);
      rows_.push_back(std::exchange(row, {}));
    }
  }

  const GalleryHead& head() const override { return contents_->head(); }

  bool next(ExchangedRow& row) override {
    if (rows_.empty()) return contents_->next(row);
    row = std::move(rows_.front());
    rows_.pop_front();
    return true;
  }

 private:
  const std::unique_ptr<GalleryContents> contents_;
  std::deque<ExchangedRow> rows_;
};

}  // namespace

GalleryDocument document_of(GalleryContents& contents) {
  GalleryDocument document{contents.head(), {}};
  std::map<std::string, std::size_t> places;
  for (ExchangedRow row; contents.next(row);) {
    const auto [place, is_new] = places.try_emplace(row.person.name, document.persons.size());
    if (is_new) document.persons.push_back({std::move(row.person), {}});
    ExchangedPerson& exchanged = document.persons[place->second];
    if (row.embedding) exchanged.embeddings.push_back(std::move(*row.embedding));
    exchanged.person.embeddings = static_cast<int>(exchanged.embeddings.size());
  }
  return document;
}

std::unique_ptr<GalleryContents> contents_of(GalleryDocument document) {
  return std::make_unique<DocumentContents>(std::move(document));
}

std::unique_ptr<GalleryContents> read_ahead(std::unique_ptr<GalleryContents> contents,
                                            std::size_t bytes) {
  return std::make_unique<AheadContents>(std::move(contents), bytes);
}

}  // namespace sightline
