// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/cuda/batch_preprocessor.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/shared_values.h"
#include "preprocess/cuda/batch.h"
#include "preprocess/cuda/frame_upload.h"
#include "preprocess/job.h"

// What nvcc made of regions.cu.
extern "C" {
extern const unsigned char sightline_preprocess_kernels[];
extern const unsigned char sightline_preprocess_kernels_end[];
}

namespace sightline::cuda {

namespace {

using sampling::Job;
using sampling::SamplePlane;

// One a device, as long as somebody has it.
std::shared_ptr<const Module> load_kernels(const DevicePtr& device) {
  static SharedValues<int, const Module> loaded;
  return loaded.get(device->info().ordinal, [&] {
    return std::make_shared<const Module>(
        device, std::span(sightline_preprocess_kernels, sightline_preprocess_kernels_end));
  });
}

SampleFilter sample_filter(Filter filter) {
  switch (filter) {
    case Filter::kNearest:
      return SampleFilter::kNearest;
    case Filter::kBilinear:
      return SampleFilter::kBilinear;
    case Filter::kArea:
      break;
  }
  return SampleFilter::kArea;
}

const char* kernel_name(Filter filter) {
  switch (filter) {
    case Filter::kNearest:
      return "regions_nearest";
    case Filter::kBilinear:
      return "regions_bilinear";
    case Filter::kArea:
      break;
  }
  return "regions_area";
}

StoredType stored_type(ElementType type) {
  switch (type) {
    case ElementType::kFloat16:
      return StoredType::kFloat16;
    case ElementType::kUint8:
      return StoredType::kUint8;
    case ElementType::kInt8:
      return StoredType::kInt8;
    default:
      return StoredType::kFloat32;
  }
}

bool is_aligned(const SamplePlane& plane, std::uintptr_t bytes) {
  return reinterpret_cast<std::uintptr_t>(plane.data) % bytes == 0 &&
         plane.stride % static_cast<std::ptrdiff_t>(bytes) == 0;
}

void check_words(const sampling::Source& source) {
  for (int p = 0; p < source.plane_count; ++p) {
    const SamplePlane& plane = source.planes[static_cast<std::size_t>(p)];
    if (!is_aligned(plane, static_cast<std::uintptr_t>(plane.step)))
      throw Error(ErrorCode::kInput, "plane " + std::to_string(p) +
                                         " of a P010 frame is not aligned: expected an address and "
                                         "a stride that are multiples of " +
                                         std::to_string(plane.step));
  }
}

SampleLayout layout_of(const sampling::Source& source) {
  const SamplePlane& first = source.planes[0];
  const bool words = first.sample_bytes == 2;
  if (words) check_words(source);
  if (source.components == 1) return words ? SampleLayout::kLuma16 : SampleLayout::kLuma;
  if (source.plane_count == 3) return SampleLayout::kPlanar;
  if (source.plane_count == 1)
    return first.step == 4 && is_aligned(first, 4) ? SampleLayout::kPacked4 : SampleLayout::kPacked;
  if (words) return SampleLayout::kSemiPlanar16;
  const SamplePlane& chroma = source.planes[1];
  return chroma.step == 2 && is_aligned(chroma, 2) ? SampleLayout::kSemiPlanar
                                                   : SampleLayout::kInterleaved;
}

// Kernels count bytes within a plane in 32 bits.
void check_size(const SamplePlane& plane) {
  constexpr std::ptrdiff_t kMost = std::ptrdiff_t{1} << 31;
  std::ptrdiff_t rows = 0;
  if (__builtin_mul_overflow(std::abs(plane.stride), plane.size.height, &rows) ||
      rows + static_cast<std::ptrdiff_t>(plane.size.width) * plane.step >= kMost)
    throw Error(ErrorCode::kInput, "a plane of " + std::to_string(plane.size.height) +
                                       " rows that lie " + std::to_string(plane.stride) +
                                       " bytes apart is too large, expected less than 2 GiB");
}

BatchPlane batch_plane(const Job& job, const SamplePlane& plane) {
  check_size(plane);
  BatchPlane to{};
  to.data = plane.data;
  to.stride = static_cast<int>(plane.stride);
  to.step = plane.step;
  to.width = plane.size.width;
  to.height = plane.size.height;
  to.last_x = std::max(to.width - 2, 0);
  to.last_y = std::max(to.height - 2, 0);
  to.next_x = to.width > 1 ? to.step : 0;
  to.next_y = to.height > 1 ? to.stride : 0;
  to.halved_x = plane.halved_x();
  to.halved_y = plane.halved_y();
  to.scale_x = static_cast<float>(plane.from_frame.xx);
  to.scale_y = static_cast<float>(plane.from_frame.yy);
  to.shift_x = static_cast<float>(plane.from_frame.x0);
  to.shift_y = static_cast<float>(plane.from_frame.y0);
  const Affine2 to_plane = job.to_plane(plane);
  to.block_side = sampling::block_side(to_plane);
  const double blocks_a_sample = 1.0 / to.block_side;
  const sampling::Grid grid =
      sampling::supersampling(Affine2::scaling(blocks_a_sample, blocks_a_sample) * to_plane);
  to.across = grid.across;
  to.down = grid.down;
  if (plane.channels == 1) to.data += plane.offset[0];
  for (std::size_t c = 0; c < 3; ++c) {
    to.offset[c] = plane.offset[c];
    to.selector[c] = 0x7440u | static_cast<unsigned>(plane.offset[c]);
  }
  return to;
}

BatchRegion batch_region(const Job& job) {
  BatchRegion to{};
  to.layout = layout_of(job.source);
  for (int p = 0; p < job.source.plane_count; ++p) {
    const SamplePlane& plane = job.source.planes[static_cast<std::size_t>(p)];
    const int at = to.layout == SampleLayout::kPlanar ? plane.component[0] : p;
    to.planes[at] = batch_plane(job, plane);
  }
  to.frame_width = job.frame.width;
  to.frame_height = job.frame.height;
  to.columns_begin = job.columns.begin;
  to.columns_end = job.columns.end;
  to.rows_begin = job.rows.begin;
  to.rows_end = job.rows.end;
  to.axis_aligned = job.axis_aligned() ? 1 : 0;
  const Affine2& map = job.to_frame;
  to.xx = map.xx, to.xy = map.xy, to.x0 = map.x0;
  to.yx = map.yx, to.yy = map.yy, to.y0 = map.y0;
  for (std::size_t o = 0; o < 3; ++o) {
    std::copy(job.color.matrix[o].begin(), job.color.matrix[o].end(), to.matrix[o]);
    to.offset[o] = job.color.offset[o];
  }
  return to;
}

BatchTarget batch_target(const TensorSpec& spec, Address output, Address mean_image) {
  BatchTarget to{};
  to.data = reinterpret_cast<unsigned char*>(output);
  to.mean_image = reinterpret_cast<const float*>(mean_image);
  to.width = spec.size.width;
  to.height = spec.size.height;
  to.channels = spec.channel_count();
  to.interleaved = spec.layout == Layout::kNhwc ? 1 : 0;
  to.type = stored_type(spec.type);
  for (std::size_t c = 0; c < 3; ++c) {
    to.gain[c] = spec.scale / spec.deviation[c];
    to.bias[c] = -spec.mean[c] * to.gain[c];
    to.pad[c] = spec.pad_value[c];
  }
  return to;
}

unsigned blocks(int pixels, int a_block) {
  return static_cast<unsigned>((pixels + a_block - 1) / a_block);
}

}  // namespace

std::vector<PixelFormat> pixel_formats() {
  std::vector<PixelFormat> formats(kPixelFormats.begin(), kPixelFormats.end());
  formats.push_back(PixelFormat::kP010);
  return formats;
}

void check(const FrameRegion& region) {
  sampling::check(region.frame);
  sampling::check(region.region, 0);
  if (region.frame.memory == MemoryKind::kHost) return;  // what is copied is laid out anew
  TensorSpec any;
  any.size = {1, 1};
  batch_region(sampling::make_job(region.frame, region.region, any, nullptr));
}

BatchPreprocessor::BatchPreprocessor(DevicePtr device, TensorSpec spec)
    : device_(std::move(device)),
      spec_(std::move(spec)),
      kernels_(load_kernels(device_)),
      kernel_(kernels_->function(kernel_name(spec_.filter))),
      batch_(std::make_unique<Batch>()) {
  sampling::check(spec_, 0, 0);
  if (spec_.mean_image.empty()) return;
  const Stream stream(device_);
  const std::size_t bytes = spec_.mean_image.size() * sizeof(float);
  mean_image_ = DeviceMemory(device_, bytes);
  stream.upload(mean_image_.address(), spec_.mean_image.data(), bytes);
  stream.wait_on_host();
}

BatchPreprocessor::~BatchPreprocessor() = default;

void BatchPreprocessor::run(std::span<const FrameRegion> regions, Address output,
                            std::size_t output_bytes, const Stream& stream) {
  sampling::check(spec_, regions.size(), output_bytes);
  jobs_.clear();
  std::vector<bool> on_host;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    const auto& [frame, region] = regions[i];
    sampling::check(frame);
    sampling::check(region, i);
    jobs_.push_back(sampling::make_job(frame, region, spec_, nullptr));
    on_host.push_back(frame.memory == MemoryKind::kHost);
  }
  if (std::find(on_host.begin(), on_host.end(), true) != on_host.end()) {
    if (upload_ == nullptr) upload_ = std::make_unique<FrameUpload>(device_);
    upload_->run(jobs_, on_host, stream);
  }
  batch_->target = batch_target(spec_, output, mean_image_.address());
  if (spec_.normalization == Normalization::kPerImage) {
    const std::size_t moments = regions.size() * 2 * sizeof(double);
    if (moments > moments_.bytes()) moments_ = DeviceMemory(device_, moments);
    stream.fill(moments_.address(), 0, moments);
    batch_->target.moments = reinterpret_cast<double*>(moments_.address());
    batch_->target.measure = 1;
    launch_all(stream);
    batch_->target.measure = 0;
  }
  launch_all(stream);
}

void BatchPreprocessor::launch_all(const Stream& stream) {
  for (std::size_t first = 0; first < jobs_.size(); first += kRegionsALaunch) {
    const std::size_t count =
        std::min<std::size_t>(jobs_.size() - first, static_cast<std::size_t>(kRegionsALaunch));
    batch_->first = static_cast<int>(first);
    for (std::size_t i = 0; i < count; ++i) batch_->regions[i] = batch_region(jobs_[first + i]);
    const int rows = kBlockHeight * rows_a_thread(sample_filter(spec_.filter));
    const Extent grid{blocks(spec_.size.width, kBlockWidth), blocks(spec_.size.height, rows),
                      static_cast<unsigned>(count)};
    const std::array<void*, 1> arguments = {batch_.get()};
    launch(kernel_, grid, {kBlockWidth, kBlockHeight, 1}, arguments, stream);
  }
}

}  // namespace sightline::cuda
