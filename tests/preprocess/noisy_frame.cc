// SPDX-License-Identifier: LGPL-2.1-or-later

#include "noisy_frame.h"

#include <new>

#include <sys/mman.h>
#include <unistd.h>

namespace sightline {

namespace {

struct PlaneShape {
  int row_bytes, rows;
};

std::vector<PlaneShape> shapes_of(PixelFormat format, Size size) {
  const int w = size.width, h = size.height, half_w = (w + 1) / 2, half_h = (h + 1) / 2;
  switch (format) {
    case PixelFormat::kNv12:
    case PixelFormat::kNv21:
      return {{w, h}, {2 * half_w, half_h}};
    case PixelFormat::kI420:
    case PixelFormat::kYv12:
      return {{w, h}, {half_w, half_h}, {half_w, half_h}};
    case PixelFormat::kYuy2:
    case PixelFormat::kUyvy:
      return {{4 * half_w, h}};
    case PixelFormat::kRgb:
    case PixelFormat::kBgr:
      return {{3 * w, h}};
    case PixelFormat::kGray8:
      return {{w, h}};
    case PixelFormat::kRgbp:
    case PixelFormat::kGbr:
      return {{w, h}, {w, h}, {w, h}};
    case PixelFormat::kP010:
      return {{2 * w, h}, {4 * half_w, half_h}};
    default:
      return {{4 * w, h}};
  }
}

}  // namespace

GuardedMemory::GuardedMemory(std::size_t bytes, Flush flush) : bytes_(bytes) {
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t usable = (bytes + page - 1) / page * page;
  mapped_bytes_ = usable + 2 * page;
  mapped_ = mmap(nullptr, mapped_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped_ == MAP_FAILED) throw std::bad_alloc();
  std::uint8_t* begin = static_cast<std::uint8_t*>(mapped_) + page;
  if (mprotect(begin, usable, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
  data_ = flush == Flush::kAtEnd ? begin + usable - bytes : begin;
}

GuardedMemory::~GuardedMemory() { munmap(mapped_, mapped_bytes_); }

NoisyFrame::NoisyFrame(PixelFormat format, Size size, std::mt19937& random, Strides strides) {
  view.format = format;
  view.size = size;
  std::uniform_int_distribution<int> byte(0, 255);
  std::size_t p = 0;
  for (const PlaneShape shape : shapes_of(format, size)) {
    const int padding = format == PixelFormat::kP010 ? 36 : 37;  // its words stay aligned
    const std::ptrdiff_t stride = shape.row_bytes + (strides == Strides::kTight ? 0 : padding);
    const std::ptrdiff_t bytes = stride * (shape.rows - 1) + shape.row_bytes;
    const bool negative = strides == Strides::kNegative;
    memory.push_back(std::make_unique<GuardedMemory>(
        static_cast<std::size_t>(bytes),
        negative ? GuardedMemory::Flush::kAtBegin : GuardedMemory::Flush::kAtEnd));
    std::uint8_t* data = memory.back()->data();
    for (std::ptrdiff_t i = 0; i < bytes; ++i) data[i] = static_cast<std::uint8_t>(byte(random));
    view.planes[p++] = {negative ? data + stride * (shape.rows - 1) : data,
                        negative ? -stride : stride};
  }
}

}  // namespace sightline
