// SPDX-License-Identifier: LGPL-2.1-or-later

#include "track/tracker.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"
#include "track/affinity.h"
#include "track/assignment.h"
#include "track/camera_motion.h"

namespace sightline {

namespace {

constexpr float kFarthest = 1e7f;    // pixels
constexpr double kPeriodStep = 0.2;  // by how much a frame's interval changes the average
constexpr double kLateFrames = 2;  // intervals that a track may be away for, whatever max_lost says

bool is_coordinate(float value) { return std::abs(value) <= kFarthest; }  // false of NaN

bool same_kind(const Track& track, const Observation& observation) {
  if (track.class_id != observation.class_id) return false;
  return track.class_id >= 0 || track.label == observation.label;
}

}  // namespace

bool is_trackable(const Observation& observation) {
  const Rect& box = observation.box;
  return !box.empty() && is_coordinate(box.x) && is_coordinate(box.y) &&
         is_coordinate(box.right()) && is_coordinate(box.bottom()) &&
         std::isfinite(observation.confidence) &&
         std::ranges::all_of(observation.landmarks, [](const Point& point) {
           return is_coordinate(point.x) && is_coordinate(point.y);
         });
}

// The association of one frame: which observations and tracks are still without each other.
class Tracker::Round {
 public:
  Round(Tracker& tracker, std::span<const Observation> observations)
      : tracker_(tracker),
        options_(tracker.options_),
        observations_(observations),
        track_of_(observations.size()),
        found_(tracker.tracks_.size()) {}

  // Observations that are still free and of a confidence from `least` to below `limit`, the most
  // confident first.
  std::vector<std::size_t> observations_from(
      float least, float limit = std::numeric_limits<float>::infinity()) const {
    std::vector<std::size_t> indexes;
    for (std::size_t i = 0; i < observations_.size(); ++i) {
      const float confidence = observations_[i].confidence;
      if (track_of_[i] == nullptr && confidence >= least && confidence < limit &&
          is_trackable(observations_[i]))
        indexes.push_back(i);
    }
    std::ranges::stable_sort(indexes, std::ranges::greater{},
                             [&](std::size_t i) { return observations_[i].confidence; });
    const auto most = static_cast<std::size_t>(options_.max_tracks);
    if (indexes.size() > most) indexes.resize(most);
    return indexes;
  }

  // Tracks in one of `states` that are still free.
  std::vector<std::size_t> tracks_in(std::initializer_list<TrackState> states) const {
    std::vector<std::size_t> indexes;
    for (std::size_t i = 0; i < found_.size(); ++i)
      if (!found_[i] && std::ranges::find(states, tracker_.tracks_[i]->state) != states.end())
        indexes.push_back(i);
    return indexes;
  }

  // Joins them for the largest sum of `weight`; a pair of no positive weight stays apart.
  template <typename Weight>
  void join(const std::vector<std::size_t>& tracks, const std::vector<std::size_t>& observations,
            Weight weight) {
    WeightMatrix weights(tracks.size(), observations.size());
    for (std::size_t t = 0; t < tracks.size(); ++t)
      for (std::size_t o = 0; o < observations.size(); ++o) {
        const Track& track = *tracker_.tracks_[tracks[t]];
        const Observation& observation = observations_[observations[o]];
        if (options_.mix_classes || same_kind(track, observation))
          weights(t, o) = weight(track, observation);
      }
    const std::vector<int> columns = assign(weights);
    for (std::size_t t = 0; t < tracks.size(); ++t) {
      if (columns[t] == kUnassigned) continue;
      const std::size_t observation = observations[static_cast<std::size_t>(columns[t])];
      found_[tracks[t]] = true;
      track_of_[observation] = tracker_.tracks_[tracks[t]].get();
      tracker_.observe(*track_of_[observation], observations_[observation]);
    }
  }

  // By place and, where it is known, by look.
  double weight(const Track& track, const Observation& observation) const {
    const bool recent = tracker_.is_recent(track);
    const double by_place = recent ? place_weight(track, observation, options_.min_overlap) : 0;
    if (options_.max_embedding_distance <= 0) return by_place;
    const auto distance = embedding_distance(track, observation);
    if (!distance) return by_place;
    const double by_look = std::max(1 - *distance / options_.max_embedding_distance, -1.0);
    return by_place > 0 ? by_place + by_look : by_look;
  }

  // By place alone. A track that does not move by itself is where it was.
  double place_weight(const Track& track, const Observation& observation, float least) const {
    if (!tracker_.moves()) return iou(track.last_box, observation.box) - least;
    if (overlap(track, observation) < least) return 0;
    const double weight = closeness(track, observation);
    const auto landmarks =
        options_.use_landmarks ? landmark_similarity(track, observation) : std::nullopt;
    return landmarks && weight > 0 ? (weight + *landmarks) / 2 : weight;
  }

  // What was not found is lost, or was nothing.
  void lose_rest() {
    for (const std::size_t i : tracks_in({TrackState::kConfirmed, TrackState::kLost})) {
      tracker_.tracks_[i]->state = TrackState::kLost;
      tracker_.tracks_[i]->filter.stop_growing();
    }
    for (const std::size_t i : tracks_in({TrackState::kTentative})) tracker_.tracks_[i].reset();
    std::erase(tracker_.tracks_, nullptr);
  }

  // Observations that no track claims begin tracks of their own.
  void bear_rest() {
    for (const std::size_t i : observations_from(options_.birth_confidence))
      track_of_[i] = tracker_.bear(observations_[i]);
  }

  std::vector<const Track*> result() const { return {track_of_.begin(), track_of_.end()}; }

