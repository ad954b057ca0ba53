// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A gallery without end, for imports that something ends.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gallery/contents.h"
#include "scratch.h"

namespace sightline {

// Two embeddings a person, each with a thumbnail and a crop of 20 KB.
class EndlessContents final : public GalleryContents {
 public:
  // Persons are called `name` and a number. `taken` is told how many rows were.
  EndlessContents(const ModelFingerprint& model, std::string name,
                  std::function<void(unsigned)> taken)
      : head_{model, {}, {}}, name_(std::move(name)), taken_(std::move(taken)) {}

  const GalleryHead& head() const override { return head_; }
  bool next(ExchangedRow& row) override {
    constexpr std::size_t kPicture = 20'000;
    row = {};
    row.person.name = name_ + ", person " + std::to_string(rows_ / 2);
    row.person.created = "2026-01-31T23:59:59Z";
    ExchangedEmbedding& embedding = row.embedding.emplace();
    embedding.values = unit_vector(1000 + rows_, head_.model->dimensions);
    embedding.source = marker() + std::to_string(rows_);
    embedding.created = row.person.created;
    embedding.thumbnail = {0xff, 0xd8};
    embedding.thumbnail.resize(kPicture, static_cast<std::uint8_t>(rows_));
    embedding.crop = {embedding.thumbnail, {{1, 2}}};
    taken_(++rows_);
    return true;
  }

  // What all sources begin with.
  static std::string marker() { return "endless-source-"; }

 private:
  const GalleryHead head_;
  const std::string name_;
  const std::function<void(unsigned)> taken_;
  unsigned rows_ = 0;
};

}  // namespace sightline
