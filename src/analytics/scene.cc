// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/scene.h"

#include <algorithm>
#include <utility>

namespace sightline {

using std::chrono::nanoseconds;

Scene::Layout::Layout(const StreamRules& rules, float frame_aspect)
    : aspect(frame_aspect),
      lines(rules.lines, frame_aspect, filters),
      zones(rules.zones, frame_aspect, filters) {
  for (const DirectionRule& rule : rules.directions)
    direction_filters.push_back(filters.add(rule.subjects.filter));
}

Scene::Scene(StreamRules rules)
    : rules_(std::move(rules)),
      line_counts_(rules_.lines.size()),
      zone_counts_(rules_.zones.size()),
      untracked_(rules_.zones.size()),
      crowds_(rules_.zones.size()) {}

Findings Scene::observe(const ObservedFrame& frame) {
  fit(frame.frame);
  Findings findings;
  findings.number = frame.number.value_or(next_number_);
  next_number_ = findings.number + 1;
  now_ = clock_.advance(frame.time, findings.number, frame.frame_duration);
  ++frames_;
  std::fill(untracked_.begin(), untracked_.end(), 0);
  findings.objects.resize(frame.objects.size());
  for (std::size_t i = 0; i < frame.objects.size(); ++i)
    look_at(frame.objects[i], frame.frame, findings.objects[i], findings);
  forget_lost_tracks(findings);
  count_zones(findings);
  findings.lines = line_counts_;
  findings.zones = zone_counts_;
  return findings;
}

namespace {

// For each of the rules `before` the index of the one of its name in `after`.
template <typename Rule>
std::vector<std::optional<std::size_t>> new_places(const std::vector<Rule>& before,
                                                   const std::vector<Rule>& after) {
  std::vector<std::optional<std::size_t>> places;
  for (const Rule& rule : before) {
    const auto found = std::ranges::find(after, rule.name, &Rule::name);
    places.push_back(found != after.end() ? std::optional(found - after.begin()) : std::nullopt);
  }
  return places;
}

// Whether what passes through one has passed through the other.
bool is_same_line(const LineRule& a, const LineRule& b) {
  return a.from == b.from && a.to == b.to && a.inwards == b.inwards && a.extended == b.extended &&
         a.subjects.anchor == b.subjects.anchor;
}

}  // namespace

void Scene::replace(StreamRules rules) {
  replace_lines(rules.lines);
  replace_zones(rules.zones);
  rules_ = std::move(rules);
  if (!layout_) return;
  const float aspect = layout_->aspect;
  layout_.emplace(rules_, aspect);
}

void Scene::replace_lines(const std::vector<LineRule>& rules) {
  const auto places = new_places(rules_.lines, rules);
  std::vector<LineCount> counts(rules.size());
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i]) counts[*places[i]] = line_counts_[i];
  line_counts_ = std::move(counts);
  for (auto& [id, track] : tracks_) {
    std::erase_if(track.begun, [&](const LineCounter::Begun& begun) {
      const auto place = places[begun.line];
      return !place || !is_same_line(rules_.lines[begun.line], rules[*place]);
    });
    for (LineCounter::Begun& begun : track.begun) begun.line = *places[begun.line];
  }
}

void Scene::replace_zones(const std::vector<ZoneRule>& rules) {
  const auto places = new_places(rules_.zones, rules);
  std::vector<ZoneCount> counts(rules.size());
  std::vector<Crowd> crowds(rules.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!places[i]) continue;
    counts[*places[i]] = zone_counts_[i];
    if (rules[*places[i]].object_threshold) crowds[*places[i]] = crowds_[i];
  }
  zone_counts_ = std::move(counts);
  crowds_ = std::move(crowds);
  untracked_.assign(rules.size(), 0);
  for (auto& [id, track] : tracks_) {
    std::erase_if(track.stays, [&](const auto& stay) { return !places[stay.zone]; });
    for (ZoneCounter::Stay& stay : track.stays) stay.zone = *places[stay.zone];
    std::ranges::sort(track.stays, {}, &ZoneCounter::Stay::zone);
  }
}

// In a picture of another shape the places so far mean nothing; who is in which zone stays.
void Scene::fit(Size frame) {
  const float aspect = static_cast<float>(frame.width) / static_cast<float>(frame.height);
  if (layout_ && layout_->aspect == aspect) return;
  layout_.emplace(rules_, aspect);
  for (auto& [id, track] : tracks_) {
    track.place.reset();
    track.begun.clear();
    for (Motion& motion : track.motions) motion = {};
  }
}

