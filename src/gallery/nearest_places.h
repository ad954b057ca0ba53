// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The nearest places that a search has come to, and around which of them it has not looked yet.

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace sightline {

// In order as far as a search needs it: by steps of distance. So what each place costs does not
// grow with how many there are; to keep hundreds in heaps costs as much as to compare the rows.
class NearestPlaces {
 public:
  struct Place {
    float distance;
    std::uint32_t number;
  };

  // The `wanted` nearest, and what else is in the step of the farthest of them, up to twice as
  // many. Steps are equal up to the distance `reach`; all beyond is one.
  NearestPlaces(std::size_t wanted, float reach)
      : wanted_(wanted), steps_of_one_(kSteps / std::max(reach, kLeastReach)) {
    constexpr std::size_t kOffered = 4;  // as many times the wanted come, mostly
    places_.reserve(kOffered * wanted);
    next_.reserve(kOffered * wanted);
    first_.fill(kNone);
  }

  // What is farther need not be offered.
  float limit() const { return limit_; }

  void offer(const Place& place) {
    const std::size_t step = step_of(place.distance);
    if (step > last_step_ || (step == last_step_ && kept_ >= 2 * wanted_)) return;
    const auto index = static_cast<std::uint32_t>(places_.size());
    places_.push_back(place);
    next_.push_back(first_[step]);
    first_[step] = index;
    open_[step / kBits] |= std::uint64_t{1} << step % kBits;
    nearest_open_ = std::min(nearest_open_, step);
    ++counts_[step];
    ++kept_;
    forget_far_ones();
  }

  // The nearest that was not taken yet, if there is one among the wanted.
  bool take(std::uint32_t& number) {
    if (!find_open() || nearest_open_ > last_step_) return false;
    const std::uint32_t index = first_[nearest_open_];
    first_[nearest_open_] = next_[index];
    if (first_[nearest_open_] == kNone)
      open_[nearest_open_ / kBits] &= ~(std::uint64_t{1} << nearest_open_ % kBits);
    number = places_[index].number;
    return true;
  }

  // All, nearest first.
  std::vector<Place> sorted() const {
    std::vector<Place> all(kept_);
    std::array<std::uint32_t, kSteps> ends;  // of each step; its beginning, as long as it fills
    std::uint32_t end = 0;
    for (std::size_t step = 0; step <= last_step_; end += counts_[step++]) ends[step] = end;
    for (const Place& place : places_)
      if (const std::size_t step = step_of(place.distance); step <= last_step_)
        all[ends[step]++] = place;
    for (std::size_t step = 0; step <= last_step_; ++step)
      if (counts_[step] > 1)
        std::sort(all.begin() + (ends[step] - counts_[step]), all.begin() + ends[step],
                  [](const Place& a, const Place& b) { return a.distance < b.distance; });
    return all;
  }

 private:
  static constexpr std::size_t kSteps = 4096;
  static constexpr std::size_t kBits = 64;
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr float kLeastReach = 1e-6f;

  std::size_t step_of(float distance) const {
    const float step = std::max(distance, 0.0f) * steps_of_one_;
    return step < kSteps ? static_cast<std::size_t>(step) : kSteps - 1;
  }
  void forget_far_ones() {
    while (last_step_ > 0 && kept_ - counts_[last_step_] >= wanted_) {
      kept_ -= counts_[last_step_];
      --last_step_;
      limit_ = static_cast<float>(last_step_ + 1) * one_step_;
    }
  }
  bool find_open() {
    std::size_t word = nearest_open_ / kBits;
    if (word == open_.size()) return false;
    std::uint64_t bits = open_[word] & ~std::uint64_t{0} << nearest_open_ % kBits;
    while (bits == 0 && ++word < open_.size()) bits = open_[word];
    nearest_open_ =
        bits == 0 ? kSteps : word * kBits + static_cast<std::size_t>(std::countr_zero(bits));
    return bits != 0;
  }

  const std::size_t wanted_;
  const float steps_of_one_, one_step_ = 1 / steps_of_one_;
  std::size_t kept_ = 0;
  std::size_t last_step_ = kSteps - 1;
  float limit_ = std::numeric_limits<float>::infinity();
  std::size_t nearest_open_ = kSteps;  // no step before it has a place that was not taken
  std::vector<Place> places_;
  std::vector<std::uint32_t> next_;                   // in the step, of those not taken
  std::array<std::uint32_t, kSteps> first_;           // likewise
  std::array<std::uint32_t, kSteps> counts_{};        // of all
  std::array<std::uint64_t, kSteps / kBits> open_{};  // which steps have any that was not taken
};

}  // namespace sightline
