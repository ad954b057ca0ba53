// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Five good views of one person, picked from video.

#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "app/face.h"

namespace sightline {

// A view is good if it shows one face only, which sightmatch would name by its quality (not turned
// too far, not too small, not too dark), if it is of the person of the first view, and if it
// differs from each view taken before: five equal ones would teach nothing.
class ViewCollector {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kViews = 5;

  // What speaks against this frame's faces, for the person in front of the camera; empty: the view
  // was taken.
  std::string offer(std::span<const Face> faces, Clock::time_point now);

  std::size_t count() const { return taken_.size(); }
  bool complete() const { return count() == kViews; }

 private:
  std::string objection(std::span<const Face> faces) const;

  QualityRule quality_;
  std::vector<std::vector<float>> taken_;
  Clock::time_point last_{};
};

}  // namespace sightline
