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

// In order of their names. Hidden files and what is neither picture nor video are passed over, as
// are folders without any. Throws Error(kInput): no such folder, nobody in it, a name that no
// person can have, pictures that lie beside the folders and so are nobody's.
std::vector<PersonFolder> read_person_folders(const std::filesystem::path& root);

}  // namespace sightline
