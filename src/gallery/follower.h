// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Follows the changes of a gallery, for whoever keeps an index of it.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gallery/gallery.h"

namespace sightline {

// For one thread at a time.
class Follower {
 public:
  // Throws as Gallery::open does.
  static std::unique_ptr<Follower> open(const std::string& location);

  virtual ~Follower() = default;

  // What has happened after `version` (Changes::version of what was last applied; 0: everything);
  // nothing if nothing has. The first call may wait for the gallery; later ones never wait, neither
  // for a lock nor for a network. Throws Error(kGallery) while the gallery cannot be read; the
  // calls after that go on with `version` or, where another gallery has taken its place, with
  // everything.
  virtual std::optional<Changes> poll(std::int64_t version) = 0;
};

}  // namespace sightline
