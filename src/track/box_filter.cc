// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/box_filter.h"

#include <algorithm>
#include <cmath>

namespace sightline {

namespace {

constexpr double kMinSize = 1;  // pixels; what a shrinking box is at least

double squared(double value) { return value * value; }

}  // namespace

// Constant velocity, disturbed by white acceleration: the integrals of its noise over the step.
void BoxFilter::Axis::predict(double seconds, double drift_variance, double acceleration_variance) {
  const double t = seconds;
  value += rate * t;
  value_variance += 2 * covariance * t + rate_variance * t * t + drift_variance * t +
                    acceleration_variance * t * t * t / 3;
  covariance += rate_variance * t + acceleration_variance * t * t / 2;
  rate_variance += acceleration_variance * t;
}

void BoxFilter::Axis::update(double observed, double variance) {
  const double total = value_variance + variance;
  const double gain = value_variance / total, rate_gain = covariance / total;
  const double innovation = observed - value;
  value += gain * innovation;
  rate += rate_gain * innovation;
  rate_variance -= rate_gain * covariance;
  covariance *= 1 - gain;
  value_variance *= 1 - gain;
}

double BoxFilter::Axis::surprise(double observed, double variance) const {
  const double total = value_variance + variance;
  return squared(observed - value) / total + std::log(total / variance);
}

BoxFilter::BoxFilter(const Rect& box, const MotionNoise& noise) : noise_(noise) {
  const double size = std::sqrt(double{box.width} * box.height);
  const auto axis = [&](double value, double extent, double first_rate) {
    return Axis{value, 0, squared(noise.measurement * extent), 0, squared(first_rate * size)};
  };
  const Point center = box.center();
  x_ = axis(center.x, box.width, noise.first_velocity);
  y_ = axis(center.y, box.height, noise.first_velocity);
  width_ = axis(box.width, box.width, noise.first_growth);
  height_ = axis(box.height, box.height, noise.first_growth);
}

void BoxFilter::predict(double seconds) {
  const double area = width_.value * height_.value;
  const double drift = squared(noise_.position) * area;
  const double acceleration = squared(noise_.acceleration) * area;
  const double growth = squared(noise_.growth) * area;
  x_.predict(seconds, drift, acceleration);
  y_.predict(seconds, drift, acceleration);
  width_.predict(seconds, 0, growth);
  height_.predict(seconds, 0, growth);
  width_.value = std::max(width_.value, kMinSize);
  height_.value = std::max(height_.value, kMinSize);
}

void BoxFilter::update(const Rect& box) {
  const double across = squared(noise_.measurement * box.width);
  const double down = squared(noise_.measurement * box.height);
  const Point center = box.center();
  x_.update(center.x, across);
  y_.update(center.y, down);
  width_.update(box.width, across);
  height_.update(box.height, down);
  width_.value = std::max(width_.value, kMinSize);
  height_.value = std::max(height_.value, kMinSize);
}

double BoxFilter::surprise(const Rect& box) const {
  const double across = squared(noise_.measurement * width_.value);
  const double down = squared(noise_.measurement * height_.value);
  const Point center = box.center();
  return x_.surprise(center.x, across) + y_.surprise(center.y, down) +
         width_.surprise(box.width, across) + height_.surprise(box.height, down);
}

void BoxFilter::shift(double dx, double dy) {
  x_.value += dx;
  y_.value += dy;
}

void BoxFilter::stop_growing() { width_.rate = height_.rate = 0; }

Rect BoxFilter::box() const {
  return {static_cast<float>(x_.value - width_.value / 2),
          static_cast<float>(y_.value - height_.value / 2), static_cast<float>(width_.value),
          static_cast<float>(height_.value)};
}

Point BoxFilter::velocity() const {
  return {static_cast<float>(x_.rate), static_cast<float>(y_.rate)};
}

Point BoxFilter::uncertainty() const {
  return {static_cast<float>(std::sqrt(x_.value_variance)),
          static_cast<float>(std::sqrt(y_.value_variance))};
}

}  // namespace sightline
