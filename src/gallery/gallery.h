// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Known identities: persons and their embeddings, bound to the model that made them, in one SQLite
// file or in a PostgreSQL database, and an index in memory that answers "who is this".

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/geometry.h"
#include "gallery/decision_rule.h"

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

// How likely two embeddings of a similarity are of one person: a logistic function that was fitted
// to pairs (`sightline verify --calibrate`): 1 / (1 + exp(-(slope * similarity + offset))).
struct Calibration {
  double slope = 0;
  double offset = 0;

  friend bool operator==(const Calibration&, const Calibration&) = default;
};

struct Person {
  std::string id;  // assigned by the gallery, never used again
  std::string name;
  int embeddings = 0;
  std::string created;  // ISO 8601, UTC
  OwnRule rule;
};

struct StoredEmbedding {
  std::int64_t id = 0;
  std::string person;
  std::vector<float> values;            // of unit length
  std::string source;                   // name of the picture or clip
  std::string created;                  // ISO 8601, UTC
  std::vector<std::uint8_t> thumbnail;  // JPEG, may be empty
};

// What another model needs to make an embedding of the same face: a picture of it, from which it
// has not been cut so tightly that another alignment would miss something, and where its landmarks
// are.
struct FaceCrop {
  std::vector<std::uint8_t> picture;  // JPEG or PNG; empty: none is kept
  std::vector<Point> landmarks;       // in pixels of `picture`
};

// Who was added, changed or removed. There are no names in it: of a person that is gone the id is
// all that stays.
struct AuditEntry {
  std::string time;     // ISO 8601, UTC
  std::string program;  // "sightline@machine"
  std::string action;   // "added", "picture added", "renamed", "merged", "removed", "forgotten" …
  std::string person;   // id; empty: the whole gallery
};

// What happened in a gallery after a version of it.
struct Changes {
  struct Row {
    std::int64_t id = 0;       // of the embedding
    std::uint32_t person = 0;  // index into `persons`
  };

  std::int64_t version = 0;  // the version that this leads to: what to ask with next
  bool complete = false;     // this is everything, forget what was known before
  std::string gallery;       // drawn when it was made: another gallery has another
  std::optional<ModelFingerprint> model;
  OwnRule rule;  // the gallery's
  std::optional<Calibration> calibration;

  // New ones, changed ones, and those that rows of `added` belong to. `embeddings` is not counted.
  std::vector<Person> persons;
  std::vector<std::string> removed_persons;
  // In order of their ids. An id that is known already: has another person, or another vector, now.
  std::vector<Row> added;
  std::vector<float> vectors;  // row-major, added.size() × dimensions
  // Ids that were perhaps never seen. A removed person's rows are all here, or have moved.
  std::vector<std::int64_t> removed;
};

// One of the persons who are nearest.
struct PersonCandidate {
  std::string person;  // id
  std::string name;
  std::string gallery;  // where the person is stored, as it may be shown
  float similarity = -1;
  std::optional<float> probability;  // that it is this person, in a calibrated gallery
};

struct Decision {
  bool known = false;
  std::string person;                // the nearest person's id, empty if the gallery is empty
  std::string name;                  // the nearest person's display name
  float similarity = -1;             // cosine to the nearest person, as DecisionRule::compare says
  float second_similarity = -1;      // to the best of any other person
  float threshold = -1;              // that holds for this person
  std::optional<float> probability;  // that it is this person, in a calibrated gallery
  std::string gallery;               // where the person is stored, as it may be shown
  std::vector<PersonCandidate> candidates;  // the nearest, best first, as many as were asked for
};

struct MatcherStatistics {
  std::size_t persons = 0;
  std::size_t embeddings = 0;
  std::uint64_t searches = 0;      // embeddings that were compared with the gallery
  double mean_search_seconds = 0;  // of each
  std::string index;  // "exact", "bytes" or "graph": how it is searched (docs/gallery.md)
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

// A location as it may be shown: a password in a URL is left out.
std::string shown_location(const std::string& location);
// Locations in one text, with commas between them; a comma in one has a backslash in front. And
// back.
std::vector<std::string> locations_in(const std::string& list);
std::string list_of_locations(std::span<const std::string> locations);
// Whether a gallery's location is a PostgreSQL database, not a file.
bool is_database_url(const std::string& location);

class GalleryContents;  // contents.h

// A gallery has contents that make no sense.
class DamagedGallery : public Error {
 public:
  explicit DamagedGallery(const std::string& complaint)
      : Error(
            ErrorCode::kGallery,
            complaint + ". See what is wrong with `sightline gallery check`, or restore a backup"),
        complaint_(complaint) {}
  const std::string& complaint() const { return complaint_; }  // without what to do about it

