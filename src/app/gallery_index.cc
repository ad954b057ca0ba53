// SPDX-License-Identifier: LGPL-2.1-or-later
//
// sightline gallery index: the file that a large gallery is opened with, made before anybody waits.

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "app/exit_status.h"
#include "app/gallery_parts.h"
#include "app/progress.h"
#include "app/standard_output.h"
#include "gallery/index_file.h"
#include "gallery/index_keeper.h"

namespace sightline {

namespace {

std::size_t count_embeddings(const std::string& location) {
  std::size_t count = 0;
  for (const Person& person : Gallery::open(location, Gallery::Mode::kReadOnly)->persons())
    count += static_cast<std::size_t>(person.embeddings);
  return count;
}

// Why there is no index file, or nothing.
std::string make(const GalleryTarget& target) {
  if (is_database_url(target.gallery)) return "a gallery in a database has no index file";
  const std::size_t count = count_embeddings(target.gallery);
  if (count < kIndexFileFrom)
    return "with fewer than " + std::to_string(kIndexFileFrom) + " pictures (it has " +
           std::to_string(count) + ") a gallery has no index file, and is opened at once without";
  ProgressBar progress("index");
  const bool made = make_index_file(target.gallery, [&](std::size_t done, std::size_t all) {
    progress.update(static_cast<double>(done) / static_cast<double>(all), std::to_string(done));
    return true;
  });
  if (made) return "";
  throw Error(ErrorCode::kGallery, target.gallery +
                                       " was changed while its index file was made, so that "
                                       "there is none. Try again when nobody is removed.");
}

int index(const GalleryTarget& target) {
  const std::string none = make(target);
  const std::string file = index_file_of(target.gallery).string();
  if (target.json) {
    Json document = {{"gallery", shown_location(target.gallery)}, {"made", none.empty()}};
    if (none.empty())
      document["file"] = file;
    else
      document["reason"] = none;
    print_line(json_line(document));
  } else {
    print_line(none.empty() ? file + " made" : shown_location(target.gallery) + ": " + none);
  }
  return kSuccess;
}

}  // namespace

void add_gallery_index(CLI::App& gallery, Action& action) {
  const auto target = std::make_shared<GalleryTarget>();
  CLI::App* command = gallery.add_subcommand(
      "index", "Makes the file with which a large gallery is opened at once");
  add_target(*command, *target);
  command->footer(
      "A running pipeline makes that file by itself, which takes minutes for a very large gallery; "
      "until then its searches take longer.");
  command->callback([&action, target] { action = [target] { return index(*target); }; });
}

}  // namespace sightline
