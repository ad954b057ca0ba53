// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/tensor_pool.h"

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(TensorPool, BlocksAreAlignedAndUsedAgain) {
  TensorPool pool(1000, 2);
  std::byte* first = nullptr;
  for (int i = 0; i < 100; ++i) {
    const auto block = pool.take();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block.get()) % TensorPool::kAlignment, 0u);
    std::memset(block.get(), i, 1000);
    if (first == nullptr) first = block.get();
    EXPECT_EQ(block.get(), first);
  }
  EXPECT_EQ(pool.allocations(), 1u);
}

TEST(TensorPool, KeepsNoMoreThanItShould) {
  TensorPool pool(64, 2);
  std::vector<std::shared_ptr<std::byte>> many;
  for (int i = 0; i < 5; ++i) many.push_back(pool.take());
  EXPECT_EQ(pool.allocations(), 5u);
  many.clear();
  for (int i = 0; i < 3; ++i) many.push_back(pool.take());
  EXPECT_EQ(pool.allocations(), 6u) << "two were kept, one is new";
}

TEST(TensorPool, ABlockMayOutliveThePool) {
  std::shared_ptr<std::byte> block = TensorPool(64, 1).take();
  std::memset(block.get(), 1, 64);
  block.reset();
}

TEST(TensorPool, ThreadsShareIt) {
  TensorPool pool(64, 4);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto block = pool.take();
        std::memset(block.get(), t, 64);
        EXPECT_EQ(block.get()[63], static_cast<std::byte>(t));
      }
    });
  threads.clear();
  EXPECT_LE(pool.allocations(), 4u);
}

}  // namespace
}  // namespace sightline
