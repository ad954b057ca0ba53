// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Galleries in a PostgreSQL database: opening one, and following one. Where Sightline was built
// without libpq both throw Error(kGallery) that says so.

#pragma once

#include <memory>
#include <string>

#include "gallery/database.h"
#include "gallery/follower.h"
#include "gallery/gallery.h"

namespace sightline {

bool has_gallery_databases();  // whether it was built with libpq

// Opens a gallery, makes sure that it is one and brings it up to this version. Throws as
// Gallery::open promises.
std::unique_ptr<Database> open_gallery_database(const std::string& url, Gallery::Mode mode);

class PostgresDatabase;
// As open_gallery_database() does with a connection that is there.
void prepare_gallery(PostgresDatabase& database, Gallery::Mode mode);

std::unique_ptr<Follower> follow_gallery_database(const std::string& url);

}  // namespace sightline
