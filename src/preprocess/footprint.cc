// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/footprint.h"

#include <algorithm>
#include <cmath>

namespace sightline::sampling {

namespace {

// Neighbours of a sample of chroma are two pixels away, and its site may be one off.
constexpr int kNeighbours = 4;

// How far beyond a tensor pixel's corners the samples may lie that it is made of.
int margin(const Job& job) {
  if (job.axis_aligned() || job.spec->filter != Filter::kArea) return kNeighbours;
  int largest = 1;
  for (int p = 0; p < job.source.plane_count; ++p) {
    const SamplePlane& plane = job.source.planes[static_cast<std::size_t>(p)];
    largest = std::max(largest, block_side(job.to_plane(plane)) << plane.halved_x());
  }
  return kNeighbours + 2 * largest;  // a block, and the one beside it
}

Span even_pixels(double begin, double end, int around, int size) {
  const auto inside = [size](double at) {
    return static_cast<int>(std::clamp(at, 0.0, static_cast<double>(size)));
  };
  Span pixels{inside(std::floor(begin) - around), inside(std::ceil(end) + around)};
  pixels.begin -= pixels.begin % 2;
  pixels.end = std::min(pixels.end + pixels.end % 2, size);
  return pixels;
}

Span halved(Span pixels, int by) { return {pixels.begin >> by, (pixels.end + by) >> by}; }

Span around(Span a, Span b) { return {std::min(a.begin, b.begin), std::max(a.end, b.end)}; }

}  // namespace

std::int64_t PixelBox::area() const {
  if (empty()) return 0;
  return static_cast<std::int64_t>(columns.end - columns.begin) * (rows.end - rows.begin);
}

PixelBox around(const PixelBox& a, const PixelBox& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return {around(a.columns, b.columns), around(a.rows, b.rows)};
}

PixelBox footprint(const Job& job) {
  if (job.columns.empty() || job.rows.empty()) return {};
  const Bounds box = job.bounds(job.to_frame);
  const int beyond = margin(job);
  return {even_pixels(box.left, box.right, beyond, job.frame.width),
          even_pixels(box.top, box.bottom, beyond, job.frame.height)};
}

PixelBox samples_of(const SamplePlane& plane, const PixelBox& pixels) {
  return {halved(pixels.columns, plane.halved_x()), halved(pixels.rows, plane.halved_y())};
}

}  // namespace sightline::sampling
