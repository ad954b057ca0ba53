// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The commands of `sightline gallery`, by what they are about. Each add_…() describes some to
// `gallery`, which is that command, as those of commands.h do to the program.

#pragma once

#include <string>

#include "app/commands.h"
#include "app/json_text.h"
#include "gallery/gallery.h"

namespace sightline {

void add_gallery_review(CLI::App& gallery, Action& action);  // check, merge, set-threshold
void add_gallery_cluster(CLI::App& gallery, const Installation& installation, Action& action);
void add_gallery_index(CLI::App& gallery, Action& action);  // index
void add_gallery_exchange(CLI::App& gallery, const Installation& installation, Action& action);
void add_gallery_rebuild(CLI::App& gallery, const Installation& installation, Action& action);

// What they have in common.
struct GalleryTarget {
  std::string gallery = kDefaultGallery;
  bool json = false;
};
// --gallery and --json.
void add_target(CLI::App& command, GalleryTarget& target);

// The person with this name or id. Throws Error(kNotFound).
Person find_person(const Gallery& gallery, const std::string& text);

Json to_json(const Person& person);

}  // namespace sightline
