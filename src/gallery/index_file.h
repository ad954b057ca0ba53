// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The file beside a large gallery that holds its index, so that opening it reads no row of the
// gallery. It can be deleted at any time: it is made again.

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "gallery/embedding_index.h"
#include "gallery/gallery.h"
#include "gallery/person_table.h"

namespace sightline {

// What an index is an index of.
struct IndexStamp {
  std::string gallery;      // which gallery: of two with one id, one is a copy of the other
  std::int64_t change = 0;  // and after which of its changes
  ModelFingerprint model;
};

struct StoredIndex {
  IndexStamp stamp;
  PersonTable persons;
  EmbeddingIndex index{1};
};

// Below this many embeddings a gallery is read faster than anybody waits, and has no such file.
inline constexpr std::size_t kIndexFileFrom = 20'000;

std::filesystem::path index_file_of(const std::filesystem::path& gallery);

// Replaces the file as a whole, or not at all; its owner alone may read it, and nobody write to it:
// a program that has mapped a file which another one shortens is ended by the system (SIGBUS).
// Nothing of rows or persons that were removed gets into it. Throws Error(kGallery).
void write_index_file(const std::filesystem::path& file, const StoredIndex& stored);

// Maps the file; its pages are read when they are needed, and are checked before. Throws
// Error(kGallery) that says why it is of no use: it is not there, damaged, or of another version.
StoredIndex read_index_file(const std::filesystem::path& file);

// To be called by whoever has removed a person, after that is committed: the file and half-written
// ones are gone. Programs that use the gallery write a new one without that person. A program that
// writes one meanwhile looks afterwards whether the gallery has changed, and removes it. Throws
// Error(kGallery) if it cannot be removed.
void remove_index_file(const std::filesystem::path& gallery);

}  // namespace sightline
