// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A search along a graph of neighbours.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gallery/nearest_places.h"
#include "gallery/outlines.h"

namespace sightline {

// A graph as hnswlib keeps it in memory. A list of links is how many there are, in 16 of 32 bits,
// and the places that they lead to. Lists may change meanwhile: a link that leads to no place that
// there was when the walk began is none.
struct GraphView {
  std::size_t places = 0;
  const std::byte* nodes = nullptr;  // of each place, beginning with its links on the lowest level
  std::size_t node_bytes = 0;
  std::size_t most_links = 0;          // on any level
  const char* const* upper = nullptr;  // of each place, the lists of links of levels 1, 2 …
  std::size_t upper_bytes = 0;         // of such a list
  std::uint32_t way_in = 0;            // a place of the top level
  int top_level = 0;
  const std::byte* outlines = nullptr;    // of each place
  std::span<const std::uint32_t> hidden;  // places that are not looked at, and not found
};

// The `width` nearest places that are found, or a few more, nearest first by outlines. There is at
// least one place.
std::vector<NearestPlaces::Place> walk(const GraphView& graph, const OutlineQuery& query,
                                       std::size_t width);

}  // namespace sightline
