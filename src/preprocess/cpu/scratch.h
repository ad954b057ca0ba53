// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The memory that a job works in, mostly a few rows; a thread keeps them from one job to the next.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

namespace sightline::cpu {

// Aligned for the widest vectors, with one such vector to spare behind its end, so that a kernel
// may read and write whole vectors. Grows, never shrinks.
template <typename T>
class Row {
 public:
  T* reserve(std::size_t count) {
    if (count > capacity_) {
      data_.reset(static_cast<T*>(::operator new[](count * sizeof(T) + kSpare, kAlignment)));
      std::memset(data_.get(), 0, count * sizeof(T) + kSpare);
      capacity_ = count;
    }
    return data_.get();
  }
  T* get() const { return data_.get(); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  static constexpr std::size_t kSpare = 256;
  struct Free {
    void operator()(T* p) const { ::operator delete[](p, kAlignment); }
  };
  std::unique_ptr<T[], Free> data_;
  std::size_t capacity_ = 0;
};

// What the columns of an axis-aligned region are made of, in one plane.
struct PlaneScratch {
  Row<std::int32_t> index;           // of the first tap of each tensor column
  Row<std::uint32_t> weights;        // of its two taps, 16 bits each
  Row<std::uint32_t> weights_twice;  // each of them two times, for two channels
  Row<std::int32_t> origin;          // for permutations
  Row<std::uint16_t> lanes;          // likewise
  Row<std::uint8_t> shuffle;         // likewise
};

// Likewise for the area filter.
struct AreaScratch {
  Row<std::int32_t> index;        // of the first tap of each tensor column
  Row<float> weights;             // of all columns' first taps, then of their second ones, …
  std::size_t weights_a_tap = 0;  // from one to the next
};

// A plane of which the area filter has averaged blocks.
struct ReducedScratch {
  Row<std::uint16_t> sums;  // of a row of blocks
  Row<std::uint8_t> samples;
};

// A plane whose samples have been packed by four for a warp.
struct QuadScratch {
  std::array<Row<std::uint32_t>, 3> quads;               // of each channel
  std::array<std::array<Row<std::uint8_t>, 3>, 2> rows;  // two rows of each channel
  Row<std::int32_t> step_x, step_y;
};

struct Scratch {
  std::array<PlaneScratch, 3> planes;
  std::array<ReducedScratch, 3> reduced;
  std::array<AreaScratch, 3> area;
  std::array<QuadScratch, 3> quads;
  Row<std::int16_t> blended;            // two source rows become one
  Row<std::uint64_t> taps;              // what was fetched for each tensor column
  Row<float> sum;                       // of source rows, for the area filter
  std::array<Row<float>, 3> component;  // a tensor row in the source's colours
  std::array<Row<float>, 3> pixel;      // a tensor row in the network's colours
  std::array<Row<float>, 3> partial;    // one of the samples that the area filter averages
  Row<std::byte> elements;              // a tensor row, to be interleaved
};

Scratch& thread_scratch();

}  // namespace sightline::cpu
