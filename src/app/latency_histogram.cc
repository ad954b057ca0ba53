// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace sightline {

namespace {

constexpr double kFirstBound = 50e-6;  // seconds
constexpr double kGrowth = 1.02;

}  // namespace

void LatencyHistogram::add(double seconds) {
  const double exact =
      std::ceil(std::log(std::max(seconds, kFirstBound) / kFirstBound) / std::log(kGrowth));
  ++classes_[static_cast<std::size_t>(std::min<double>(exact, kClasses - 1))];
  ++count_;
  sum_ += seconds;
  maximum_ = std::max(maximum_, seconds);
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kClasses; ++i) classes_[i] += other.classes_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  maximum_ = std::max(maximum_, other.maximum_);
}

double LatencyHistogram::percentile(double share) const {
  if (count_ == 0) return 0;
  const double wanted = std::max(1.0, std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kClasses; ++i) {
    seen += classes_[i];
    if (static_cast<double>(seen) >= wanted)
      return std::min(kFirstBound * std::pow(kGrowth, static_cast<double>(i)), maximum_);
  }
  return maximum_;
}

}  // namespace sightline