 private:
  Tracker& tracker_;
  const TrackerOptions& options_;
  std::span<const Observation> observations_;
  std::vector<Track*> track_of_;  // of each observation
  std::vector<bool> found_;       // of each track that there was before
};

Tracker::Tracker(const TrackerOptions& options) : options_(options) {}

std::vector<const Track*> Tracker::update(double seconds,
                                          std::span<const Observation> observations) {
  advance(seconds);
  forget_old();
  if (looked_ && *now_ > *looked_) {
    const double interval = *now_ - *looked_;
    period_ = period_ == 0 ? interval : period_ + kPeriodStep * (interval - period_);
  }
  looked_ = now_;

  if (options_.follow_camera && moves()) follow_camera(observations);
  using enum TrackState;
  Round round(*this, observations);
  const auto by_all = [&](const Track& t, const Observation& o) { return round.weight(t, o); };
  const auto by_place = [&](const Track& t, const Observation& o) {
    return round.place_weight(t, o, options_.min_overlap_low);
  };
  round.join(round.tracks_in({kConfirmed, kLost, kTentative}),
             round.observations_from(options_.high_confidence), by_all);
  // Lost ones, too: who comes out from behind something is hardly seen at first.
  if (options_.algorithm == TrackAlgorithm::kByteTrack)
    round.join(round.tracks_in({kConfirmed, kLost, kTentative}),
               round.observations_from(options_.low_confidence, options_.high_confidence),
               by_place);
  round.lose_rest();
  round.bear_rest();
  return round.result();
}

void Tracker::predict(double seconds) { advance(seconds); }

std::vector<const Track*> Tracker::predicted() const {
  const bool looked = looked_ == now_;
  std::vector<const Track*> result;
  for (const auto& track : tracks_) {
    const bool unseen = track->state == TrackState::kConfirmed && !looked && is_recent(*track);
    const bool coasts =
        track->state == TrackState::kLost && *now_ - track->seen <= options_.max_coast;
    if (unseen || coasts) result.push_back(track.get());
  }
  return result;
}

std::vector<const Track*> Tracker::tracks() const {
  std::vector<const Track*> result;
  for (const auto& track : tracks_) result.push_back(track.get());
  return result;
}

void Tracker::advance(double seconds) {
  if (!std::isfinite(seconds))
    throw Error(ErrorCode::kInput, "the time of a frame to track in is not a finite number");
  const double elapsed = now_ ? std::max(seconds - *now_, 0.0) : 0;
  now_ = now_ ? std::max(seconds, *now_) : seconds;
  for (const auto& track : tracks_) {
    ++track->age;
    if (moves()) track->filter.predict(elapsed);
  }
}

// Pairs that are obvious say by how much the picture moved.
void Tracker::follow_camera(std::span<const Observation> observations) {
  std::vector<const Track*> tracks;
  for (const auto& track : tracks_)
    if (track->state == TrackState::kConfirmed) tracks.push_back(track.get());
  std::vector<const Observation*> sure;
  for (const Observation& observation : observations)
    if (observation.confidence >= options_.high_confidence && is_trackable(observation))
      sure.push_back(&observation);
  const auto most = static_cast<std::size_t>(options_.max_tracks);
  if (sure.size() > most) sure.resize(most);
  const Point motion = common_motion(tracks, sure);
  for (const auto& track : tracks_) track->filter.shift(motion.x, motion.y);
}

// Before the frame is looked at: whoever is away for longer is another one. The interval that
// frames have had so far counts, so that a camera of a frame every few seconds can be tracked.
bool Tracker::is_recent(const Track& track) const {
  return *now_ - track.seen <= std::max(options_.max_lost, kLateFrames * period_);
}

void Tracker::forget_old() {
  std::erase_if(tracks_, [this](const auto& track) {
    const bool found_by_look = options_.max_embedding_distance > 0 && !track->embedding.empty() &&
                               track->state != TrackState::kTentative &&
                               *now_ - track->seen <= options_.max_lost_embedding;
    return !is_recent(*track) && !found_by_look;
  });
}

void Tracker::observe(Track& track, const Observation& observation) {
  // What turned, or was found again elsewhere by its look, moves as nobody knows.
  if (!moves() || !is_expected(track, observation))
    track.filter = BoxFilter(observation.box, options_.noise);
  else
    track.filter.update(observation.box);
  ++track.hits;
  if (track.hits >= options_.min_hits) track.state = TrackState::kConfirmed;
  track.seen = *now_;
  track.last_box = observation.box;
  track.class_id = observation.class_id;
  track.label = observation.label;
  track.confidence = observation.confidence;
  track.landmarks.assign(observation.landmarks.begin(), observation.landmarks.end());
  track.parent_track = observation.parent_track;
  if (options_.max_embedding_distance > 0) blend_embedding(track, observation.embedding);
}

Track* Tracker::bear(const Observation& observation) {
  if (!make_room()) return nullptr;
  auto track = std::make_unique<Track>();
  track->id = next_track_id();
  track->filter = BoxFilter(observation.box, options_.noise);
  observe(*track, observation);
  return tracks_.emplace_back(std::move(track)).get();
}

// Of the lost ones, the one that is away longest gives way to a new one.
bool Tracker::make_room() {
  if (tracks_.size() < static_cast<std::size_t>(options_.max_tracks)) return true;
  const auto oldest = std::ranges::min_element(tracks_, {}, [](const auto& track) {
    return track->state == TrackState::kLost ? track->seen : std::numeric_limits<double>::max();
  });
  if (oldest == tracks_.end() || (*oldest)->state != TrackState::kLost) return false;
  tracks_.erase(oldest);
  return true;
}

}  // namespace sightline
