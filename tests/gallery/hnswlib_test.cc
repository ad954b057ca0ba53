// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The graph is the one that hnswlib itself makes. (Its header can be included by one source of a
// program only.)

#include <cstdint>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#define NO_MANUAL_VECTORIZATION  // hnswlib prefetches by what lies behind the last link of a list
#endif
#include <hnswlib/hnswlib.h>

#include <gtest/gtest.h>

#include "gallery/byte_scores.h"
#include "gallery/neighbor_graph.h"
#include "scratch.h"

namespace sightline {
namespace {

constexpr int kDimensions = 32;

class ByteSpace final : public hnswlib::SpaceInterface<float> {
 public:
  std::size_t get_data_size() override { return byte_vector_size(kDimensions); }
  hnswlib::DISTFUNC<float> get_dist_func() override { return byte_distance(); }
  void* get_dist_func_param() override { return &bytes_; }

 private:
  std::size_t bytes_ = 4 * quads(kDimensions);
};

TEST(Hnswlib, MakesTheSameGraphRowByRow) {
  constexpr std::size_t kRows = 4000;
  const std::vector<float> centre(kDimensions);
  NeighborGraph graph(centre, kRows);
  ByteSpace space;
  hnswlib::HierarchicalNSW<float> other(&space, kRows, NeighborGraph::kLinks,
                                        NeighborGraph::kBuildWidth);
  std::vector<std::vector<float>> rows;
  for (unsigned row = 0; row < kRows; ++row) rows.push_back(unit_vector(row, kDimensions));
  const auto values = [&](std::size_t row) { return std::span<const float>(rows[row]); };
  ASSERT_TRUE(graph.add_all(kRows / 2, 1, values, {}));
  while (graph.size() < kRows) graph.add(rows[graph.size()]);
  std::vector<std::byte> bytes(byte_vector_size(kDimensions));
  for (std::size_t row = 0; row < kRows; ++row) {
    write_byte_vector(rows[row], centre, bytes.data());
    other.addPoint(bytes.data(), row);
  }
  const std::span<const std::byte> nodes = graph.nodes();
  ASSERT_EQ(nodes.size(), kRows * other.size_data_per_element_);
  std::size_t equal = 0;
  for (std::size_t row = 0; row < kRows; ++row) {
    const std::size_t at = row * other.size_data_per_element_;
    const auto links = [](const void* list) {
      const auto* all = static_cast<const std::uint32_t*>(list);
      return std::vector<std::uint32_t>(all + 1,
                                        all + 1 + *reinterpret_cast<const std::uint16_t*>(all));
    };
    equal += links(nodes.data() + at) == links(other.data_level0_memory_ + at);
  }
  EXPECT_EQ(equal, kRows);
  EXPECT_GT(other.maxlevel_, 0);
}

}  // namespace
}  // namespace sightline
