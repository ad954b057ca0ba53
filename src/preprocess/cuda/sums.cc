// SPDX-License-Identifier: LGPL-2.1-or-later

#include "preprocess/cuda/sums.h"

#include <array>
#include <utility>

// What nvcc made of sums.cu.
extern "C" {
extern const unsigned char sightline_sums_kernels[];
extern const unsigned char sightline_sums_kernels_end[];
}

namespace sightline::cuda {

namespace {

constexpr unsigned kThreads = 256;  // as sums.cu says

unsigned number(int of) { return static_cast<unsigned>(of); }

}  // namespace

Sums::Sums(DevicePtr device)
    : kernels_(std::make_shared<const Module>(
          std::move(device), std::span(sightline_sums_kernels, sightline_sums_kernels_end))),
      detail_(kernels_->function("sum_detail")),
      channels_(kernels_->function("sum_channels")) {}

void Sums::detail(Address pictures, Size size, int count, Address to, const Stream& stream) const {
  if (count == 0) return;
  const std::array<void*, 4> arguments = {&pictures, &size.width, &size.height, &to};
  launch(detail_, {number(count), 1, 1}, {kThreads, 1, 1}, arguments, stream);
}

void Sums::channels(Address tensors, const TensorSpec& spec, sampling::Span columns,
                    sampling::Span rows, int count, Address to, const Stream& stream) const {
  if (count == 0) return;
  int width = spec.size.width, height = spec.size.height, channels = spec.channel_count();
  int interleaved = spec.layout == Layout::kNhwc ? 1 : 0;
  int across = columns.end - columns.begin, down = rows.end - rows.begin;
  const std::array<void*, 10> arguments = {
      &tensors,       &width,      &height, &channels, &interleaved,
      &columns.begin, &rows.begin, &across, &down,     &to};
  launch(channels_, {number(count), 3, 1}, {kThreads, 1, 1}, arguments, stream);
}

}  // namespace sightline::cuda
