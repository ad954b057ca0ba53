// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/person_folders.h"

#include <algorithm>
#include <utility>

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

void take_folder(const fs::path& folder, PersonFolders& found) {
  std::string name;
  try {
    name = clean_name(folder.filename().string());
  } catch (const Error& error) {
    found.refused.push_back(
        {folder.string(), "no-name",
         std::string("no person can be called that: ") + error.what() + ". Rename the folder."});
    return;
  }
  try {
    PersonFolder person{std::move(name), files_in(folder)};
    if (!person.files.empty()) found.persons.push_back(std::move(person));
  } catch (const Error& error) {  // it may not be read
    found.refused.push_back({folder.string(), "unreadable", error.what()});
  }
}

void take_file(const fs::path& root, const fs::path& file, PersonFolders& found) {
  if (!holds_video_or_picture(file)) return;
  found.refused.push_back({file.string(), "nobodys",
                           "whose picture is this? Each person needs a folder of that name: " +
                               (root / "NAME" / file.filename()).string() +
                               "; for one person say: sightline enroll NAME IMAGE..."});
}

}  // namespace

PersonFolders read_person_folders(const fs::path& root) {
  PersonFolders found;
  for (const fs::path& entry : entries_of(root)) {
    std::error_code ignored;
    if (fs::is_directory(entry, ignored))
      take_folder(entry, found);
    else
      take_file(root, entry, found);
  }
  if (found.persons.empty() && found.refused.empty())
    throw Error(ErrorCode::kInput, root.string() +
                                       ": no pictures of persons in this folder. Expected a folder "
                                       "for each person: " +
                                       (root / "NAME" / "1.jpg").string());
  return found;
}

}  // namespace sightline
