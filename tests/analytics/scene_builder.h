// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Scenes of tests: a configuration in a few words, and frames of 100 × 100 pixels in which an
// object is a point.

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "analytics/scene.h"

namespace sightline::testing {

using std::chrono::milliseconds;

// With config-width and config-height of 100 unless `groups` begins with [property].
Rules rules_of(const std::string& groups);
Scene scene_of(const std::string& groups);

// An object whose bottom centre and centre are both at x, y.
Sighting at(float x, float y, std::optional<std::uint64_t> track = 1, int class_id = 0,
            std::string_view label = "person");

// One frame after another, 100 ms apart.
class Film {
 public:
  explicit Film(Scene& scene) : scene_(scene) {}

  Findings show(const std::vector<Sighting>& objects) {
    time_ += milliseconds(100);
    return show_at(time_, objects);
  }
  // One object, track 1, in one frame after another. The last findings.
  Findings walk(const std::vector<Point>& way);
  // `count` frames of the same.
  Findings stay(int count, const std::vector<Sighting>& objects);
  void skip(milliseconds time) { time_ += time; }

  Findings show_at(std::chrono::nanoseconds time, const std::vector<Sighting>& objects);

  // All events so far, such as "crossed 0 in by 1", "left 2 by 7 after 300 ms".
  const std::vector<std::string>& events() const { return events_; }

 private:
  Scene& scene_;
  milliseconds time_{0};
  std::vector<std::string> events_;
};

}  // namespace sightline::testing
