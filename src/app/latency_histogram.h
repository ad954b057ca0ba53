// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How long something took, over any number of times, in bounded memory.

#pragma once

#include <array>
#include <cstdint>

namespace sightline {

// Counts in classes whose bounds grow by 2 %, from 50 µs to a minute: a percentile is at most 2 %
// too large. Not for several threads at once.
class LatencyHistogram {
 public:
  void add(double seconds);
  void add(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  double sum() const { return sum_; }          // seconds
  double maximum() const { return maximum_; }  // seconds
  // The smallest bound of a class that at least `share` (0…1) of the times do not exceed; 0 if
  // there are none.
  double percentile(double share) const;

 private:
  static constexpr std::size_t kClasses = 708;  // 50 µs · 1.02^707 is 60 s

  std::array<std::uint32_t, kClasses> classes_{};
  std::uint64_t count_ = 0;
  double sum_ = 0;
  double maximum_ = 0;
};

}  // namespace sightline
