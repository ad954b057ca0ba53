// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/zone_counter.h"

#include <algorithm>
#include <utility>

namespace sightline {
namespace {

std::vector<Point> corners_of(const ZoneRule& rule, float aspect) {
  std::vector<Point> corners;
  for (const Point corner : rule.corners) corners.push_back(from_share(corner, aspect));
  return corners;
}

// Where the zone may be: what is outside a polygon is everywhere.
std::vector<Extent> extents_of(const std::vector<ZoneRule>& rules, float aspect) {
  std::vector<Extent> extents;
  for (const ZoneRule& rule : rules)
    extents.push_back(rule.inverse ? Extent{0, 0, aspect, 1} : extent_of(corners_of(rule, aspect)));
  return extents;
}

}  // namespace

ZoneCounter::ZoneCounter(const std::vector<ZoneRule>& rules, float aspect, ClassFilters& filters)
    : grid_(extents_of(rules, aspect), {0, 0, aspect, 1}) {
  for (const ZoneRule& rule : rules)
    zones_.push_back({Polygon(corners_of(rule, aspect)), rule.inverse, rule.subjects.anchor,
                      filters.add(rule.subjects.filter), rule.hysteresis});
}

bool ZoneCounter::contains(const Zone& zone, const Place& place) {
  return zone.polygon.contains(place.at(zone.anchor)) != zone.inverse;
}

bool ZoneCounter::has_left(const Zone& zone, const Place& place) {
  return !contains(zone, place) && zone.polygon.distance(place.at(zone.anchor)) > zone.hysteresis;
}

void ZoneCounter::find(const Place& place, const AcceptedBy& accepted,
                       std::vector<std::size_t>& found) const {
  found.clear();
  const auto add = [&](Anchor anchor) {
    for (const std::uint32_t index : grid_.near(place.at(anchor))) {
      const Zone& zone = zones_[index];
      if (zone.anchor == anchor && accepted[zone.filter] && contains(zone, place))
        found.push_back(index);
    }
  };
  add(Anchor::kBottomCenter);
  const auto middle = static_cast<std::ptrdiff_t>(found.size());
  add(Anchor::kCenter);
  std::inplace_merge(found.begin(), found.begin() + middle, found.end());
}

void ZoneCounter::move(const Place& place, std::chrono::nanoseconds now, const AcceptedBy& accepted,
                       std::vector<Stay>& stays, std::vector<Stay>& left,
                       std::vector<std::size_t>& entered) {
  find(place, accepted, inside_);
  stays_.clear();
  auto stay = stays.begin();
  const auto keep_before = [&](std::size_t zone) {
    for (; stay != stays.end() && stay->zone < zone; ++stay)
      (has_left(zones_[stay->zone], place) ? left : stays_).push_back(*stay);
  };
  for (const std::size_t zone : inside_) {
    keep_before(zone);
    if (stay != stays.end() && stay->zone == zone) {
      stays_.push_back(*stay++);
      continue;
    }
    stays_.push_back({zone, now});
    entered.push_back(zone);
  }
  keep_before(zones_.size());
  std::swap(stays, stays_);
}

Crowd::Change Crowd::update(const ZoneRule& rule, std::uint64_t count,
                            std::chrono::nanoseconds now) {
  if (!rule.object_threshold) return Change::kNone;
  if (count <= *rule.object_threshold) {
    if (since_) lasted_ = now - *since_;
    since_.reset();
    return std::exchange(overcrowded_, false) ? Change::kEnds : Change::kNone;
  }
  if (!since_) since_ = now;
  if (overcrowded_ || now - *since_ < rule.time_threshold) return Change::kNone;
  overcrowded_ = true;
  return Change::kBegins;
}

}  // namespace sightline
