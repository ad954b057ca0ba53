// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What searches take while persons are added to a gallery and removed from it.

#pragma once

#include <cstddef>

#include "drawn_gallery.h"

namespace sightline::bench {

// Of searches, in seconds. A search that gave its core up by itself waited for another thread; one
// that lost it to other threads, on a machine with more of them than cores, did not.
struct SearchFigures {
  double median = 0, p99 = 0, longest = 0;
  double longest_at_work = 0;  // on a processor
  std::size_t count = 0, waited = 0, lost_core = 0;
  double longest_waited = 0;  // of those that waited, from begin to end
};

struct ChangeFigures {
  std::size_t changes = 0;     // rows that were added or removed
  SearchFigures idle, during;  // before, and meanwhile
  double longest_wait = 0;     // for the index to search in
  double seconds = 0;          // that all changes took
};

// Changes the gallery as a program does that follows it (src/gallery/index_keeper.h), by one
// thread, while another searches. The index of `drawn` stays, its graph changes.
ChangeFigures measure_changes(const DrawnGallery& drawn, std::size_t changes);

}  // namespace sightline::bench
