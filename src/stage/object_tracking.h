// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Tracking on metadata: the objects of frames, of any number of streams, get their tracks.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "meta/track_data.h"
#include "sightline/frame.h"
#include "track/tracker.h"

namespace sightline {

struct TrackingOptions {
  TrackerOptions tracker;
  guint stage_id = 0;            // track what this stage found; 0: all objects without a parent
  std::string embedding_tensor;  // of objects; empty: none is looked at
};

// What tracking says of one frame. Objects are named by their id, so that the frame may be copied
// before it is written.
struct TrackingResult {
  struct Found {
    guint64 object = 0;
    guint64 track = 0;
    TrackData data;
  };
  // An object that nobody saw: as it was seen last, moved to where it is expected.
  struct Predicted {
    guint64 track = 0;
    TrackData data;
    SightBox box{};
    std::vector<SightPoint> landmarks;
    std::string label;
    int class_id = -1;
    float confidence = 0;
    guint stage_id = 0;
    guint64 parent_track = 0;
  };

  std::vector<Found> found;
  std::vector<Predicted> predicted;

  bool empty() const { return found.empty() && predicted.empty(); }
};

// When a frame is.
struct TrackingTime {
  std::optional<double> seconds;  // of the frame in its stream; nothing: not known
  double frame_seconds = 0.04;    // from one frame to the next, where that is needed
  double clock = 0;               // of whoever runs it; says which streams are not seen any more
};

struct TrackingCounts {
  std::uint64_t frames = 0;
  std::uint64_t found = 0;      // objects that got a track
  std::uint64_t predicted = 0;  // objects that were added
  std::uint64_t streams = 0;    // now
  std::uint64_t tracks = 0;     // now, in all streams
};

// For one thread at a time. Tracks are kept a stream and a stage, so that what two detectors find
// never mixes. A stream is forgotten if its time goes back by more than a second, or at all after
// new_segment(); if it was not seen for a minute (or for twice as long as a track may be lost) in
// which other streams were; and if there are more than 1024.
class ObjectTracking {
 public:
  explicit ObjectTracking(TrackingOptions options);

  // Objects that carry user data "sightline-track" already are another tracker's, and left alone.
  // `frame` may be NULL: nothing was found. What a stage skipped, or failed on, is predicted.
  TrackingResult track(const SightFrame* frame, const std::string& stream,
                       const TrackingTime& time);

  void new_segment() { ++segment_; }
  void forget_all();

  const TrackingCounts& counts() const { return counts_; }

 private:
  struct Stream {
    std::map<guint, Tracker> trackers;  // by stage
    double newest = 0;                  // seconds
    double used = 0;                    // by activity_
    std::uint64_t segment = 0;

    std::size_t track_count() const;
  };

  Stream& find_stream(const std::string& name, const TrackingTime& time);
  void forget_unused();
  std::map<std::string, Stream>::iterator forget(std::map<std::string, Stream>::iterator stream);
  void track_stage(Tracker& tracker, guint stage_id, const SightFrame* frame, double seconds,
                   TrackingResult& result);

  TrackingOptions options_;
  std::map<std::string, Stream> streams_;
  std::uint64_t segment_ = 0;
  double activity_ = 0;  // seconds in which frames came; a pause counts as one
  double swept_ = 0;     // by activity_: when unused streams were looked for
  std::optional<double> clock_;
  TrackingCounts counts_;
};

// Writes `result` to `frame`, which has to be open for editing. A predicted object is part of the
// one in the frame that has the parent's track, if there is one; it is left out if it is outside
// the frame. Throws Error(kReadOnly) if `frame` is sealed.
void attach(SightFrame* frame, const TrackingResult& result);

}  // namespace sightline
