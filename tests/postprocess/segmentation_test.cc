// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cstring>

#include <gmock/gmock.h>

#include "fixtures.h"

namespace sightline {
namespace {

using namespace test;
using testing::HasSubstr;

std::vector<std::int32_t> classes_of(const Results& results) {
  const Tensor& map = results.tensors.at(0);
  std::vector<std::int32_t> classes(map.count());
  std::memcpy(classes.data(), map.data, map.bytes());
  return classes;
}

TEST(Segmentation, IsTheStrongestClassInEitherOrder) {
  constexpr std::size_t kClasses = 5, kPixels = 7 * 9;
  std::mt19937 random(1);
  const auto planes = random_numbers(random, kClasses * kPixels, -3, 3);
  std::vector<float> pixels(planes.size());
  std::vector<std::int32_t> expected(kPixels);
  for (std::size_t p = 0; p < kPixels; ++p)
    for (std::size_t c = 0; c < kClasses; ++c) {
      pixels[p * kClasses + c] = planes[c * kPixels + p];
      if (planes[c * kPixels + p] > planes[static_cast<std::size_t>(expected[p]) * kPixels + p])
        expected[p] = static_cast<std::int32_t>(c);
    }
  const std::vector<Tensor> by_plane{Tensor::copy_of("o", {kClasses, 7, 9}, planes)};
  const std::vector<Tensor> by_pixel{Tensor::copy_of("o", {7, 9, kClasses}, pixels)};
  const auto decode = [](const std::string& keys, const std::vector<Tensor>& outputs) {
    return make("[property]\n" + keys, network_of({9, 7}, outputs))->decode(outputs);
  };
  const Results results = decode("network-type=2\n", by_plane);
  EXPECT_EQ(classes_of(results), expected);
  EXPECT_EQ(results.tensors[0].shape, (Shape{7, 9}));
  for (std::size_t p = 0; p < kPixels; ++p)
    EXPECT_EQ(results.tensors[1].floats()[p],
              planes[static_cast<std::size_t>(expected[p]) * kPixels + p]);
  EXPECT_EQ(
      classes_of(decode("model-family=segmentation\nsegmentation-output-order=1\n", by_pixel)),
      expected);
}

TEST(Segmentation, BelowTheThresholdThereIsNoClass) {
  const std::vector<Tensor> one{
      Tensor::copy_of("o", {1, 1, 4}, std::vector{0.2f, 0.5f, 0.7f, kNan})};
  const auto decode = [&](const std::string& keys) {
    return classes_of(
        make("[property]\nnetwork-type=2\n" + keys, network_of({4, 1}, one))->decode(one));
  };
  EXPECT_EQ(decode(""), (std::vector<std::int32_t>{-1, 0, 0, -1}));
  EXPECT_EQ(decode("segmentation-threshold=0.6\n"), (std::vector<std::int32_t>{-1, -1, 0, -1}));
}

TEST(Segmentation, NamedClassesAreSaidWithTheirShare) {
  const std::vector<Tensor> two{
      Tensor::copy_of("o", {2, 1, 4}, std::vector<float>{1, 1, 1, 0, 0, 0, 0, 1})};
  const auto said = make("[property]\nnetwork-type=2\nlabels=road;sky\n", network_of({4, 1}, two))
                        ->decode(two)
                        .classifications;
  ASSERT_EQ(said.size(), 2u);
  EXPECT_EQ(said[0].label, "road");
  EXPECT_EQ(said[0].confidence, 0.75f);
  EXPECT_EQ(said[1].confidence, 0.25f);
}

TEST(Segmentation, OtherOutputsAreRefused) {
  const std::vector<Tensor> flat{Tensor::copy_of("o", {8}, std::vector<float>(8))};
  EXPECT_THAT(complaint("[property]\nnetwork-type=2\n", network_of({4, 1}, flat)),
              HasSubstr("[classes,h,w]"));
  const std::vector<Tensor> two{Tensor::copy_of("o", {2, 1, 4}, std::vector<float>(8))};
  EXPECT_THAT(complaint("[property]\nnetwork-type=2\nlabels=road\n", network_of({4, 1}, two)),
              HasSubstr("expected 2, one a class"));
}

}  // namespace
}  // namespace sightline
