// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Several views of one person's face: which of them fit together.

#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sightline {

using Embedding = std::vector<float>;

// Cosine of two embeddings of unit length, which have equally many numbers.
float similarity(std::span<const float> a, std::span<const float> b);

// Which views, by index and in order, do not fit: views are linked where their similarity is at
// least `limit`, and what is not in the largest group of views that hang together is left over. The
// first `settled` views are known to be the person's: if there are any, the group that has most of
// them counts. Of groups of equal size the one that has the earliest view is the person's: who was
// there first stays. `views` are of unit length.
std::vector<std::size_t> misfits(std::span<const Embedding> views, float limit,
                                 std::size_t settled = 0);

}  // namespace sightline
