// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Choices and numbers out of a fuzzer's bytes; after their end, out of a generator that they seed.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace sightline::fuzz {

class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
    for (const std::uint8_t byte : bytes) state_ = (state_ ^ byte) * 0x100000001b3u;
  }

  std::uint8_t byte() {
    if (next_ < bytes_.size()) return bytes_[next_++];
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint8_t>(state_ >> 56);
  }
  std::size_t below(std::size_t count) { return byte() % count; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <typename T, std::size_t kCount>
  const T& one_of(const T (&values)[kCount]) {
    return values[below(kCount)];
  }

  // Mostly what networks say, now and then what they should not.
  float number() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kMax = std::numeric_limits<float>::max();
    static constexpr float kOdd[] = {std::numeric_limits<float>::quiet_NaN(),
                                     kInfinity,
                                     -kInfinity,
                                     kMax,
                                     -kMax,
                                     std::numeric_limits<float>::denorm_min(),
                                     1e6f,
                                     -1e6f,
                                     1e30f,
                                     0.0f,
                                     -0.0f,
                                     1.0f};
    const std::uint8_t kind = byte();
    if (kind < 16) return one_of(kOdd);
    if (kind < 24) {
      std::uint32_t bits = 0;
      for (int i = 0; i < 4; ++i) bits = bits << 8 | byte();
      return std::bit_cast<float>(bits);
    }
    const float share = static_cast<float>(byte()) / 255;
    if (kind < 120) return share;
    if (kind < 200) return share * 128;
    return share * 16 - 8;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t next_ = 0;
  std::uint64_t state_ = 0xcbf29ce484222325u;
};

}  // namespace sightline::fuzz
