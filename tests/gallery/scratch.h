// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the gallery's tests are made of: a folder that goes away, processes, embeddings.

#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gallery/contents.h"
#include "gallery/gallery.h"

namespace sightline {

class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return directory_ / name; }
  const std::filesystem::path& path() const { return directory_; }

 private:
  std::filesystem::path directory_;
};

// Runs `work` in another process and waits. Returns its exit status: 0 if `work` returned true, 1
// if false, 2 if it threw; 128 + n if signal n ended it. (Reading a gallery's file by hand needs
// another process too: closing it drops all locks that this process holds on it.)
int in_child(const std::function<bool()>& work);

// Whether the bytes are anywhere in a file, seen from another process.
bool file_has(const std::filesystem::path& file, std::span<const std::uint8_t> bytes);
bool file_has(const std::filesystem::path& file, const std::string& text);

// What the call's Error says; empty if it throws none. `code`, if given, is what it must have.
std::string complaint_of(const std::function<void()>& call);
std::string complaint_of(ErrorCode code, const std::function<void()>& call);

// The same pseudo-random vector of unit length for the same seed.
std::vector<float> unit_vector(unsigned seed, int dimensions);

// A document as JSON Lines, and back.
std::string to_json_lines(const GalleryDocument& document);
GalleryDocument from_json_lines(const std::string& text);

// Runs SQL with SQLite itself, as any other program would.
void raw_sql(const std::filesystem::path& file, const std::string& sql);

inline const ModelFingerprint kModel{"3f2a91bc77d0e412", "face-embed", 16};

// A new gallery of kModel.
std::unique_ptr<Gallery> make_gallery(const std::string& location);

}  // namespace sightline
