// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Directed line segments, and what passes through them. As on a picture, y points downwards;
// "right" is the right hand of who looks along the segment.

#pragma once

#include "core/segment.h"

namespace sightline {

// Twice the area of the triangle a, b, p: above 0 if p is to the right of a → b, below 0 if to the
// left.
double orientation(Point a, Point b, Point p);

// Pixels (or whatever unit the points have) from the infinite line through `segment`, which is
// longer than 0; above 0 to its right.
double signed_distance(const Segment& segment, Point p);

// Pixels from the nearest point of `segment`, which may be a single point.
double distance(const Segment& segment, Point p);

// Whether the way p → q passes from one side of the infinite line through `segment` to the other:
// +1 from left to right, -1 from right to left, 0 not. A point on the line counts as to the right
// of it, so a way in several steps has the same sum as its steps.
int side_change(const Segment& segment, Point p, Point q);

// Likewise, but through the segment itself. Of two segments that share an end, a way through that
// end crosses one.
int crossing(const Segment& segment, Point p, Point q);

}  // namespace sightline
