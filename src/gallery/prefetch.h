// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Memory is asked for before it is needed.

#pragma once

#include <cstddef>
#include <cstdint>

namespace sightline {

// All lines of cache that these bytes lie in.
inline void prefetch(const void* memory, std::size_t bytes) {
  constexpr std::uintptr_t kLine = 64;
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  for (std::uintptr_t line = begin / kLine * kLine; line < begin + bytes; line += kLine)
    __builtin_prefetch(reinterpret_cast<const void*>(line));
}

}  // namespace sightline
