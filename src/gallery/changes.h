// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reading what a gallery is bound to and what has happened in it, whatever database it is in.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gallery/database.h"
#include "gallery/gallery.h"

namespace sightline {

// What read_person() reads from column `first` on, of `persons p`. Does not count embeddings.
inline constexpr char kPersonColumns[] = "p.id, p.name, p.created, p.threshold, p.margin";
inline constexpr int kPersonColumnCount = 5;
// Throws Error(kGallery) if a name is not UTF-8.
Person read_person(const Database& database, const Statement& row, int first);

// What read_embedding() reads from column `first` on, of `embeddings e`.
std::string embedding_columns(const Database& database);
inline constexpr int kEmbeddingColumnCount = 4;
// Without its person and its thumbnail. Throws Error(kGallery) if it makes no sense, or has not as
// many numbers as the model.
StoredEmbedding read_embedding(const Database& database, const Statement& row, int first,
                               const std::optional<ModelFingerprint>& model);

// What the gallery is bound to, none if it is new. Throws Error(kGallery) if it makes no sense.
std::optional<ModelFingerprint> read_fingerprint(const Database& database);
OwnRule read_rule(const Database& database);
std::optional<Calibration> read_calibration(const Database& database);

// As Gallery::changes_since().
Changes read_changes(const Database& database, std::int64_t version);

}  // namespace sightline
