// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/motion.h"

#include <cmath>

namespace sightline {

void Motion::update(Point point, std::chrono::nanoseconds now, float distance,
                    std::chrono::nanoseconds window) {
  if (!start_) {
    start_ = {point, now};
    return;
  }
  const Point step{point.x - start_->point.x, point.y - start_->point.y};
  const double length = std::hypot(step.x, step.y);
  if (length > 0 && length >= distance)
    direction_ = step;
  else if (now - start_->time > window)
    direction_.reset();
  else
    return;
  start_ = {point, now};
}

}  // namespace sightline
