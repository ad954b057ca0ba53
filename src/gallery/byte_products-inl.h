// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Products of bytes, for sources that Highway compiles for each target. As those, it is included
// once for each.

#if defined(SIGHTLINE_GALLERY_BYTE_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGHTLINE_GALLERY_BYTE_PRODUCTS_INL_H_
#undef SIGHTLINE_GALLERY_BYTE_PRODUCTS_INL_H_
#else
#define SIGHTLINE_GALLERY_BYTE_PRODUCTS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sightline::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The sum of all a[i] · b[i], where there is no instruction for it; `Byte` is signed or unsigned.
template <typename Byte>
std::int32_t SumOfProducts(const Byte* a, const std::int8_t* b, std::size_t count) {
  std::size_t i = 0;
  std::int32_t total = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<std::int32_t> d;
  const hn::Repartition<std::int16_t, decltype(d)> d16;
  const hn::Rebind<Byte, decltype(d16)> bytes;
  const hn::Rebind<std::int8_t, decltype(d16)> signed_bytes;
  auto low = hn::Zero(d), high = hn::Zero(d);
  for (; i + hn::Lanes(d16) <= count; i += hn::Lanes(d16)) {
    const auto left = hn::PromoteTo(d16, hn::LoadU(bytes, a + i));
    const auto right = hn::PromoteTo(d16, hn::LoadU(signed_bytes, b + i));
    low = hn::ReorderWidenMulAccumulate(d, left, right, low, high);
  }
  total = hn::GetLane(hn::SumOfLanes(d, hn::Add(low, high)));
#endif
  for (; i < count; ++i) total += a[i] * b[i];
  return total;
}

#if HWY_TARGET == HWY_AVX3_DL
// Highway chooses this target for a CPU that has VNNI, but does not tell the compiler of it, which
// therefore refuses the intrinsic.
HWY_INLINE __m512i AddByteProducts(__m512i sums, __m512i unsigned_bytes, __m512i signed_bytes) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(unsigned_bytes), "v"(signed_bytes));
  return sums;
}
#endif

}  // namespace sightline::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
