// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which way an object moves, and whether it moves at all.

#pragma once

#include <chrono>
#include <optional>

#include "core/geometry.h"

namespace sightline {

// Where it went in its last step of at least a distance, so that a trembling box moves nowhere.
class Motion {
 public:
  // The object is at `point` at `now`. It stands if it takes longer than `window` to move by
  // `distance`.
  void update(Point point, std::chrono::nanoseconds now, float distance,
              std::chrono::nanoseconds window);

  // A vector of any length; none: it stands, or is not known for long enough.
  const std::optional<Point>& direction() const { return direction_; }

 private:
  struct Start {
    Point point;
    std::chrono::nanoseconds time;
  };

  std::optional<Start> start_;  // of the step that it is taking
  std::optional<Point> direction_;
};

}  // namespace sightline
