// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a gallery holds, on its way from one place to another: one embedding after another, so that
// a gallery of any size goes through.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "gallery/gallery.h"

namespace sightline {

struct ExchangedEmbedding : StoredEmbedding {
  FaceCrop crop;
};

// What holds for a whole gallery.
struct GalleryHead {
  std::optional<ModelFingerprint> model;
  OwnRule rule;
  std::optional<Calibration> calibration;
};

struct ExchangedRow {
  Person person;                                // `embeddings` is not counted
  std::optional<ExchangedEmbedding> embedding;  // none: of a person who has none
};

class GalleryContents {
 public:
  virtual ~GalleryContents() = default;
  virtual const GalleryHead& head() const = 0;
  // The next one; false: there is none. Of a person who comes again only the name need be there.
  // Throws Error that says where what is wrong.
  virtual bool next(ExchangedRow& row) = 0;
};

struct ExchangedPerson {
  Person person;
  std::vector<ExchangedEmbedding> embeddings;
};

// All of it in memory.
struct GalleryDocument : GalleryHead {
  std::vector<ExchangedPerson> persons;
};
GalleryDocument document_of(GalleryContents& contents);
std::unique_ptr<GalleryContents> contents_of(GalleryDocument document);

// The same contents, of which the first so many bytes have been read before this returns: what is
// wrong in a gallery that is not larger is found before anything is made of it.
inline constexpr std::size_t kReadAhead = std::size_t{256} << 20;
std::unique_ptr<GalleryContents> read_ahead(std::unique_ptr<GalleryContents> contents,
                                            std::size_t bytes = kReadAhead);

}  // namespace sightline
