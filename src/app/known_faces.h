// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whose faces are known already, for judging new pictures: what a gallery holds, and what is about
// to be added to it.

#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "gallery/gallery.h"
#include "gallery/person_views.h"

namespace sightline {

// A name of a picture with what it holds, so that the same picture is known again: the name alone,
// "#", and 16 hexadecimal digits of its SHA-256.
std::string source_of(const std::filesystem::path& file, const std::string& hash);
// The hash in such a name; empty if it has none.
std::string hash_in(const std::string& source);
// The hash of a file's bytes as it stands in a source; empty if the file can't be read.
std::string content_hash(const std::filesystem::path& file);

class KnownFaces {
 public:
  KnownFaces() = default;
  // What the gallery holds; nothing if there is none at that path. Throws Error(kGallery).
  explicit KnownFaces(const std::string& gallery);

  const std::optional<ModelFingerprint>& model() const { return model_; }
  std::size_t size() const { return owners_.size(); }  // views

  // Whether the person has a picture with this hash. Names are as they are stored.
  bool has_picture(const std::string& person, const std::string& hash) const;

  struct Resemblance {
    std::string person;
    float similarity;
  };
  // The person other than `person` who has the most similar view; nothing if there is no other.
  std::optional<Resemblance> nearest_other(const std::string& person,
                                           std::span<const float> unit) const;

  std::vector<Embedding> views_of(const std::string& person) const;

  void add(const std::string& person, const Embedding& unit, const std::string& hash);

 private:
  std::optional<ModelFingerprint> model_;
  std::vector<std::string> names_;                          // of persons
  std::map<std::string, std::size_t> numbers_;              // of names
  std::vector<std::size_t> owners_;                         // of rows, into names_
  std::vector<float> rows_;                                 // unit vectors, row-major
  std::set<std::pair<std::size_t, std::string>> pictures_;  // person and hash
};

}  // namespace sightline
