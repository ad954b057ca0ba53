// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/person_folders.h"

#include <algorithm>

#include "app/input.h"
#include "core/error.h"
#include "gallery/gallery_file.h"

namespace sightline {

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().front() != '.') entries.push_back(entry.path());
  if (error) throw Error(ErrorCode::kInput, folder.string() + ": " + error.message() + ".");
  std::ranges::sort(entries);
  return entries;
}

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> files;
  for (const fs::path& entry : entries_of(folder)) {
    std::error_code ignored;
    if (fs::is_regular_file(entry, ignored) && holds_video_or_picture(entry))
      files.push_back(entry.string());
  }
  return files;
}

std::string name_of(const fs::path& folder) {
  try {
    return clean_name(folder.filename().string());
  } catch (const Error& error) {
    throw Error(ErrorCode::kInput, folder.string() + ": no person can be called that: " +
                                       error.what() + ". Rename the folder.");
  }
}

}  // namespace

std::vector<PersonFolder> read_person_folders(const fs::path& root) {
  std::vector<PersonFolder> persons;
  for (const fs::path& entry : entries_of(root)) {
    std::error_code ignored;
    if (!fs::is_directory(entry, ignored)) {
      if (!holds_video_or_picture(entry)) continue;
      throw Error(ErrorCode::kInput,
                  entry.string() +
                      ": whose picture is this? Each person needs a folder of that name: " +
                      (root / "NAME" / entry.filename()).string() +
                      "; for one person say: sightline enroll NAME IMAGE...");
    }
    PersonFolder person{name_of(entry), files_in(entry)};
    if (!person.files.empty()) persons.push_back(std::move(person));
  }
  if (persons.empty())
    throw Error(ErrorCode::kInput, root.string() +
                                       ": no pictures of persons in this folder. Expected a folder "
                                       "for each person: " +
                                       (root / "NAME" / "1.jpg").string());
  return persons;
}

}  // namespace sightline
