// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/cuda/frame_upload.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace sightline::cuda {

namespace {

using sampling::Job;
using sampling::PixelBox;
using sampling::SamplePlane;

constexpr std::size_t kAlignment = 64;  // of rows

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

std::span<SamplePlane> planes(Job& job) {
  return std::span(job.source.planes).first(static_cast<std::size_t>(job.source.plane_count));
}

bool of_one_frame(const Job& a, const Job& b) {
  return a.source.planes[0].data == b.source.planes[0].data &&
         a.source.plane_count == b.source.plane_count && a.frame == b.frame;
}

std::size_t bytes_of(const SamplePlane& plane, const PixelBox& samples) {
  return static_cast<std::size_t>(samples.columns.end - samples.columns.begin) *
         static_cast<std::size_t>(plane.step);
}

}  // namespace

// Joins what can be joined without copying more.
void FrameUpload::add(std::vector<Part>& parts, Job& job) {
  Part part{sampling::footprint(job), {&job}};
  for (bool grown = true; grown;) {
    grown = false;
    for (Part& other : parts) {
      if (other.jobs.empty() || !of_one_frame(*other.jobs.front(), job)) continue;
      const PixelBox both = around(part.pixels, other.pixels);
      if (both.area() > part.pixels.area() + other.pixels.area()) continue;
      part.pixels = both;
      part.jobs.insert(part.jobs.end(), other.jobs.begin(), other.jobs.end());
      other.jobs.clear();
      grown = true;
    }
  }
  parts.push_back(std::move(part));
}

// Planes that share their bytes, as those of YUY2 do, share their place. Of an odd number of pixels
// the chroma reaches further than the luma.
std::vector<FrameUpload::Place> FrameUpload::lay_out(const Part& part, std::size_t& bytes) {
  std::vector<Place> places;
  const std::span<SamplePlane> all = planes(*part.jobs.front());
  for (std::size_t p = 0; p < all.size(); ++p) {
    if (p > 0 && all[p].data == all[0].data) {
      places.push_back({places[0].offset, places[0].stride, 0});
      continue;
    }
    std::size_t row_bytes = 0;
    for (const SamplePlane& plane : all)
      if (plane.data == all[p].data)
        row_bytes = std::max(row_bytes, bytes_of(plane, samples_of(plane, part.pixels)));
    const PixelBox samples = samples_of(all[p], part.pixels);
    places.push_back({bytes, aligned(row_bytes), row_bytes});
    bytes += places.back().stride * static_cast<std::size_t>(samples.rows.end - samples.rows.begin);
  }
  return places;
}

// Grows, never shrinks; by half at least, since pinned memory is slow to get.
void FrameUpload::reserve(std::size_t bytes) {
  uploaded_.wait_on_host();  // what is staged may still be being copied
  if (bytes <= pixels_.bytes()) return;
  bytes = std::max(bytes, pixels_.bytes() * 3 / 2);
  staged_ = {};
  pixels_ = {};
  staged_ = PinnedMemory(device_, bytes);
  pixels_ = DeviceMemory(device_, bytes);
}

void FrameUpload::stage(const Part& part, const std::vector<Place>& places) const {
  const std::span<SamplePlane> all = planes(*part.jobs.front());
  for (std::size_t p = 0; p < all.size(); ++p) {
    if (places[p].row_bytes == 0) continue;
    const SamplePlane& plane = all[p];
    const PixelBox samples = samples_of(plane, part.pixels);
    const std::ptrdiff_t before = static_cast<std::ptrdiff_t>(samples.columns.begin) * plane.step;
    std::byte* to = staged_.data() + places[p].offset;
    for (int y = samples.rows.begin; y < samples.rows.end; ++y, to += places[p].stride)
      std::memcpy(to, plane.row(y) + before, places[p].row_bytes);
  }
}

// Coordinates stay those of the frame: a plane begins where it would if all of it were there.
void FrameUpload::redirect(const Part& part, const std::vector<Place>& places) const {
  for (Job* const job : part.jobs) {
    const std::span<SamplePlane> all = planes(*job);
    for (std::size_t p = 0; p < all.size(); ++p) {
      const PixelBox samples = samples_of(all[p], part.pixels);
      const auto stride = static_cast<std::ptrdiff_t>(places[p].stride);
      const std::ptrdiff_t before =
          samples.rows.begin * stride +
          static_cast<std::ptrdiff_t>(samples.columns.begin) * all[p].step;
      all[p].data = reinterpret_cast<const std::uint8_t*>(pixels_.address() + places[p].offset -
                                                          static_cast<Address>(before));
      all[p].stride = stride;
    }
  }
}

void FrameUpload::run(std::span<Job> jobs, const std::vector<bool>& on_host, const Stream& stream) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < jobs.size(); ++i)
    if (on_host[i]) add(parts, jobs[i]);
  std::erase_if(parts, [](const Part& part) { return part.jobs.empty(); });
  if (parts.empty()) return;

  std::size_t bytes = kAlignment;  // so that there is an address even where nothing is read
  std::vector<std::vector<Place>> places;
  for (const Part& part : parts) places.push_back(lay_out(part, bytes));
  reserve(bytes);
  for (std::size_t i = 0; i < parts.size(); ++i) stage(parts[i], places[i]);
  for (std::size_t i = 0; i < parts.size(); ++i) redirect(parts[i], places[i]);
  stream.upload(pixels_.address(), staged_.data(), bytes);
  uploaded_.record(stream);
}

}  // namespace sightline::cuda
