// SPDX-License-Identifier: LGPL-2.1-or-later
//
// By which rule an embedding is taken for a person's.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace sightline {

// From which similarity on two embeddings are taken for one person's, if they may as well be two
// persons'. It is the default embedding's, and lies between the equal error rate and the best
// balanced accuracy on pairs of LFW (docs/accuracy.md).
inline constexpr float kPairThreshold = 0.9847f;

// With what of a person an embedding is compared.
enum class Compare {
  kBest,  // with each embedding of the person; the most similar counts
  kMean,  // with the mean of those that fit together (person_means.h)
};

const char* name_of(Compare compare);  // "best", "mean"
std::optional<Compare> compare_from(std::string_view name);

// From which similarity on an embedding is somebody's of a gallery of so many embeddings. The more
// there are, the more strangers resemble one of them by accident: at this threshold about a
// hundredth do. kPairThreshold in a gallery of one.
float gallery_threshold(std::size_t embeddings, Compare compare = Compare::kBest);

// What a person, or the whole gallery, asks for instead of the DecisionRule of whoever decides.
struct OwnRule {
  std::optional<float> threshold;
  std::optional<float> margin;
  std::optional<Compare> compare{};  // of a gallery; a person has none

  friend bool operator==(const OwnRule&, const OwnRule&) = default;
};

// The margin is the default embedding's.
struct DecisionRule {
  std::optional<float> threshold;  // at least this cosine; nothing: gallery_threshold()
  float margin = 0.0005f;          // and at least this much better than the second person
  std::optional<Compare> compare;  // nothing: what the gallery says, else kBest
  std::size_t candidates = 0;      // of the nearest persons that a Decision lists
};

}  // namespace sightline
