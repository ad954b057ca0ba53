// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/geometry.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace sightline {

Rect intersection(const Rect& a, const Rect& b) {
  const float left = std::max(a.x, b.x), top = std::max(a.y, b.y);
  const Rect common{left, top, std::min(a.right(), b.right()) - left,
                    std::min(a.bottom(), b.bottom()) - top};
  return common.empty() ? Rect{} : common;
}

float iou(const Rect& a, const Rect& b) {
  if (a.empty() || b.empty()) return 0;
  const float common = intersection(a, b).area();
  return common / (a.area() + b.area() - common);
}

Affine2 Affine2::inverse() const {
  const double det = determinant();
  if (!std::isfinite(det) || std::abs(det) < 1e-12)
    throw Error(ErrorCode::kInput,
                "the affine map has no inverse: its determinant is " + std::to_string(det));
  return {yy / det,  -xy / det, (xy * y0 - yy * x0) / det,
          -yx / det, xx / det,  (yx * x0 - xx * y0) / det};
}

Rect Affine2::bounds(const Rect& r) const {
  const Point corners[] = {(*this)({r.x, r.y}), (*this)({r.right(), r.y}),
                           (*this)({r.x, r.bottom()}), (*this)({r.right(), r.bottom()})};
  const auto [left, right] = std::minmax_element(std::begin(corners), std::end(corners),
                                                 [](Point a, Point b) { return a.x < b.x; });
  const auto [top, bottom] = std::minmax_element(std::begin(corners), std::end(corners),
                                                 [](Point a, Point b) { return a.y < b.y; });
  return {left->x, top->y, right->x - left->x, bottom->y - top->y};
}

Affine2 operator*(const Affine2& outer, const Affine2& inner) {
  return {outer.xx * inner.xx + outer.xy * inner.yx,
          outer.xx * inner.xy + outer.xy * inner.yy,
          outer.xx * inner.x0 + outer.xy * inner.y0 + outer.x0,
          outer.yx * inner.xx + outer.yy * inner.yx,
          outer.yx * inner.xy + outer.yy * inner.yy,
          outer.yx * inner.x0 + outer.yy * inner.y0 + outer.y0};
}

namespace {

struct Mean {
  double x = 0, y = 0;
};

Mean mean_of(std::span<const Point> points) {
  Mean mean;
  for (const Point p : points) {
    if (!std::isfinite(p.x) || !std::isfinite(p.y))
      throw Error(ErrorCode::kInput, "a point is not finite: no similarity can be fitted");
    mean.x += p.x / static_cast<double>(points.size());
    mean.y += p.y / static_cast<double>(points.size());
  }
  return mean;
}

}  // namespace

Affine2 least_squares_similarity(std::span<const Point> from, std::span<const Point> to) {
  if (from.size() != to.size() || from.size() < 2)
    throw Error(ErrorCode::kInput,
                "a similarity needs two sets of at least 2 corresponding points, found " +
                    std::to_string(from.size()) + " and " + std::to_string(to.size()));
  const Mean a = mean_of(from), b = mean_of(to);

  // In the plane Umeyama's solution is a complex quotient: z' = (Σ conj(p)·q / Σ |p|²)·z, both sets
  // centred.
  double dot = 0, cross = 0, norm = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double px = from[i].x - a.x, py = from[i].y - a.y;
    const double qx = to[i].x - b.x, qy = to[i].y - b.y;
    dot += px * qx + py * qy;
    cross += px * qy - py * qx;
    norm += px * px + py * py;
  }
  if (norm < 1e-12)
    throw Error(ErrorCode::kInput, "all points coincide: no similarity can be fitted");

  const double c = dot / norm, s = cross / norm;
  return {c, -s, b.x - c * a.x + s * a.y, s, c, b.y - s * a.x - c * a.y};
}

}  // namespace sightline
