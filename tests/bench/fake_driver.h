// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the fake driver takes for what.

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

struct CUstream_st;

namespace sightline::testing {

// Addresses from here on are pinned memory of the host, and the device's.
inline constexpr std::uint64_t kKnown = 1000, kDevice = 2000;

struct FakeGraph;

// A copy; of no bytes: a kernel; or another graph.
struct FakeNode {
  std::uint64_t to = 0, from = 0;
  std::size_t bytes = 0;
  FakeGraph* child = nullptr;
};

struct FakeGraph {
  std::vector<FakeNode> nodes;
};

// What is put into this stream is recorded.
inline CUstream_st* recording_stream() { return reinterpret_cast<CUstream_st*>(4); }

}  // namespace sightline::testing
