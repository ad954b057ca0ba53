// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/decision_rule.h"

#include <algorithm>
#include <cmath>

namespace sightline {

const char* name_of(Compare compare) { return compare == Compare::kMean ? "mean" : "best"; }

std::optional<Compare> compare_from(std::string_view name) {
  for (const Compare compare : {Compare::kBest, Compare::kMean})
    if (name == name_of(compare)) return compare;
  return std::nullopt;
}

// Of pairs of two persons in LFW 0.57 % reach kPairThreshold, and each 0.0026 more a tenth of these
// (0.1 % at 0.9873, 0.01 % at 0.9900, 0.001 % at 0.9924). A mean has less noise than what it is of:
// everybody is more similar to it, strangers by 0.0005 (docs/accuracy.md).
float gallery_threshold(std::size_t embeddings, Compare compare) {
  constexpr double kAtThreshold = 0.0057, kTenth = 0.0026, kStrangers = 0.01;
  constexpr float kOfMeans = 0.0005f;
  const double decades =
      std::log10(std::max(1.0, static_cast<double>(embeddings) * kAtThreshold / kStrangers));
  const float best = kPairThreshold + static_cast<float>(kTenth * decades);
  return compare == Compare::kMean ? best + kOfMeans : best;
}

}  // namespace sightline
