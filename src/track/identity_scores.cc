// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <limits>

#include "track/scores.h"

namespace sightline {

namespace {

double ratio(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / std::max(1.0, static_cast<double>(whole));
}

}  // namespace

// Every box of an object beyond those it shares with its track is missing, every other box of the
// track is wrong. So least mistakes means most shared boxes, and is an assignment of objects to
// tracks.
IdentityScores identity_scores(const ComparedSequence& sequence, double threshold) {
  WeightMatrix shared(static_cast<std::size_t>(sequence.truth_identities),
                      static_cast<std::size_t>(sequence.result_identities));
  for (const ComparedFrame& frame : sequence.frames)
    for (std::size_t t = 0; t < frame.truth.size(); ++t)
      for (std::size_t r = 0; r < frame.result.size(); ++r)
        if (frame.similarity(t, r) > 0 &&
            frame.similarity(t, r) >= threshold - std::numeric_limits<float>::epsilon())
          shared(static_cast<std::size_t>(frame.truth[t]),
                 static_cast<std::size_t>(frame.result[r])) += 1;

  IdentityScores scores;
  const std::vector<int> track_of = assign(shared);
  for (std::size_t object = 0; object < track_of.size(); ++object)
    if (track_of[object] != kUnassigned)
      scores.true_positives +=
          static_cast<std::size_t>(shared(object, static_cast<std::size_t>(track_of[object])));
  const std::size_t truth = sequence.truth_boxes(), result = sequence.result_boxes();
  scores.false_negatives = truth - scores.true_positives;
  scores.false_positives = result - scores.true_positives;
  scores.idf1 = ratio(2 * scores.true_positives, truth + result);
  scores.precision = ratio(scores.true_positives, result);
  scores.recall = ratio(scores.true_positives, truth);
  return scores;
}

}  // namespace sightline
