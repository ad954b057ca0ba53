// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which pixels of a frame a region is made of: all that has to be brought along where the frame
// itself stays behind.

#pragma once

#include <cstdint>

#include "preprocess/job.h"

namespace sightline::sampling {

// Pixels of a frame. Begins at even numbers and ends at even numbers or the frame's border, so that
// it holds its samples of chroma whole.
struct PixelBox {
  Span columns, rows;

  bool empty() const { return columns.empty() || rows.empty(); }
  std::int64_t area() const;  // 0 if empty
  friend bool operator==(const PixelBox&, const PixelBox&) = default;
};

PixelBox around(const PixelBox& a, const PixelBox& b);

// All that executing the job reads, and some pixels around it.
PixelBox footprint(const Job& job);

// The samples of a plane that show these pixels.
PixelBox samples_of(const SamplePlane& plane, const PixelBox& pixels);

}  // namespace sightline::sampling
