// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A gallery's contents as a JSON document, for other programs and for moving persons between
// galleries. docs/gallery.md describes the format.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gallery/gallery.h"

namespace sightline {

// Of a text or an archive that is read at once, in bytes.
inline constexpr std::size_t kLargestDocument = std::size_t{1} << 30;

struct ExchangedEmbedding : StoredEmbedding {
  FaceCrop crop;
};

struct ExchangedPerson {
  Person person;
  std::vector<ExchangedEmbedding> embeddings;
};

struct GalleryDocument {
  std::optional<ModelFingerprint> model;
  std::vector<ExchangedPerson> persons;
  OwnRule rule;  // the gallery's
  std::optional<Calibration> calibration;
};

// Everything in a gallery.
GalleryDocument document_of(const Gallery& gallery);

std::string to_json(const GalleryDocument& document);

// Throws Error(kGallery) that says where in the document what is wrong. What comes back has passed
// all checks that need no gallery: clean names, each once, vectors of unit length and of the
// model's dimensions.
GalleryDocument from_json(const std::string& text);

// The same as JSON Lines: the first says which model it is, each other one has one embedding, in
// base64, with its person. For galleries that are too large for one document. Reading throws
// likewise, with the line.
std::string to_json_lines(const GalleryDocument& document);
GalleryDocument from_json_lines(const std::string& text);

// Whether a text is such lines rather than a document.
bool is_json_lines(const std::string& text);

}  // namespace sightline
