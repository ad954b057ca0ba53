// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Of each person one vector that all embeddings have a part in, but for those that do not fit.

#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gallery/embedding_index.h"

namespace sightline {

// Of unit length. The embedding that is nearest to half of the others is the centre; what is more
// than 2.5 times as far from it as that half is left out, so that a wrong picture or two among a
// person's are without effect. Of two embeddings none is left out. `embeddings` are of unit length,
// of equally many numbers, and at least one.
std::vector<float> mean_of_fitting(std::span<const std::span<const float>> embeddings);

// Brings the rows of these persons (owners in `embeddings`; each may be there several times) up to
// date in `means`, which has one row for each person that has embeddings.
void update_means(const EmbeddingIndex& embeddings, std::vector<std::uint32_t> persons,
                  EmbeddingIndex& means);

// Of everybody.
EmbeddingIndex means_of(const EmbeddingIndex& embeddings);

}  // namespace sightline
