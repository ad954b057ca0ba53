// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is in a gallery's database, as it is at one moment.

#pragma once

#include <cstdint>
#include <optional>

#include "gallery/contents.h"
#include "gallery/database.h"

namespace sightline {

// Reads in a transaction that lasts as long as this; meanwhile the database is asked nothing else.
// In memory are one embedding and what the database reads ahead.
class StoredContents final : public GalleryContents {
 public:
  StoredContents(const Database& database, Gallery::Pictures pictures);

  const GalleryHead& head() const override { return head_; }
  bool next(ExchangedRow& row) override;

 private:
  bool begin_page();
  void read(ExchangedRow& row) const;

  const Database& database_;
  const bool has_pictures_;
  const Transaction snapshot_;
  const GalleryHead head_;
  std::int64_t after_ = 0, until_ = 0;  // numbers of the persons that are being read
  std::optional<Statement> rows_;       // of these
};

}  // namespace sightline
