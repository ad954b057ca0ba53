// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Products of bytes by VNNI, for sources that Highway compiles for each target. As those, it is
// included once for each.

#if defined(SIGHTLINE_GALLERY_BYTE_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SIGHTLINE_GALLERY_BYTE_PRODUCTS_INL_H_
#undef SIGHTLINE_GALLERY_BYTE_PRODUCTS_INL_H_
#else
#define SIGHTLINE_GALLERY_BYTE_PRODUCTS_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sightline::HWY_NAMESPACE {

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
