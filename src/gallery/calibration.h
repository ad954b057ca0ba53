// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a similarity means: how probable it is that two embeddings are of one person.

#pragma once

#include <span>

#include "gallery/gallery.h"

namespace sightline {

// How probable it is that two embeddings of this similarity are of one person: 1 / (1 + exp(−(slope
// · similarity + offset))).
//
// It speaks of two faces that could as well be one person as two: both kinds of pairs weigh equally
// in the fit, however many there were. Of a face that is compared with a whole gallery it says how
// convincing the likeness is, not how likely the name is right: the more strangers there are, the
// more of them look alike.
double probability(const Calibration& calibration, float similarity);

struct LabelledSimilarity {
  float similarity;
  bool same;  // one person
};

// Needed of each kind, since two parameters are to be learnt of what lies near the border.
inline constexpr int kFewestPairs = 20;

// Throws Error(kInput) if there are fewer of a kind.
void require_enough_pairs(long same, long different);

// The most likely curve, with the targets of Platt (1999), who takes no pair as quite certain; so
// there is one where a threshold tells all pairs apart, too. Throws Error(kInput): fewer than
// kFewestPairs of a kind, a similarity that is no number, pairs of one person that are not more
// similar than the others.
Calibration fit_calibration(std::span<const LabelledSimilarity> pairs);

}  // namespace sightline
