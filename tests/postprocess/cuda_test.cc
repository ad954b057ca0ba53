// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Screening on a GPU, beside the reference. Without a GPU these tests are skipped, and say what is
// missing.

#include "core/cuda.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "fixtures.h"
#include "postprocess/cuda/screener.h"
#include "reference_screen.h"
#include "screened_families.h"

namespace sightline {
namespace {

using test::ScreenedFamily;
using Hits = std::vector<std::vector<std::int32_t>>;

std::string text_of(const std::vector<std::int32_t>& hit) {
  std::string text = "row " + std::to_string(hit[0]) + ", class " + std::to_string(hit[1]) + ":";
  for (std::size_t i = 2; i < hit.size(); ++i)
    text += " " + std::to_string(std::bit_cast<float>(hit[i]));
  return text;
}

class CudaScreen : public testing::TestWithParam<ScreenedFamily> {
 protected:
  void SetUp() override {
    try {
      gpu_ = cuda::Device::open(0);
    } catch (const Error& error) {
      GTEST_SKIP() << "no GPU to test on: " << error.what();
    }
    stream_ = std::make_unique<cuda::Stream>(gpu_);
  }

  // Items' tensors one after the other in device memory.
  Tensor on_device(const std::vector<std::vector<Tensor>>& items, std::size_t output) {
    const Tensor& first = items[0][output];
    cuda::DeviceMemory& memory = memory_.emplace_back(gpu_, items.size() * first.bytes());
    for (std::size_t i = 0; i < items.size(); ++i)
      stream_->upload(memory.address() + i * first.bytes(), items[i][output].data, first.bytes());
    Tensor tensor{first.name, first.type, first.shape, MemoryKind::kCuda};
    tensor.shape.insert(tensor.shape.begin(), static_cast<std::int64_t>(items.size()));
    tensor.data = reinterpret_cast<const std::byte*>(memory.address());
    return tensor;
  }

  // The counts, and for each item the hits that there was room for, by row and class.
  std::vector<Hits> found(const Screening& screening, const std::vector<std::vector<Tensor>>& items,
                          std::size_t capacity, std::vector<std::int32_t>& counts) {
    std::vector<Tensor> outputs;
    for (std::size_t o = 0; o < items[0].size(); ++o) outputs.push_back(on_device(items, o));
    const std::size_t words = words_a_hit(screening);
    counts.assign(items.size(), -1);
    std::vector<std::int32_t> all(items.size() * capacity * words);
    const cuda::DeviceMemory to_counts(gpu_, counts.size() * sizeof(std::int32_t)),
        to_hits(gpu_, all.size() * sizeof(std::int32_t));
    const cuda::Screener screener(gpu_, screening);
    screener.run(outputs, static_cast<int>(items.size()),
                 {to_counts.address(), to_hits.address(), capacity}, *stream_);
    stream_->download(counts.data(), to_counts.address(), to_counts.bytes());
    stream_->download(all.data(), to_hits.address(), to_hits.bytes());
    stream_->wait_on_host();
    std::vector<Hits> hits(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::size_t count = std::min(capacity, static_cast<std::size_t>(counts[i]));
      for (std::size_t h = 0; h < count; ++h) {
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>((i * capacity + h) * words);
        hits[i].emplace_back(begin, begin + static_cast<std::ptrdiff_t>(words));
      }
      std::ranges::sort(hits[i]);
    }
    return hits;
  }

  cuda::DevicePtr gpu_;
  std::unique_ptr<cuda::Stream> stream_;
  std::vector<cuda::DeviceMemory> memory_;
};

TEST_P(CudaScreen, FindsTheHitsOfTheReference) {
  const ScreenedFamily& family = GetParam();
  std::mt19937 random(3);
  for (const bool half : {false, true}) {
    std::vector<std::vector<Tensor>> items(5);
    for (auto& item : items) {
      item = family.random_outputs(random);
      if (half)
        for (Tensor& tensor : item) tensor = test::as_half(tensor);
    }
    const auto postprocessor =
        test::make(family.config(), test::network_of(family.input, items[0]));
    const Screening screening = postprocessor->screening();
    std::vector<std::int32_t> counts;
    const std::vector<Hits> all = found(screening, items, most_hits(screening), counts);
    std::size_t least = most_hits(screening);
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string where = "item " + std::to_string(i) + (half ? ", float16" : "");
      Hits expected = reference::hits(screening, items[i]);
      std::ranges::sort(expected);
      least = std::min(least, expected.size());
      ASSERT_EQ(static_cast<std::size_t>(counts[i]), expected.size()) << where;
      for (std::size_t h = 0; h < expected.size(); ++h)
        EXPECT_EQ(text_of(all[i][h]), text_of(expected[h])) << where << ", hit " << h;
    }
    ASSERT_GT(least, 1u);
    // With room for fewer, all are counted, and those that are there are some of them.
    const std::vector<Hits> some = found(screening, items, least - 1, counts);
    for (std::size_t i = 0; i < items.size(); ++i) {
      EXPECT_EQ(static_cast<std::size_t>(counts[i]), all[i].size()) << i;
      EXPECT_TRUE(std::ranges::includes(all[i], some[i])) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Families, CudaScreen, testing::ValuesIn(test::screened_families()),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           std::erase_if(name, [](char c) { return std::isalnum(c) == 0; });
                           return name;
                         });

}  // namespace
}  // namespace sightline
