// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where a box is and where it goes, from noisy observations at any moments: a Kalman filter.

#pragma once

#include "core/geometry.h"

namespace sightline {

// Standard deviations, as parts of the object's size, so that one set of numbers suits an object
// that is near and one that is far. What grows with time grows as a random walk does: variances add
// up, so that one long step and several short ones come to the same.
struct MotionNoise {
  double measurement = 0.08;  // of an observed centre, width or height
  double position = 0.03;     // how far a centre strays in a second beside its motion: a gait
  double acceleration = 0.5;  // by how much a velocity changes in a second (sizes a second)
  double growth = 0.2;        // the same for how fast width and height change
  double first_velocity = 3;  // of an object that was seen once (sizes a second)
  double first_growth = 0.3;  // of its size
};

// State: centre x and y, width and height in pixels, and how fast each of the four changes, in
// pixels a second. The four do not influence each other (transition, noise and observation are
// diagonal over them), so they are four filters of two numbers each, which is exactly the filter of
// eight numbers at a fraction of its cost.
class BoxFilter {
 public:
  // At rest at `box`, which is not empty.
  explicit BoxFilter(const Rect& box, const MotionNoise& noise = {});

  // Moves on by `seconds`, at least 0.
  void predict(double seconds);

  // Takes in that it was observed at `box`, not empty, now.
  void update(const Rect& box);

  // The picture moved, and everything in it: pixels.
  void shift(double dx, double dy);

  // The size does not go on changing: of an object that is out of sight.
  void stop_growing();

  Rect box() const;
  Point velocity() const;  // of the centre, pixels a second

  // Standard deviation of the centre, in pixels.
  Point uncertainty() const;

  // How much an observation at `box` would surprise: -2 times the logarithm of its likelihood,
  // where 0 is what an exact hit has if everything is known but the observation's own noise. That
  // is the squared Mahalanobis distance in four dimensions, plus what it costs not to know better.
  double surprise(const Rect& box) const;

 private:
  // A value, its rate of change, and their covariance.
  struct Axis {
    double value = 0, rate = 0;
    double value_variance = 0, covariance = 0, rate_variance = 0;

    void predict(double seconds, double drift_variance, double acceleration_variance);
    void update(double observed, double variance);
    double surprise(double observed, double variance) const;
  };

  MotionNoise noise_;
  Axis x_, y_, width_, height_;
};

}  // namespace sightline
