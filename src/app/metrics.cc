// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/metrics.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

namespace sightline {

namespace {

// Cosines lie between -1 and 1; thresholds beyond accept everything or nothing.
constexpr float kAcceptAll = -2;
constexpr float kAcceptNone = 2;

constexpr float kAlways = std::numeric_limits<float>::infinity();

struct Score {
  float value;
  bool same;
};

// How many are accepted by a threshold between `lower` and `upper`, neighbouring scores.
struct RocPoint {
  float upper, lower;
  int true_accepts, false_accepts;

  float gap() const { return upper - lower; }
  float threshold() const { return lower + (upper - lower) / 2; }
};

class RocCurve {
 public:
  explicit RocCurve(std::span<const ScoredPair> pairs) {
    std::vector<Score> scores;
    for (const ScoredPair& pair : pairs) {
      const float wrong = pair.same ? -kAlways : kAlways;
      scores.push_back({pair.similarity.value_or(wrong), pair.same});
      (pair.same ? same_ : different_) += 1;
    }
    std::ranges::sort(scores, std::greater<>(), &Score::value);
    add_points(scores);
  }

  int same() const { return same_; }
  int different() const { return different_; }

  // From accepting nobody to accepting everybody whom a finite threshold can.
  const std::vector<RocPoint>& points() const { return points_; }

  double accuracy(const RocPoint& point) const {
    const int right = point.true_accepts + different_ - point.false_accepts;
    return static_cast<double>(right) / (same_ + different_);
  }
  double true_rate(const RocPoint& point) const {
    return static_cast<double>(point.true_accepts) / same_;
  }
  double false_rate(const RocPoint& point) const {
    return static_cast<double>(point.false_accepts) / different_;
  }

 private:
  void add_points(const std::vector<Score>& scores) {
    int true_accepts = 0, false_accepts = 0;
    std::size_t next = 0;
    float upper = kAcceptNone;
    const auto accept_while = [&](const auto& condition) {
      for (; next < scores.size() && condition(scores[next].value); ++next)
        (scores[next].same ? true_accepts : false_accepts) += 1;
    };
    accept_while([](float value) { return value == kAlways; });
    while (next < scores.size() && scores[next].value != -kAlways) {
      const float score = scores[next].value;
      points_.push_back({upper, score, true_accepts, false_accepts});
      accept_while([score](float value) { return value == score; });
      upper = score;
    }
    points_.push_back({upper, kAcceptAll, true_accepts, false_accepts});
  }

  int same_ = 0, different_ = 0;
  std::vector<RocPoint> points_;
};

const RocPoint& best_point(const RocCurve& curve) {
  return *std::ranges::max_element(curve.points(), {}, [&](const RocPoint& point) {
    return std::pair(curve.accuracy(point), point.gap());
  });
}

// The area under the curve by trapezia; pairs without a face close it at both ends.
double area(const RocCurve& curve) {
  double sum = 0, last_false = 0, last_true = 0;
  const auto add = [&](double next_false, double next_true) {
    sum += (next_false - last_false) * (last_true + next_true) / 2;
    last_false = next_false;
    last_true = next_true;
  };
  for (const RocPoint& point : curve.points()) add(curve.false_rate(point), curve.true_rate(point));
  // Same persons who were never accepted come after everybody else, so nothing is under the rest.
  add(1, last_true);
  return sum;
}

// Where the lines between the curve's points cross "as many false accepts as false rejects". The
// last point accepts every stranger, so there is one.
double equal_error_rate(const RocCurve& curve) {
  const auto excess = [&](const RocPoint& point) {
    return curve.false_rate(point) - (1 - curve.true_rate(point));
  };
  const auto after = std::ranges::find_if(
      curve.points(), [&](double e) { return e >= 0; }, excess);
  const bool first = after == curve.points().begin();
  const double excess_before = first ? -1 : excess(after[-1]);
  const double rate_before = first ? 0 : curve.false_rate(after[-1]);
  const double part = -excess_before / (excess(*after) - excess_before);
  return rate_before + part * (curve.false_rate(*after) - rate_before);
}

double best_true_rate(const RocCurve& curve, double largest_false_rate) {
  double best = 0;
  for (const RocPoint& point : curve.points())
    if (curve.false_rate(point) <= largest_false_rate)
      best = std::max(best, curve.true_rate(point));
  return best;
}

double accuracy_at(std::span<const ScoredPair> pairs, float threshold) {
  const auto right = std::ranges::count_if(pairs, [&](const ScoredPair& pair) {
    return pair.similarity && (*pair.similarity >= threshold) == pair.same;
  });
  return static_cast<double>(right) / static_cast<double>(pairs.size());
}

}  // namespace

Verification summarise(std::span<const ScoredPair> pairs, float shipped_threshold) {
  Verification result;
  result.shipped_threshold = shipped_threshold;
  if (pairs.empty()) return result;
  const RocCurve curve(pairs);
  const RocPoint& best = best_point(curve);
  result.pairs = static_cast<int>(pairs.size());
  result.without_face = static_cast<int>(
      std::ranges::count_if(pairs, [](const ScoredPair& pair) { return !pair.similarity; }));
  result.accuracy = curve.accuracy(best);
  result.best_threshold = best.threshold();
  result.accuracy_at_shipped_threshold = accuracy_at(pairs, shipped_threshold);
  if (curve.same() == 0 || curve.different() == 0) return result;
  result.auc = area(curve);
  result.eer = equal_error_rate(curve);
  result.tar_at_far_1e_2 = best_true_rate(curve, 1e-2);
  result.tar_at_far_1e_3 = best_true_rate(curve, 1e-3);
  return result;
}

Identification summarise(std::span<const Probe> probes) {
  Identification result;
  int nearest = 0, accepted = 0, rejected = 0;
  for (const Probe& probe : probes) {
    (probe.known ? result.known_probes : result.unknown_probes) += 1;
    if (!probe.has_face) {
      ++result.without_face;
      continue;
    }
    if (probe.known && probe.nearest_right) ++nearest;
    if (probe.known && probe.nearest_right && probe.accepted) ++accepted;
    if (!probe.known && !probe.accepted) ++rejected;
  }
  const auto share = [](int part, int whole) {
    return whole == 0 ? std::nullopt : std::optional(static_cast<double>(part) / whole);
  };
  result.rank1 = share(nearest, result.known_probes);
  result.known_accepted = share(accepted, result.known_probes);
  result.unknown_rejected = share(rejected, result.unknown_probes);
  return result;
}

}  // namespace sightline
