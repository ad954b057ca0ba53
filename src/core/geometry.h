// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Points, boxes and affine maps. All coordinates are continuous: pixel (i, j) covers [i, i+1) × [j,
// j+1) and its centre is (i + 0.5, j + 0.5). The origin is the top left corner.

#pragma once

#include <span>

namespace sightline {

struct Point {
  float x = 0;
  float y = 0;

  friend bool operator==(const Point&, const Point&) = default;
};

struct Size {
  int width = 0;
  int height = 0;

  friend bool operator==(const Size&, const Size&) = default;
};

struct Rect {
  float x = 0;
  float y = 0;
  float width = 0;
  float height = 0;

  float right() const { return x + width; }
  float bottom() const { return y + height; }
  float area() const { return width * height; }
  Point center() const { return {x + width / 2, y + height / 2}; }
  bool empty() const { return !(width > 0 && height > 0); }  // also true of NaN

  friend bool operator==(const Rect&, const Rect&) = default;
};

// The part of `a` that lies in `b`; an empty Rect{} where they do not meet.
Rect intersection(const Rect& a, const Rect& b);

// Intersection over union, 0 where either is empty.
float iou(const Rect& a, const Rect& b);

// x' = xx·x + xy·y + x0, y' = yx·x + yy·y + y0. The identity by default.
struct Affine2 {
  double xx = 1, xy = 0, x0 = 0;
  double yx = 0, yy = 1, y0 = 0;

  Point operator()(Point p) const {
    return {static_cast<float>(xx * p.x + xy * p.y + x0),
            static_cast<float>(yx * p.x + yy * p.y + y0)};
  }

  double determinant() const { return xx * yy - xy * yx; }

  // Throws Error(kInput) if the map is not invertible.
  Affine2 inverse() const;

  // The axis-aligned box around the image of `r`.
  Rect bounds(const Rect& r) const;

  static Affine2 translation(double dx, double dy) { return {1, 0, dx, 0, 1, dy}; }
  static Affine2 scaling(double sx, double sy) { return {sx, 0, 0, 0, sy, 0}; }

  friend bool operator==(const Affine2&, const Affine2&) = default;
};

// `outer ∘ inner`: first `inner`, then `outer`.
Affine2 operator*(const Affine2& outer, const Affine2& inner);

// The similarity (rotation, uniform scale, translation; no mirroring) that takes `from` to `to`
// with the least sum of squared distances (Umeyama 1991). Throws Error(kInput) if the spans differ
// in size, hold fewer than two points, hold a number that is not finite, or all points of `from`
// coincide.
Affine2 least_squares_similarity(std::span<const Point> from, std::span<const Point> to);

}  // namespace sightline
