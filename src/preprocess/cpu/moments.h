// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Mean and standard deviation of a tensor that is seen row by row.

#pragma once

#include <algorithm>
#include <cmath>

namespace sightline::cpu {

struct Moments {
  double count = 0, sum = 0, squares = 0;

  void add(const float* values, int n) {
    for (int i = 0; i < n; ++i) {
      const double v = values[i];
      sum += v;
      squares += v * v;
    }
    count += n;
  }
  double mean() const { return sum / count; }
  double deviation() const { return std::sqrt(std::max(squares / count - mean() * mean(), 0.0)); }
};

}  // namespace sightline::cpu
