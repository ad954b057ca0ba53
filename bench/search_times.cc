// SPDX-License-Identifier: LGPL-2.1-or-later

#include "search_times.h"

#include <algorithm>

#include "drawn_gallery.h"

namespace sightline::bench {
namespace {

constexpr std::size_t kNotCounted = 3;            // calls
constexpr std::size_t kLeast = 20, kMost = 2000;  // of those that count
constexpr double kLongest = 10;                   // seconds in which there need not be kLeast

void run_round(Way& way, double seconds) {
  for (std::size_t turn = 0; turn < kNotCounted; ++turn) way.run(turn);
  std::vector<double> times;
  const double began = now();
  const auto is_enough = [&] {
    const double took = now() - began;
    if (times.size() < kLeast) return !times.empty() && took > kLongest;
    return took > seconds || times.size() == kMost;
  };
  while (!is_enough()) {
    const double begin = now();
    way.run(way.seconds.size() + times.size());
    times.push_back((now() - begin) / static_cast<double>(way.queries));
  }
  way.seconds.insert(way.seconds.end(), times.begin(), times.end());
  way.round_medians.push_back(quantile(std::move(times), 0.5));
}

}  // namespace

void take_turns(std::vector<Way>& ways, int rounds, double seconds) {
  for (int round = 0; round < rounds; ++round)
    for (Way& way : ways) run_round(way, seconds);
}

double quantile(std::vector<double> values, double part) {
  const auto place = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

double ratio(const Way& way, const Way& other) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < way.round_medians.size(); ++round)
    ratios.push_back(way.round_medians[round] / other.round_medians[round]);
  return quantile(std::move(ratios), 0.5);
}

}  // namespace sightline::bench
