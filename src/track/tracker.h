// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Multi-object tracking: observations of one stream, frame by frame, become tracks.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "track/observation.h"
#include "track/track.h"

namespace sightline {

enum class TrackAlgorithm {
  kIou,        // the box where it was last; one pass
  kSort,       // the box where a Kalman filter expects it; one pass
  kByteTrack,  // the same; a second pass finds objects again that the detector is unsure of
};

struct TrackerOptions {
  TrackAlgorithm algorithm = TrackAlgorithm::kByteTrack;

  // Confidences. Observations from `high` on may join any track; ByteTrack lets those from `low` on
  // join tracks that would be lost otherwise. From `birth` on a new track is made.
  float high_confidence = 0.5f;
  float low_confidence = 0.1f;
  float birth_confidence = 0.5f;

  // Least overlap (intersection over union) with where a track is expected.
  float min_overlap = 0.1f;
  float min_overlap_low = 0.4f;  // of ByteTrack's second pass

  int min_hits = 3;       // frames in a row after which a track is confirmed
  double max_lost = 2.0;  // seconds after which a lost track is forgotten
  double max_coast = 0;   // seconds for which a lost track is among predicted()
  bool mix_classes = false;
  bool follow_camera = true;  // what all tracks have in common is the camera's motion; not of kIou

  // Re-identification, of observations with an embedding: cosine distance up to which it speaks for
  // a track, and how long a lost track can be found again by it. 0: embeddings are not looked at.
  float max_embedding_distance = 0;
  double max_lost_embedding = 10.0;

  bool use_landmarks = false;
  int max_tracks = 512;  // at a time; of more observations the most confident are tracked
  MotionNoise noise;
};

// The tracks of one stream. For one thread at a time. Memory is bounded by `max_tracks`; a frame of
// n objects that are not in each other's way costs O(n²) comparisons.
class Tracker {
 public:
  explicit Tracker(const TrackerOptions& options);

  // A frame that was looked at, at `seconds` on any clock that does not go back (if it does, no
  // time has passed). For each observation its track; null if it has none because it is not
  // trackable, its confidence is too low, or there are too many. Valid until the next call.
  //
  // Throws Error(kInput) if `seconds` is not finite.
  std::vector<const Track*> update(double seconds, std::span<const Observation> observations);

  // A frame that nobody looked at: tracks move on, and nothing counts as missing.
  void predict(double seconds);

  // Tracks that were not observed in the newest frame and are in it all the same, by what the
  // filter expects: if nobody looked at it, the confirmed ones that are not away for longer than a
  // lost track is remembered; and those that are lost for max_coast at most.
  std::vector<const Track*> predicted() const;

  // All, tentative and lost ones too.
  std::vector<const Track*> tracks() const;
  std::size_t track_count() const { return tracks_.size(); }

 private:
  class Round;

  void advance(double seconds);
  void forget_old();
  void follow_camera(std::span<const Observation> observations);
  bool is_recent(const Track& track) const;
  bool moves() const { return options_.algorithm != TrackAlgorithm::kIou; }
  void observe(Track& track, const Observation& observation);
  Track* bear(const Observation& observation);
  bool make_room();

  TrackerOptions options_;
  std::vector<std::unique_ptr<Track>> tracks_;
  std::optional<double> now_;
  std::optional<double> looked_;  // when a frame was looked at last
  double period_ = 0;             // seconds between frames that are looked at; 0: not known yet
};

}  // namespace sightline
