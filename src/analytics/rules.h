// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is to be counted: lines, zones and directions, as a configuration file says.
// docs/analytics.md describes the file, which is in the words of DeepStream's nvdsanalytics where
// it has one.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/config_file.h"
#include "core/geometry.h"

namespace sightline {

// The point of a box that counts as its place.
enum class Anchor { kBottomCenter, kCenter };

// Which objects count. Empty: all.
struct ClassFilter {
  std::vector<int> class_ids;
  std::vector<std::string> labels;

  bool accepts(int class_id, std::string_view label) const;

  friend bool operator==(const ClassFilter&, const ClassFilter&) = default;
};

struct Subjects {
  ClassFilter filter;
  Anchor anchor = Anchor::kBottomCenter;
};

// Points and vectors below are shares of the picture's width and height; lengths are shares of its
// height.

struct LineRule {
  std::string name;
  std::string where;  // file and line, for complaints
  Subjects subjects;
  Point from, to;                // apart
  std::optional<Point> inwards;  // a vector, not along the line; none: to the right of from → to
  bool extended = false;         // counts beyond its ends too
  std::optional<float> min_cosine;  // of the angle between movement and direction; none: any angle
  float hysteresis = 0;
};

struct ZoneRule {
  std::string name;
  std::string where;
  Subjects subjects;
  std::vector<Point> corners;  // not all on one line
  bool inverse = false;        // what is outside counts
  float hysteresis = 0;
  std::optional<std::uint64_t> object_threshold;  // more is a crowd
  std::chrono::nanoseconds time_threshold{0};     // from then on it is overcrowded
};

struct DirectionRule {
  std::string name;
  std::string where;
  Subjects subjects;
  Point from;    // where it is drawn
  Point vector;  // not 0
  float min_cosine = 0;
};

// What holds for one stream. Names are unique among its lines, zones and directions each.
struct StreamRules {
  std::vector<LineRule> lines;
  std::vector<ZoneRule> zones;
  std::vector<DirectionRule> directions;

  float motion_distance = 0;                  // less than this …
  std::chrono::nanoseconds motion_window{0};  // … in this time is no movement
  std::chrono::nanoseconds track_timeout{0};  // a track unseen for longer is gone
};

// Of one kind: those of streams that have a group of their own, and those of all others.
template <typename Rule>
struct RulesByStream {
  std::vector<Rule> general;
  std::map<std::string, std::vector<Rule>, std::less<>> own;

  const std::vector<Rule>& of(std::string_view stream) const {
    const auto found = own.find(stream);
    return found != own.end() ? found->second : general;
  }
};

struct Rules {
  RulesByStream<LineRule> lines;
  RulesByStream<ZoneRule> zones;
  RulesByStream<ZoneRule> crowds;  // zones with an object_threshold
  RulesByStream<DirectionRule> directions;
  float motion_distance = 0.03f;
  std::chrono::nanoseconds motion_window = std::chrono::seconds(1);
  std::chrono::nanoseconds track_timeout = std::chrono::seconds(2);
  std::chrono::nanoseconds stream_timeout = std::chrono::hours(1);

  // Throws Error(kConfig) with file and line.
  static Rules read(const ConfigFile& file);

  StreamRules of(std::string_view stream) const;
};

}  // namespace sightline
