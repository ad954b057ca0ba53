// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Faces that nobody named, grouped by whose they are.

#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "gallery/person_views.h"

namespace sightline {

// Groups by average linkage: of all groups, each face a group at first, the two with the greatest
// mean similarity between a face of the one and a face of the other become one, as long as that
// mean is at least `limit`. One lucky pair does not join two persons, and no number of groups has
// to be known. Each group lists faces by index, in order; the largest group is first, of equally
// large ones the one with the earliest face. `faces` are of unit length and of equal dimensions.
//
// The result is that of the textbook's algorithm, in time of count² × dimensions and memory of
// count × dimensions: for cosines, the mean of all similarities between two groups is that of their
// mean vectors, so no table of similarities is needed. `progress` is told the share that is done.
std::vector<std::vector<std::size_t>> cluster(std::span<const Embedding> faces, float limit,
                                              const std::function<void(double)>& progress = {});

}  // namespace sightline
