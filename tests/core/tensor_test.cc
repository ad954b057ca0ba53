// SPDX-License-Identifier: LGPL-2.1-or-later

#include "core/tensor.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "core/error.h"

namespace sightline {
namespace {

// IEEE 754 half precision by its definition, in double arithmetic.
double half_by_definition(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, fraction = half & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(Tensor, EveryHalfSurvivesTheWayToFloatAndBack) {
  for (unsigned half = 0; half < 0x10000; ++half) {
    const float value = half_to_float(static_cast<std::uint16_t>(half));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value))));
      continue;
    }
    EXPECT_TRUE(std::isinf(value) || value == half_by_definition(static_cast<std::uint16_t>(half)));
    EXPECT_EQ(float_to_half(value), half);
  }
}

TEST(Tensor, HalvesRoundToNearestEven) {
  for (unsigned half = 0; half < 0x7bff; ++half) {
    const double low = half_by_definition(static_cast<std::uint16_t>(half));
    const double high = half_by_definition(static_cast<std::uint16_t>(half + 1));
    const unsigned even = (half & 1u) == 0 ? half : half + 1;
    EXPECT_EQ(float_to_half(static_cast<float>((low + high) / 2)), even);
    EXPECT_EQ(float_to_half(static_cast<float>(low + (high - low) * 0.49)), half);
    EXPECT_EQ(float_to_half(static_cast<float>(low + (high - low) * 0.51)), half + 1);
  }
  EXPECT_EQ(float_to_half(65520), 0x7c00);  // the tie above the largest half goes to infinity
  EXPECT_EQ(float_to_half(65519), 0x7bff);
}

TEST(Tensor, CountsThatCannotBeAreRefused) {
  EXPECT_EQ(element_count({2, 3, 4}), 24u);
  EXPECT_EQ(element_count({}), 1u);
  EXPECT_THROW(element_count({2, -1}), Error);
  EXPECT_THROW(element_count({std::numeric_limits<std::int64_t>::max(), 4}), Error);
}

TEST(Tensor, ElementsOfADeviceAreCopiedOnceWhenSomebodyReadsThem) {
  const float values[] = {1, 2, 3, 4};
  int copies = 0;
  const auto on_device = std::make_shared<const DeviceElements>(
      3, [&](void* to, const std::byte* from, std::size_t bytes) {
        ++copies;
        std::memcpy(to, from, bytes);
      });
  Tensor tensor{.name = "x", .shape = {4}, .memory = MemoryKind::kCuda};
  tensor.data = reinterpret_cast<const std::byte*>(values);
  EXPECT_THROW(tensor.floats(), Error);  // nobody knows how
  tensor.on_device = on_device;
  Tensor half = tensor;
  half.shape = {2};
  half.data += 2 * sizeof(float);
  half.on_device = on_device->of_a_part();
  EXPECT_EQ(half.on_device->gpu(), 3);

  EXPECT_EQ(tensor.floats()[3], 4);
  const Tensor copy = tensor;
  EXPECT_EQ(copy.floats().data(), tensor.floats().data());
  EXPECT_EQ(copies, 1);
  EXPECT_EQ(half.floats()[0], 3);
  EXPECT_EQ(copies, 2);
}

TEST(Tensor, OnlyFloatsAreGivenAsFloats) {
  const float values[] = {1, 2, 3};
  Tensor tensor = Tensor::copy_of("x", {3}, values);
  EXPECT_EQ(tensor.floats()[2], 3);
  EXPECT_EQ(tensor.bytes(), 12u);
  tensor.type = ElementType::kInt32;
  EXPECT_THROW(static_cast<void>(tensor.floats()), Error);
  EXPECT_THROW(Tensor::copy_of("x", {4}, values), Error);
}

}  // namespace
}  // namespace sightline
