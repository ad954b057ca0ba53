// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How good a face recogniser is: pairs that are the same person or not, and probes against enrolled
// people. Only arithmetic is here.
//
// A pair with a picture in which no face was found counts as wrong at every threshold: the same
// person is then never accepted, different persons always.

#pragma once

#include <optional>
#include <span>

namespace sightline {

struct ScoredPair {
  bool same = false;                // whether it is one person
  std::optional<float> similarity;  // none: a picture had no face
};

// All rates are from 0 to 1. What pairs of one kind only cannot say is left out.
struct Verification {
  int pairs = 0;
  int without_face = 0;
  double accuracy = 0;  // at best_threshold
  double accuracy_at_shipped_threshold = 0;
  float best_threshold = 0;  // of those with the best accuracy, the middle of the widest gap
  float shipped_threshold = 0;
  std::optional<double> auc;  // area under the ROC curve; ties count half
  std::optional<double> eer;  // where false accepts and false rejects are equally frequent
  std::optional<double>
      tar_at_far_1e_2;  // true accepts where at most 1 % of strangers are accepted
  std::optional<double> tar_at_far_1e_3;
};

// A pair is accepted where its similarity is at least the threshold.
Verification summarise(std::span<const ScoredPair> pairs, float shipped_threshold);

struct Probe {
  bool known = false;          // its identity was enrolled
  bool has_face = false;       // a face was found in it
  bool nearest_right = false;  // the nearest person is the right one
  bool accepted = false;       // the gallery named somebody
};

// A probe without a face counts as wrong, a stranger's too.
struct Identification {
  int known_probes = 0;
  int unknown_probes = 0;
  int without_face = 0;
  std::optional<double> rank1;             // of the known: the nearest is the right one
  std::optional<double> known_accepted;    // of the known: named, and rightly
  std::optional<double> unknown_rejected;  // of the strangers: nobody was named
};

Identification summarise(std::span<const Probe> probes);

}  // namespace sightline
