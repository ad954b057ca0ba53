// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/person_views.h"

#include <algorithm>
#include <numeric>

namespace sightline {
namespace {

// Of each view the first view of its group.
std::vector<std::size_t> groups(std::span<const Embedding> views, float limit) {
  std::vector<std::size_t> first(views.size());
  std::iota(first.begin(), first.end(), 0);
  const auto root = [&](std::size_t view) {
    while (first[view] != view) view = first[view] = first[first[view]];
    return view;
  };
  for (std::size_t a = 0; a < views.size(); ++a)
    for (std::size_t b = a + 1; b < views.size(); ++b) {
      const std::size_t of_a = root(a), of_b = root(b);
      if (of_a != of_b && similarity(views[a], views[b]) >= limit)
        first[std::max(of_a, of_b)] = std::min(of_a, of_b);
    }
  for (std::size_t view = 0; view < views.size(); ++view) first[view] = root(view);
  return first;
}

}  // namespace

float similarity(std::span<const float> a, std::span<const float> b) {
  return static_cast<float>(std::inner_product(a.begin(), a.end(), b.begin(), 0.0));
}

std::vector<std::size_t> misfits(std::span<const Embedding> views, float limit,
                                 std::size_t settled) {
  const std::vector<std::size_t> group = groups(views, limit);
  const std::size_t counted = settled > 0 ? std::min(settled, views.size()) : views.size();
  std::vector<std::size_t> sizes(views.size());
  for (std::size_t view = 0; view < counted; ++view) ++sizes[group[view]];
  const auto largest =
      static_cast<std::size_t>(std::ranges::max_element(sizes) - sizes.begin());  // the first
  std::vector<std::size_t> left_over;
  for (std::size_t view = 0; view < views.size(); ++view)
    if (group[view] != largest) left_over.push_back(view);
  return left_over;
}

}  // namespace sightline
