// SPDX-License-Identifier: LGPL-2.1-or-later

#include "scene_builder.h"

#include "core/config_file.h"

namespace sightline::testing {
namespace {

std::string describe(const SceneEvent& event) {
  using Kind = SceneEvent::Kind;
  const std::string index = std::to_string(event.index);
  const std::string by = " by " + std::to_string(event.track);
  const std::string after =
      " after " + std::to_string(std::chrono::duration_cast<milliseconds>(event.time).count()) +
      " ms";
  const std::string with = " with " + std::to_string(event.count);
  switch (event.kind) {
    case Kind::kCrossed:
      return "crossed " + index + (event.inwards ? " in" : " out") + by;
    case Kind::kEntered:
      return "entered " + index + by;
    case Kind::kLeft:
      return (event.lost ? "lost in " : "left ") + index + by + after;
    case Kind::kOvercrowded:
      return "overcrowded " + index + with;
    case Kind::kOvercrowdedEnd:
      return "no longer overcrowded " + index + with + after;
  }
  return "an unknown event";
}

}  // namespace

Rules rules_of(const std::string& groups) {
  const std::string property =
      groups.starts_with("[property]") ? "" : "[property]\nconfig-width=100\nconfig-height=100\n";
  return Rules::read(ConfigFile::parse(property + groups, "a.ini"));
}

Scene scene_of(const std::string& groups) { return Scene(rules_of(groups).of("")); }

Sighting at(float x, float y, std::optional<std::uint64_t> track, int class_id,
            std::string_view label) {
  return {track, class_id, label, {x, y, 0, 0}};
}

Findings Film::walk(const std::vector<Point>& way) {
  Findings last;
  for (const Point p : way) last = show({at(p.x, p.y)});
  return last;
}

Findings Film::stay(int count, const std::vector<Sighting>& objects) {
  Findings last;
  for (int i = 0; i < count; ++i) last = show(objects);
  return last;
}

Findings Film::show_at(std::chrono::nanoseconds time, const std::vector<Sighting>& objects) {
  Findings findings = scene_.observe({.frame = {100, 100}, .time = time, .objects = objects});
  for (const SceneEvent& event : findings.events) events_.push_back(describe(event));
  return findings;
}

}  // namespace sightline::testing
