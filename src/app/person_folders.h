// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A folder with a folder for each person: people/Ann Lee/1.jpg.

#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sightline {

struct PersonFolder {
  std::string name;                // of the folder, as names are stored
  std::vector<std::string> files;  // pictures, and whatever else is in it, by name
};

// What lies there and is nobody's.
struct NobodysEntry {
  std::string path;
  const char* reason;  // one word for programs, as docs/gallery.md lists them
  std::string words;   // why, and what to do; without the path
};

struct PersonFolders {
  std::vector<PersonFolder> persons;  // in order of their names
  std::vector<NobodysEntry> refused;  // pictures beside the folders, names that no person can have
};

// Hidden files and what is neither picture nor video are passed over, as are folders without any.
// Throws Error(kInput): no such folder, nothing in it that is of a person or refused.
PersonFolders read_person_folders(const std::filesystem::path& root);

}  // namespace sightline
