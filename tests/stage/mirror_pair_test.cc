// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/mirror_pair.h"

#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(MirrorPair, TheSecondIsMadeOfTheFirst) {
  TensorSpec spec;
  spec.size = {2, 1};
  TensorPool memory(spec.bytes_per_item(), 1);
  MirrorPair pair(memory, spec);
  std::vector<float> first(6), second(6);
  int samplings = 0;
  pair.write(std::as_writable_bytes(std::span(first)), [&] {
    ++samplings;
    first = {1, 2, 3, 4, 5, 6};
  });
  pair.write(std::as_writable_bytes(std::span(second)), [&] { ++samplings; });
  EXPECT_EQ(samplings, 1);
  EXPECT_EQ(second, (std::vector<float>{2, 1, 4, 3, 6, 5}));
}

TEST(MirrorPair, AFirstOneThatFailsLeavesTheSecondToItself) {
  TensorSpec spec;
  spec.size = {2, 1};
  TensorPool memory(spec.bytes_per_item(), 1);
  MirrorPair pair(memory, spec);
  std::vector<float> item(6);
  const auto bytes = std::as_writable_bytes(std::span(item));
  EXPECT_THROW(pair.write(bytes, [] { throw std::runtime_error("no pixels"); }),
               std::runtime_error);
  pair.write(bytes, [&] { item.assign(6, 7); });
  EXPECT_EQ(item, std::vector<float>(6, 7));
}

TEST(MirrorPair, BothMayComeAtOnce) {
  TensorSpec spec;
  spec.size = {64, 64};
  TensorPool memory(spec.bytes_per_item(), 4);
  for (int round = 0; round < 200; ++round) {
    MirrorPair pair(memory, spec);
    std::vector<std::vector<float>> items(2, std::vector<float>(64 * 64 * 3));
    std::vector<std::thread> threads;
    for (auto& item : items)
      threads.emplace_back([&pair, &item] {
        pair.write(std::as_writable_bytes(std::span(item)),
                   [&item] { std::iota(item.begin(), item.end(), 0.0f); });
      });
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(items[0][0] + items[1][0], 63);
    ASSERT_EQ(items[0][63] + items[1][63], 63);
  }
}

}  // namespace
}  // namespace sightline