 private:
  std::string complaint_;
};

// Where persons are stored. A location is the path of an SQLite file, or postgresql://…, a database
// of PostgreSQL (docs/gallery.md). Methods throw Error(kGallery), naming the location and what to
// do: not a gallery, of another version, damaged, locked, read-only, out of reach, of another
// model. Committed is what a method returned from; a crash loses nothing of that. One object is for
// one thread at a time; several objects, processes and (with PostgreSQL) machines may share a
// gallery.
class Gallery {
 public:
  enum class Mode { kReadOnly, kReadWrite, kCreate };
  enum class Wiping {
    kDone,     // no byte is left
    kPending,  // somebody else is reading an older state, which keeps the bytes alive
  };

  static std::unique_ptr<Gallery> open(const std::string& location, Mode mode);

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
  virtual void remove_embedding(std::int64_t embedding) = 0;
  // `from` is no more, and its embeddings are `into`'s. Returns how many.
  virtual int merge_persons(const std::string& from, const std::string& into) = 0;
  // remove(), and for some seconds waits for whoever keeps the bytes alive. Not in a group of
  // changes. What is pending is tried again with the next change and when the gallery is opened.
  virtual Wiping forget(const std::string& person) = 0;

  // Own rules take effect in every Matcher of this gallery. An empty `person`: the gallery itself.
  virtual void set_rule(const std::string& person, const OwnRule& rule) = 0;
  virtual OwnRule rule() const = 0;  // the gallery's
  virtual std::optional<Calibration> calibration() const = 0;
  virtual void set_calibration(const std::optional<Calibration>& calibration) = 0;

  virtual FaceCrop crop(std::int64_t embedding) const = 0;  // empty if none is kept
  virtual void set_crop(std::int64_t embedding, const FaceCrop& crop) = 0;
  // Another model's embeddings in the place of all there are, at once; forgets the calibration.
  // Throws Error(kInput) unless `vectors` (of any length but zero) has every embedding once.
  struct Replacement {
    std::int64_t embedding = 0;
    std::vector<float> values;
  };
  virtual void replace_model(const ModelFingerprint& model,
                             std::span<const Replacement> vectors) = 0;

  // Groups changes: all of them or none.
  virtual void begin() = 0;
  virtual void commit() = 0;
  virtual void rollback() = 0;

  // Everything, as it is at this moment; without pictures thumbnails and crops are empty. As long
  // as the result lives, nothing else may be asked of this object, and the bytes of whoever is
  // removed stay.
  enum class Pictures { kIncluded, kLeftOut };
  virtual std::unique_ptr<GalleryContents> contents(
      Pictures pictures = Pictures::kIncluded) const = 0;
  // Adds persons and embeddings that are not there yet; returns how many embeddings. All or none.
  virtual int import_from(GalleryContents& contents) = 0;
  std::string export_json() const;               // contents(), as a document
  int import_json(const std::string& document);  // what export_json() made
  // Problems found, a line each; empty: sound.
  virtual std::vector<std::string> check() const = 0;

  virtual std::int64_t data_version() const = 0;  // changes when another connection has committed
  // What was committed after `version`, which an earlier call returned; 0: everything. Everything
  // also if `version` is unknown here, or older than the log goes back.
  virtual Changes changes_since(std::int64_t version) const = 0;
  virtual std::vector<AuditEntry> audit() const = 0;  // oldest first
};

// The index in memory of a gallery, for searching from many threads. Sees other processes' commits:
// a thread of its own looks for them every 250 ms. The gallery's own rule and a person's take the
// place of `rule`. A gallery's size counts all galleries that are asked together.
class Matcher {
 public:
  // Throws as Gallery::open does.
  static std::unique_ptr<Matcher> open(const std::string& location, DecisionRule rule);
  // Of several galleries the first one that accepts somebody decides; if none does, the nearest
  // person of all is reported. Throws Error(kGallery) unless all are of one model.
  static std::unique_ptr<Matcher> open(std::span<const std::string> locations, DecisionRule rule);

  virtual ~Matcher() = default;
  virtual std::optional<ModelFingerprint> fingerprint() const = 0;
  // `embedding` need not be normalised. Throws Error(kInput) if its length is not the gallery's.
  // If the gallery is out of reach the last good index answers, and `problem()` says what is
  // wrong.
  Decision decide(std::span<const float> embedding);
  // Several in one search, which reads the index once for 32 of them.
  virtual std::vector<Decision> decide_each(std::span<const std::vector<float>> embeddings) = 0;
  // As decide(), of `votes`, of which there is at least one; and what they say of the person whose
  // id is `held`.
  virtual Tally tally(std::span<const Vote> votes, const std::string& held) = 0;
  virtual std::uint64_t version() = 0;  // grows when the index is another one
  virtual float threshold() const = 0;  // now, for persons who have none of their own
  // From which similarity on two views are of one face: what the gallery or the rule says, else
  // kPairThreshold, since no more than two are compared.
  virtual float pair_threshold() const = 0;
  virtual std::string problem() const = 0;  // that the last look at the gallery found; empty: none
  virtual int person_count() const = 0;
  virtual MatcherStatistics statistics() const = 0;
};

}  // namespace sightline
