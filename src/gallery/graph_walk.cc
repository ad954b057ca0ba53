// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/graph_walk.h"

#include <algorithm>
#include <array>
#include <span>

#include "gallery/prefetch.h"

// What is compiled for each target has no vectors in it but shifts by any number of bits and
// products of bytes (outlines.cc): without BMI2, these shifts take as long as all the rest.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gallery/graph_walk.cc"
#define HWY_WANT_AVX3_DL
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

#ifndef SIGHTLINE_LINKS_
#define SIGHTLINE_LINKS_
namespace sightline {
namespace {

// A list of links, which somebody may be writing.
struct LinkList {
  explicit LinkList(const void* list)
      : count(__atomic_load_n(static_cast<const std::uint16_t*>(list), __ATOMIC_ACQUIRE)),
        links(static_cast<const std::uint32_t*>(list) + 1) {}
  std::uint32_t operator[](std::size_t i) const {
    return __atomic_load_n(links + i, __ATOMIC_RELAXED);
  }

  const std::size_t count;
  const std::uint32_t* const links;
};

}  // namespace
}  // namespace sightline
#endif

HWY_BEFORE_NAMESPACE();
namespace sightline::HWY_NAMESPACE {

constexpr std::size_t kBits = 64;

// Adds the places that these links lead to, and that were not seen yet, to the `count` pending
// ones, and asks for their outlines. There is no branch on what was seen, which nobody foretells.
std::size_t AddNeighbors(const std::byte* list, std::size_t places, const std::byte* outlines,
                         std::size_t outline_bytes, std::uint64_t* seen, std::uint32_t* pending,
                         std::size_t count) {
  const LinkList links(list);
  for (std::size_t i = 0; i < links.count; ++i) {
    const std::uint32_t place = links[i];
    if (place >= places) continue;
    const std::uint64_t word = seen[place / kBits];
    seen[place / kBits] = word | std::uint64_t{1} << place % kBits;
    const std::byte* outline = outlines + place * outline_bytes;
    __builtin_prefetch(outline);
    for (std::size_t line = OutlineAxes::kLine; line < outline_bytes; line += OutlineAxes::kLine)
      __builtin_prefetch(outline + line);
    pending[count] = place;
    count += ~(word >> place % kBits) & 1;
  }
  return count;
}

}  // namespace sightline::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline {

HWY_EXPORT(AddNeighbors);

namespace {

constexpr std::size_t kBits = 64;
// So many places are looked around at once: memory answers more requests in the same time. More
// would be looked around for nothing, and no sooner.
constexpr std::size_t kAtOnce = 4;
// Times as far as the way in, if that is farther than usual: what is kept in the end is nearer.
constexpr float kReach = 2;

// What hnswlib's own search does, one neighbour after the other, waits for memory most of the time.
// This asks for all neighbours of the next places before it compares those that it asked for
// before.
class Walk {
 public:
  Walk(const GraphView& graph, const OutlineQuery& query)
      : graph_(graph),
        query_(query),
        seen_(cleared(graph.places / kBits + 1)),
        pending_(kAtOnce * graph.most_links + 1),
        distances_(pending_.size()) {
    for (const std::uint32_t place : graph.hidden)
      if (place < graph.places) set_seen(place);
  }

  std::vector<NearestPlaces::Place> find(std::size_t width) {
    const NearestPlaces::Place way_in = descend();
    NearestPlaces nearest(width, std::max(query_.usual, kReach * way_in.distance));
    std::size_t pending = 0;
    if (is_seen(way_in.number)) {  // hidden: the way leads over it all the same
      pending = add_neighbors(way_in.number, 0);
    } else {
      nearest.offer(way_in);
      set_seen(way_in.number);
    }
    for (;;) {
      std::array<std::uint32_t, kAtOnce> around;
      std::size_t count = 0;
      for (; count < kAtOnce && nearest.take(around[count]); ++count)
        prefetch(lowest_links(around[count]), list_bytes());
      compare(pending, nearest);
      if (count == 0 && pending == 0) break;
      pending = 0;
      for (std::size_t i = 0; i < count; ++i) pending = add_neighbors(around[i], pending);
    }
    return nearest.sorted();
  }

 private:
  std::size_t list_bytes() const { return (1 + graph_.most_links) * sizeof(std::uint32_t); }

  // Kept by each thread: a hundred kilobytes that are given back and asked for again are other
  // pages each time, which the system has to clear.
  static std::vector<std::uint64_t>& cleared(std::size_t words) {
    thread_local std::vector<std::uint64_t> kept;
    kept.assign(words, 0);
    return kept;
  }
  const std::byte* lowest_links(std::uint32_t place) const {
    return graph_.nodes + place * graph_.node_bytes;
  }
  std::size_t add_neighbors(std::uint32_t place, std::size_t pending) {
    return HWY_DYNAMIC_DISPATCH(AddNeighbors)(lowest_links(place), graph_.places, graph_.outlines,
                                              query_.bytes.size(), seen_.data(), pending_.data(),
                                              pending);
  }
  const char* upper_links(std::uint32_t place, int level) const {
    return graph_.upper[place] + static_cast<std::size_t>(level - 1) * graph_.upper_bytes;
  }
  void set_seen(std::uint32_t place) { seen_[place / kBits] |= std::uint64_t{1} << place % kBits; }
  bool is_seen(std::uint32_t place) const {
    return (seen_[place / kBits] >> place % kBits & 1) != 0;
  }

  // Where the levels above the lowest lead to.
  NearestPlaces::Place descend() {
    NearestPlaces::Place at{query_.usual, graph_.way_in};
    if (!is_seen(at.number))
      outline_distances(query_, graph_.outlines, {&at.number, 1}, {&at.distance, 1});
    for (int level = graph_.top_level; level > 0; --level) {
      for (bool nearer = true; nearer;) {
        nearer = false;
        const std::size_t count = ask_for_upper(LinkList(upper_links(at.number, level)));
        const std::span<const std::uint32_t> places = std::span(pending_).first(count);
        outline_distances(query_, graph_.outlines, places, distances_);
        for (std::size_t i = 0; i < count; ++i) {
          if (!(distances_[i] < at.distance)) continue;
          at = {distances_[i], places[i]};
          nearer = true;
        }
      }
    }
    return at;
  }

  // Makes the places that these links lead to the pending ones; returns how many they are.
  std::size_t ask_for_upper(const LinkList& links) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < links.count; ++i) {
      const std::uint32_t place = links[i];
      if (place >= graph_.places || is_seen(place)) continue;  // none, or hidden
      prefetch(graph_.outlines + place * query_.bytes.size(), query_.bytes.size());
      pending_[count++] = place;
    }
    return count;
  }

  void compare(std::size_t pending, NearestPlaces& nearest) {
    outline_distances(query_, graph_.outlines, std::span(pending_).first(pending), distances_);
    for (std::size_t i = 0; i < pending; ++i)
      if (distances_[i] <= nearest.limit()) nearest.offer({distances_[i], pending_[i]});
  }

  const GraphView& graph_;
  const OutlineQuery& query_;
  std::vector<std::uint64_t>& seen_;    // a bit for each place
  std::vector<std::uint32_t> pending_;  // to be compared
  std::vector<float> distances_;        // of those
};

}  // namespace

std::vector<NearestPlaces::Place> walk(const GraphView& graph, const OutlineQuery& query,
                                       std::size_t width) {
  return Walk(graph, query).find(width);
}

}  // namespace sightline
#endif
