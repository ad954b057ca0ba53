// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <cmath>
#include <limits>

#include "track/scores.h"

namespace sightline {

namespace {

constexpr int kAlphas = 19;
constexpr double kAlphaStep = 0.05;

// How often each object, each track and each pair of them occurs.
class Occurrences {
 public:
  explicit Occurrences(const ComparedSequence& sequence)
      : objects_(static_cast<std::size_t>(sequence.truth_identities)),
        tracks_(static_cast<std::size_t>(sequence.result_identities)),
        together_(objects_.size(), tracks_.size()) {
    for (const ComparedFrame& frame : sequence.frames) add(frame);
  }

  // How well an object and a track go together over the whole recording, 0 to 1.
  double alignment(int object, int track) const {
    return jaccard(object, track, together_(index(object), index(track)));
  }
  // Of `shared` boxes that they have in common.
  double jaccard(int object, int track, double shared) const {
    const double either = objects_[index(object)] + tracks_[index(track)] - shared;
    return either > 0 ? shared / either : 0;
  }

 private:
  static std::size_t index(int number) { return static_cast<std::size_t>(number); }

  // In a frame, a pair shares its boxes to the degree in which they prefer each other.
  void add(const ComparedFrame& frame) {
    const WeightMatrix& similarity = frame.similarity;
    std::vector<double> of_row(similarity.rows()), of_column(similarity.columns());
    for (std::size_t t = 0; t < similarity.rows(); ++t)
      for (std::size_t r = 0; r < similarity.columns(); ++r) {
        of_row[t] += similarity(t, r);
        of_column[r] += similarity(t, r);
      }
    for (std::size_t t = 0; t < similarity.rows(); ++t)
      for (std::size_t r = 0; r < similarity.columns(); ++r) {
        const double either = of_row[t] + of_column[r] - similarity(t, r);
        if (either > 0)
          together_(index(frame.truth[t]), index(frame.result[r])) += similarity(t, r) / either;
      }
    for (const int object : frame.truth) objects_[index(object)] += 1;
    for (const int track : frame.result) tracks_[index(track)] += 1;
  }

  std::vector<double> objects_;
  std::vector<double> tracks_;
  WeightMatrix together_;
};

struct Match {
  int object;
  int track;
  double similarity;
};

std::vector<Match> match(const ComparedSequence& sequence, const Occurrences& occurrences) {
  std::vector<Match> matches;
  for (const ComparedFrame& frame : sequence.frames) {
    WeightMatrix weights = frame.similarity;
    for (std::size_t t = 0; t < weights.rows(); ++t)
      for (std::size_t r = 0; r < weights.columns(); ++r)
        weights(t, r) *= occurrences.alignment(frame.truth[t], frame.result[r]);
    const std::vector<int> columns = assign(weights);
    for (std::size_t t = 0; t < columns.size(); ++t) {
      if (columns[t] == kUnassigned) continue;
      const auto column = static_cast<std::size_t>(columns[t]);
      matches.push_back({frame.truth[t], frame.result[column], frame.similarity(t, column)});
    }
  }
  return matches;
}

struct Totals {
  std::size_t truth;
  std::size_t result;
};

// Scores at one threshold; LocA goes to `localisation`.
Hota::AtAlpha score(double alpha, const std::vector<Match>& matches, const Totals& totals,
                    const ComparedSequence& sequence, const Occurrences& occurrences,
                    double& localisation) {
  WeightMatrix shared(static_cast<std::size_t>(sequence.truth_identities),
                      static_cast<std::size_t>(sequence.result_identities));
  double count = 0, similarity = 0;
  for (const Match& m : matches) {
    if (m.similarity < alpha - std::numeric_limits<double>::epsilon()) continue;
    shared(static_cast<std::size_t>(m.object), static_cast<std::size_t>(m.track)) += 1;
    similarity += m.similarity;
    ++count;
  }
  double association = 0;
  for (int o = 0; o < sequence.truth_identities; ++o)
    for (int t = 0; t < sequence.result_identities; ++t) {
      const double common = shared(static_cast<std::size_t>(o), static_cast<std::size_t>(t));
      association += common * occurrences.jaccard(o, t, common);
    }
  localisation = count > 0 ? similarity / count : 0;
  Hota::AtAlpha result{alpha};
  const double either = static_cast<double>(totals.truth + totals.result) - count;
  result.detection = count / std::max(1.0, either);
  result.association = association / std::max(1.0, count);
  result.hota = std::sqrt(result.detection * result.association);
  return result;
}

}  // namespace

Hota hota(const ComparedSequence& sequence) {
  const Occurrences occurrences(sequence);
  const std::vector<Match> matches = match(sequence, occurrences);
  const Totals totals{sequence.truth_boxes(), sequence.result_boxes()};
  Hota result;
  for (int i = 1; i <= kAlphas; ++i) {
    double localisation = 0;
    const Hota::AtAlpha at =
        score(i * kAlphaStep, matches, totals, sequence, occurrences, localisation);
    result.by_alpha.push_back(at);
    result.hota += at.hota / kAlphas;
    result.detection += at.detection / kAlphas;
    result.association += at.association / kAlphas;
    result.localisation += localisation / kAlphas;
  }
  return result;
}

}  // namespace sightline
