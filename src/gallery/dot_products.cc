// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/dot_products.h"

#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gallery/dot_products.cc"
#include <hwy/foreach_target.h>  // must come before highway.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sightline::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Four sums side by side hide the latency of the multiply-adds.
float DotProduct(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, std::size_t count) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  auto sum0 = hn::Zero(d), sum1 = hn::Zero(d), sum2 = hn::Zero(d), sum3 = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    sum0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
    sum1 = hn::MulAdd(hn::LoadU(d, a + i + lanes), hn::LoadU(d, b + i + lanes), sum1);
    sum2 = hn::MulAdd(hn::LoadU(d, a + i + 2 * lanes), hn::LoadU(d, b + i + 2 * lanes), sum2);
    sum3 = hn::MulAdd(hn::LoadU(d, a + i + 3 * lanes), hn::LoadU(d, b + i + 3 * lanes), sum3);
  }
  for (; i + lanes <= count; i += lanes)
    sum0 = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
  float rest = 0;
  for (; i < count; ++i) rest += a[i] * b[i];
  return rest + hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
}

void DotProducts(const float* rows, const float* query, std::size_t dimensions, float* out,
                 std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = DotProduct(rows + i * dimensions, query, dimensions);
}

}  // namespace sightline::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sightline {

HWY_EXPORT(DotProducts);

void dot_products(std::span<const float> rows, std::span<const float> query, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(DotProducts)
  (rows.data(), query.data(), query.size(), out.data(), out.size());
}

}  // namespace sightline
#endif
