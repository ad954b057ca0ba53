// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the objects of one stream do: which lines they cross, which zones they are in and for how
// long, where they go.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analytics/class_filters.h"
#include "analytics/line_counter.h"
#include "analytics/motion.h"
#include "analytics/place.h"
#include "analytics/rules.h"
#include "analytics/stream_clock.h"
#include "analytics/zone_counter.h"

namespace sightline {

// An object of a frame. One without a track is counted where it is, but it crosses nothing and goes
// nowhere.
struct Sighting {
  std::optional<std::uint64_t> track;
  int class_id = -1;
  std::string_view label;
  Rect box;  // pixels of the frame; one that is not finite is passed over
};

struct ObservedFrame {
  Size frame;                                    // both sides above 0
  std::optional<std::chrono::nanoseconds> time;  // running time
  std::optional<std::uint64_t> number;           // none: one more than the frame before
  std::chrono::nanoseconds frame_duration{0};    // for frames without a time
  std::span<const Sighting> objects;
};

struct LineCount {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
};

struct ZoneCount {
  std::uint64_t now = 0;  // tracks inside, and objects without a track in this frame
  std::uint64_t in = 0;   // tracks that entered or were first seen inside
  std::uint64_t out = 0;  // tracks that left or were lost inside: in - out are the tracks inside
  bool overcrowded = false;
};

// Lines, zones and directions are indexes into the StreamRules.
struct ObjectFindings {
  struct Dwell {
    std::size_t zone;
    std::chrono::nanoseconds time;  // 0 of an object without a track
  };

  std::vector<Dwell> zones;
  std::vector<LineCrossing> crossings;   // in this frame
  std::optional<std::size_t> direction;  // that it follows most closely
};

struct SceneEvent {
  enum class Kind { kCrossed, kEntered, kLeft, kOvercrowded, kOvercrowdedEnd };

  Kind kind;
  std::size_t index = 0;             // of the line or zone
  std::uint64_t track = 0;           // of the first three
  bool inwards = false;              // kCrossed
  bool lost = false;                 // kLeft: nobody saw it leave
  std::chrono::nanoseconds time{0};  // kLeft: dwell; kOvercrowdedEnd: how long there were too many
  std::uint64_t count = 0;           // of the last two: objects in the zone
};

struct Findings {
  std::uint64_t number = 0;  // of the frame
  std::vector<LineCount> lines;
  std::vector<ZoneCount> zones;
  std::vector<ObjectFindings> objects;  // as in the observation
  std::vector<SceneEvent> events;
};

// For one thread at a time. Memory is bounded by the tracks of the last StreamRules::track_timeout,
// and by kMaxTracks.
class Scene {
 public:
  // More than these are kept only while a single frame has more.
  static constexpr std::size_t kMaxTracks = 16384;

  explicit Scene(StreamRules rules);

  const StreamRules& rules() const { return rules_; }

  // The next frame of the stream. Boxes keep their meaning if its size changes.
  Findings observe(const ObservedFrame& frame);

  // From the next frame on `rules` hold. A line and a zone have the counts of the one that had
  // their name, and who was in the zone is in it until it is seen outside.
  void replace(StreamRules rules);

 private:
  struct Track {
    std::optional<Place> place;  // where it was last, in the present layout
    std::chrono::nanoseconds last_seen{0};
    std::uint64_t last_frame = 0;
    std::vector<LineCounter::Begun> begun;
    std::vector<ZoneCounter::Stay> stays;
    Motion motions[2];  // by anchor
  };

  // The rules for pictures of one shape.
  struct Layout {
    Layout(const StreamRules& rules, float frame_aspect);

    float aspect;
    ClassFilters filters;
    LineCounter lines;
    ZoneCounter zones;
    std::vector<std::size_t> direction_filters;
  };

  void fit(Size frame);
  void replace_lines(const std::vector<LineRule>& rules);
  void replace_zones(const std::vector<ZoneRule>& rules);
  void look_at(const Sighting& object, Size frame, ObjectFindings& found, Findings& findings);
  Track* track_of(const Sighting& object);
  void count_untracked(const Place& place, ObjectFindings& found);
  void follow_lines(const Sighting& object, Track& track, const Place& place, ObjectFindings& found,
                    Findings& findings);
  void follow_zones(const Sighting& object, Track& track, const Place& place, ObjectFindings& found,
                    Findings& findings);
  void follow_motion(Track& track, const Place& place, ObjectFindings& found);
  void leave(std::uint64_t id, const ZoneCounter::Stay& stay, std::chrono::nanoseconds when,
             bool lost, Findings& findings);
  void forget_lost_tracks(Findings& findings);
  void count_zones(Findings& findings);

  StreamRules rules_;
  std::optional<Layout> layout_;
  StreamClock clock_;
  std::chrono::nanoseconds now_{0};
  std::uint64_t frames_ = 0;       // seen so far
  std::uint64_t next_number_ = 0;  // of a frame without one
  std::unordered_map<std::uint64_t, Track> tracks_;
  std::vector<LineCount> line_counts_;
  std::vector<ZoneCount> zone_counts_;
  std::vector<std::uint64_t> untracked_;  // in each zone, in this frame
  std::vector<Crowd> crowds_;             // of each zone

  // Of one object, kept for their memory.
  AcceptedBy accepted_;
  std::vector<std::size_t> zones_found_;
  std::vector<ZoneCounter::Stay> left_;
};

}  // namespace sightline
