// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/calibration.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"

namespace sightline {
namespace {

constexpr int kMostSteps = 200;
constexpr double kConverged = 1e-10;  // relative step

// Of one kind of pairs, in the scale in which the curve is fitted.
struct Target {
  double weight;  // of each pair
  double wanted;  // the probability that each is to have
};

// The similarities lie close together and far from zero; fitted is over (s − mean) / deviation.
struct Scale {
  double mean = 0, deviation = 0;

  explicit Scale(std::span<const LabelledSimilarity> pairs) {
    for (const LabelledSimilarity& pair : pairs) mean += static_cast<double>(pair.similarity);
    mean /= static_cast<double>(pairs.size());
    for (const LabelledSimilarity& pair : pairs)
      deviation += std::pow(static_cast<double>(pair.similarity) - mean, 2);
    deviation = std::sqrt(deviation / static_cast<double>(pairs.size()));
  }
  double operator()(float similarity) const {
    return (static_cast<double>(similarity) - mean) / deviation;
  }
};

double logistic(double odds) { return 1 / (1 + std::exp(-odds)); }

// log(1 + exp(x)) without overflow.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

class Fit {
 public:
  Fit(std::span<const LabelledSimilarity> pairs, const Scale& scale, int same, int different)
      : same_{0.5 / same, (same + 1.0) / (same + 2.0)},
        different_{0.5 / different, 1.0 / (different + 2.0)} {
    for (const LabelledSimilarity& pair : pairs)
      points_.push_back({scale(pair.similarity), pair.same ? &same_ : &different_});
  }

  // Newton's method, each step halved until it is an improvement.
  void run() {
    for (int step = 0; step < kMostSteps; ++step) {
      const auto [by_slope, by_intercept] = direction();
      double length = 1;
      const double before = loss(slope_, intercept_);
      while (length > kConverged &&
             loss(slope_ - length * by_slope, intercept_ - length * by_intercept) > before)
        length /= 2;
      slope_ -= length * by_slope;
      intercept_ -= length * by_intercept;
      if (length * (std::abs(by_slope) + std::abs(by_intercept)) < kConverged) return;
    }
  }

  double slope() const { return slope_; }
  double intercept() const { return intercept_; }

 private:
  struct Point {
    double x;
    const Target* target;
  };
  struct Direction {
    double slope, intercept;
  };

  double loss(double slope, double intercept) const {
    double sum = 0;
    for (const Point& point : points_) {
      const double odds = slope * point.x + intercept;
      sum += point.target->weight * (softplus(odds) - point.target->wanted * odds);
    }
    return sum;
  }

  Direction direction() const {
    double g0 = 0, g1 = 0, h00 = 1e-12, h01 = 0, h11 = 1e-12;
    for (const Point& point : points_) {
      const double p = logistic(slope_ * point.x + intercept_);
      const double error = point.target->weight * (p - point.target->wanted);
      const double bend = point.target->weight * p * (1 - p);
      g0 += error, g1 += error * point.x;
      h00 += bend, h01 += bend * point.x, h11 += bend * point.x * point.x;
    }
    const double determinant = h00 * h11 - h01 * h01;
    return {(h00 * g1 - h01 * g0) / determinant, (h11 * g0 - h01 * g1) / determinant};
  }

  Target same_, different_;
  std::vector<Point> points_;
  double slope_ = 0, intercept_ = 0;
};

}  // namespace

double probability(const Calibration& calibration, float similarity) {
  return logistic(calibration.slope * static_cast<double>(similarity) + calibration.offset);
}

void require_enough_pairs(long same, long different) {
  if (std::min(same, different) >= kFewestPairs) return;
  throw Error(ErrorCode::kInput, "a calibration needs at least " + std::to_string(kFewestPairs) +
                                     " pairs of one person and as many of two; there are " +
                                     std::to_string(same) + " and " + std::to_string(different) +
                                     ".");
}

Calibration fit_calibration(std::span<const LabelledSimilarity> pairs) {
  int same = 0, different = 0;
  for (const LabelledSimilarity& pair : pairs) {
    if (!std::isfinite(pair.similarity))
      throw Error(ErrorCode::kInput, "a pair's similarity is no number.");
    ++(pair.same ? same : different);
  }
  require_enough_pairs(same, different);
  const Scale scale(pairs);
  if (!(scale.deviation > 0))
    throw Error(ErrorCode::kInput, "all pairs are equally similar, so similarity says nothing.");
  Fit fit(pairs, scale, same, different);
  fit.run();
  const double slope = fit.slope() / scale.deviation;
  if (!(slope > 0))
    throw Error(
        ErrorCode::kInput,
        "pairs of one person are not more similar than pairs of two. Are the columns of the "
        "table right, and is it the model's?");
  return {slope, fit.intercept() - slope * scale.mean};
}

}  // namespace sightline
