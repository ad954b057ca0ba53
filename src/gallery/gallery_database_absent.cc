// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/gallery_database.h"

namespace sightline {
namespace {

[[noreturn]] void refuse(const std::string& url) {
  throw Error(ErrorCode::kGallery,
              shown_location(url) +
                  " is a PostgreSQL database, and this Sightline was built without libpq. Build it "
                  "with -Dpostgresql=enabled (Debian: libpq-dev), or use a gallery file");
}

}  // namespace

bool has_gallery_databases() { return false; }

std::unique_ptr<Database> open_gallery_database(const std::string& url, Gallery::Mode) {
  refuse(url);
}

std::unique_ptr<Follower> follow_gallery_database(const std::string& url) { refuse(url); }

}  // namespace sightline