void Scene::look_at(const Sighting& object, Size frame, ObjectFindings& found, Findings& findings) {
  const std::optional<Place> place = place_of(object.box, frame);
  if (!place) return;
  layout_->filters.look_at(object.class_id, object.label, accepted_);
  Track* track = track_of(object);
  if (track == nullptr) {
    count_untracked(*place, found);
    return;
  }
  follow_lines(object, *track, *place, found, findings);
  follow_zones(object, *track, *place, found, findings);
  follow_motion(*track, *place, found);
  track->place = place;
  track->last_seen = now_;
}

// Null if it has none, or one that another object of this frame has had.
Scene::Track* Scene::track_of(const Sighting& object) {
  if (!object.track) return nullptr;
  Track& track = tracks_[*object.track];
  return std::exchange(track.last_frame, frames_) != frames_ ? &track : nullptr;
}

void Scene::count_untracked(const Place& place, ObjectFindings& found) {
  layout_->zones.find(place, accepted_, zones_found_);
  for (const std::size_t zone : zones_found_) {
    ++untracked_[zone];
    found.zones.push_back({zone, nanoseconds(0)});
  }
}

void Scene::follow_lines(const Sighting& object, Track& track, const Place& place,
                         ObjectFindings& found, Findings& findings) {
  if (!track.place) return;
  layout_->lines.move(*track.place, place, accepted_, track.begun, found.crossings);
  for (const LineCrossing& crossing : found.crossings) {
    LineCount& count = line_counts_[crossing.line];
    ++(crossing.inwards ? count.in : count.out);
    findings.events.push_back({.kind = SceneEvent::Kind::kCrossed,
                               .index = crossing.line,
                               .track = *object.track,
                               .inwards = crossing.inwards});
  }
}

void Scene::follow_zones(const Sighting& object, Track& track, const Place& place,
                         ObjectFindings& found, Findings& findings) {
  left_.clear();
  zones_found_.clear();
  layout_->zones.move(place, now_, accepted_, track.stays, left_, zones_found_);
  for (const ZoneCounter::Stay& stay : left_) leave(*object.track, stay, now_, false, findings);
  for (const std::size_t zone : zones_found_) {
    ++zone_counts_[zone].in;
    findings.events.push_back(
        {.kind = SceneEvent::Kind::kEntered, .index = zone, .track = *object.track});
  }
  for (const ZoneCounter::Stay& stay : track.stays)
    found.zones.push_back({stay.zone, now_ - stay.since});
}

void Scene::follow_motion(Track& track, const Place& place, ObjectFindings& found) {
  for (const Anchor anchor : {Anchor::kBottomCenter, Anchor::kCenter})
    track.motions[static_cast<std::size_t>(anchor)].update(
        place.at(anchor), now_, rules_.motion_distance, rules_.motion_window);
  double closest = -1;
  for (std::size_t i = 0; i < rules_.directions.size(); ++i) {
    const DirectionRule& rule = rules_.directions[i];
    const Motion& motion = track.motions[static_cast<std::size_t>(rule.subjects.anchor)];
    if (!motion.direction() || !accepted_[layout_->direction_filters[i]]) continue;
    const double along = cosine(*motion.direction(), from_share(rule.vector, layout_->aspect));
    if (along >= rule.min_cosine && along > closest) {
      closest = along;
      found.direction = i;
    }
  }
}

void Scene::leave(std::uint64_t id, const ZoneCounter::Stay& stay, nanoseconds when, bool lost,
                  Findings& findings) {
  ++zone_counts_[stay.zone].out;
  findings.events.push_back({.kind = SceneEvent::Kind::kLeft,
                             .index = stay.zone,
                             .track = id,
                             .lost = lost,
                             .time = when - stay.since});
}

void Scene::forget_lost_tracks(Findings& findings) {
  const bool too_many = tracks_.size() > kMaxTracks;
  std::erase_if(tracks_, [&](const auto& entry) {
    const auto& [id, track] = entry;
    if (track.last_frame == frames_) return false;
    if (!too_many && now_ - track.last_seen <= rules_.track_timeout) return false;
    for (const ZoneCounter::Stay& stay : track.stays)
      leave(id, stay, track.last_seen, true, findings);
    return true;
  });
}

void Scene::count_zones(Findings& findings) {
  for (std::size_t i = 0; i < zone_counts_.size(); ++i) {
    ZoneCount& count = zone_counts_[i];
    count.now = count.in - count.out + untracked_[i];
    const Crowd::Change change = crowds_[i].update(rules_.zones[i], count.now, now_);
    count.overcrowded = crowds_[i].overcrowded();
    if (change == Crowd::Change::kBegins)
      findings.events.push_back(
          {.kind = SceneEvent::Kind::kOvercrowded, .index = i, .count = count.now});
    else if (change == Crowd::Change::kEnds)
      findings.events.push_back({.kind = SceneEvent::Kind::kOvercrowdedEnd,
                                 .index = i,
                                 .time = crowds_[i].lasted(),
                                 .count = count.now});
  }
}

}  // namespace sightline
