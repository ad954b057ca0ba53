// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Known identities: one SQLite file with persons and their embeddings, bound to the model that made
// them, and an index in memory that answers "who is this" exactly.

#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"

namespace sightline {

// What made the embeddings: two galleries can be compared only if these are equal.
struct ModelFingerprint {
  std::string id;    // hash over the model file and its pre-processing, hexadecimal
  std::string name;  // for people: "face-embed"; may differ between equal models
  int dimensions = 0;

  friend bool operator==(const ModelFingerprint& a, const ModelFingerprint& b) {
    return a.id == b.id && a.dimensions == b.dimensions;
  }
};

struct Person {
  std::string id;  // assigned by the gallery, never used again
  std::string name;
  int embeddings = 0;
  std::string created;  // ISO 8601, UTC
};

struct StoredEmbedding {
  std::int64_t id = 0;
  std::string person;
  std::vector<float> values;            // of unit length
  std::string source;                   // name of the picture or clip
  std::string created;                  // ISO 8601, UTC
  std::vector<std::uint8_t> thumbnail;  // JPEG, may be empty
};

struct Decision {
  bool known = false;
  std::string person;            // the nearest person's id, empty if the gallery is empty
  std::string name;              // the nearest person's display name
  float similarity = -1;         // cosine to the nearest person's best embedding
  float second_similarity = -1;  // to the best of any other person
};

// The defaults are the default embedding's: the threshold lies between the equal error rate and the
// best balanced accuracy on pairs of LFW (docs/accuracy.md).
struct DecisionRule {
  float threshold = 0.9847f;  // at least this cosine
  float margin = 0.0005f;     // and at least this much better than the second person

  bool accepts(const Decision& decision) const {
    return !decision.person.empty() && decision.similarity >= threshold &&
           decision.similarity - decision.second_similarity >= margin;
  }
};

// Unit length; a vector that has it already is not touched. Throws Error(kInput) if it is zero or
// not finite.
std::vector<float> to_unit_length(std::span<const float> values);

// One embedding among several of the same face.
struct Vote {
  std::vector<float> unit;  // the embedding, of unit length
  float weight = 1;         // above 0
};

// What several embeddings of a face say together: a person's similarity is the mean, weighted, of
// the similarities that decide() compares.
struct Tally {
  Decision decision;
  std::optional<Decision> held;  // of the person that was asked about; nothing: not in the gallery
  std::uint64_t version = 0;     // of the index that was asked
};

// The file. Methods throw Error(kGallery), naming the file and what to do: not SQLite, of another
// version, damaged, locked, read-only, of another model. Committed is what a method returned from;
// a crash loses nothing of that. One object is for one thread at a time; several objects and
// processes may have one file open.
class Gallery {
 public:
  enum class Mode { kReadOnly, kReadWrite, kCreate };

  static std::unique_ptr<Gallery> open(const std::filesystem::path& path, Mode mode);

  virtual ~Gallery() = default;

  virtual std::optional<ModelFingerprint> fingerprint()
      const = 0;  // none while the gallery is empty and new
  // Binds a new gallery to its model; afterwards throws Error(kGallery) unless `model` is the same.
  virtual void require_model(const ModelFingerprint& model) = 0;

  virtual std::vector<Person> persons() const = 0;
  virtual std::vector<Person> find_by_name(const std::string& name) const = 0;
  virtual std::vector<StoredEmbedding> embeddings(const std::string& person) const = 0;

  virtual Person add_person(const std::string& name) = 0;
  // `values` are normalised to unit length here. Throws Error(kInput) if they are not finite, zero
  // or of another length.
  virtual std::int64_t add_embedding(const std::string& person, std::span<const float> values,
                                     const std::string& source,
                                     std::span<const std::uint8_t> thumbnail) = 0;
  virtual void rename(const std::string& person, const std::string& name) = 0;
  virtual void remove(
      const std::string& person) = 0;  // with its embeddings; nothing of them stays in the file

  // Groups changes: all of them or none.
  virtual void begin() = 0;
  virtual void commit() = 0;
  virtual void rollback() = 0;

  virtual std::string export_json() const = 0;  // everything, thumbnails included
  virtual int import_json(
      const std::string& document) = 0;  // number of embeddings added; all or none
  // Problems found, a line each; empty: sound.
  virtual std::vector<std::string> check() const = 0;

  virtual std::int64_t data_version() const = 0;  // changes when another connection has committed
};

// The index in memory of one gallery file, for searching from many threads. Sees other processes'
// commits: decide() polls the file at most every 250 ms and then swaps in a new index.
class Matcher {
 public:
  // Throws as Gallery::open and require_model do.
  static std::unique_ptr<Matcher> open(const std::filesystem::path& path, DecisionRule rule);

  virtual ~Matcher() = default;
  virtual std::optional<ModelFingerprint> fingerprint() const = 0;
  // `embedding` need not be normalised. Throws Error(kInput) if its length is not the gallery's.
  // If the file has become unreadable the last good index answers, and `problem()` says what is
  // wrong.
  virtual Decision decide(std::span<const float> embedding) = 0;
  // As decide(), of `votes`, of which there is at least one; and what they say of the person whose
  // id is `held`.
  virtual Tally tally(std::span<const Vote> votes, const std::string& held) = 0;
  // Grows when the index is another one; looks for changes as decide() does.
  virtual std::uint64_t version() = 0;
  virtual const DecisionRule& rule() const = 0;
  virtual std::string problem() const = 0;
  virtual int person_count() const = 0;
};

// The k stored vectors with the largest dot product, best first. Exact. `vectors` is row-major,
// count × dimensions.
struct Neighbor {
  std::int64_t index;
  float similarity;
};
std::vector<Neighbor> nearest(std::span<const float> vectors, int dimensions,
                              std::span<const float> query, int k);

}  // namespace sightline
