// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who is in which zone, since when, and whether there are too many.
//
// An object is in a zone from its first point inside until it is outside by more than the zone's
// hysteresis.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "analytics/class_filters.h"
#include "analytics/grid.h"
#include "analytics/place.h"
#include "analytics/polygon.h"
#include "analytics/rules.h"

namespace sightline {

class ZoneCounter {
 public:
  // Of one object in one zone.
  struct Stay {
    std::size_t zone;
    std::chrono::nanoseconds since;
  };

  // For a picture of width ÷ height = `aspect`.
  ZoneCounter(const std::vector<ZoneRule>& rules, float aspect, ClassFilters& filters);

  // An object is at `place`. Updates its stays, which are in the order of zones, and appends those
  // that ended and the zones that it entered. Whether its class counts matters when it enters only.
  void move(const Place& place, std::chrono::nanoseconds now, const AcceptedBy& accepted,
            std::vector<Stay>& stays, std::vector<Stay>& left, std::vector<std::size_t>& entered);

  // The zones that `place` is in, ascending.
  void find(const Place& place, const AcceptedBy& accepted, std::vector<std::size_t>& found) const;

 private:
  struct Zone {
    Polygon polygon;
    bool inverse;
    Anchor anchor;
    std::size_t filter;
    float hysteresis;
  };

  static bool contains(const Zone& zone, const Place& place);
  static bool has_left(const Zone& zone, const Place& place);

  std::vector<Zone> zones_;
  Grid grid_;
  std::vector<std::size_t> inside_;  // of one move
  std::vector<Stay> stays_;
};

// Whether there has been a crowd in a zone for long enough.
class Crowd {
 public:
  enum class Change { kNone, kBegins, kEnds };

  // `count` objects are in the zone of `rule` at `now`.
  Change update(const ZoneRule& rule, std::uint64_t count, std::chrono::nanoseconds now);

  bool overcrowded() const { return overcrowded_; }
  // How long there were too many in the crowd that ended last.
  std::chrono::nanoseconds lasted() const { return lasted_; }

 private:
  std::optional<std::chrono::nanoseconds> since_;  // when there came to be too many
  std::chrono::nanoseconds lasted_{0};
  bool overcrowded_ = false;
};

}  // namespace sightline
