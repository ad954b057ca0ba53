// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Results of a secondary stage that are taken over from frame to frame: a network is not run again
// for a track that has not changed.
//
// Frames enter a stage in order and leave it in order, with several inside. turn() decides when a
// frame enters, by what entered before it; results are kept and taken over when frames leave. So
// whoever is not looked at gets the result of the last look before it, even one that was under way
// when it entered, and neither runs it again nor waits.

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "core/track_table.h"
#include "postprocess/postprocess.h"
#include "stage/crop_quality.h"
#include "stage/reinfer_rule.h"

namespace sightline {

// What one look at a track gave.
struct TrackResults {
  std::uint64_t frame = 0;  // its number in the stream
  Results results;
  std::optional<CropQuality> quality;
};

// Turns come from one thread, results from another.
class TrackCache {
 public:
  // Of one track. Lives as long as frames under way refer to it, forgotten or not.
  class Track;
  using TrackPtr = std::shared_ptr<Track>;

  struct Turn {
    TrackPtr track;
    bool looked_at = true;  // false: takes over
  };

  static constexpr std::size_t kMostTracks = 4096;
  static constexpr std::uint64_t kPatience = 150;  // frames of the stream, as nvinfer's

  explicit TrackCache(std::size_t most_tracks = kMostTracks) : tracks_(most_tracks, kPatience) {}

  // A frame of `stream` enters.
  void next_frame(const std::string& stream);
  // What is to become of a track that is seen in frame `frame` of its stream.
  Turn turn(const ReinferRule& rule, const std::string& stream, std::uint64_t frame,
            std::uint64_t track, const TrackView& view);

  // A track that is in the frame without being seen, to take results over; null if it has none.
  TrackPtr find(const std::string& stream, std::uint64_t track);

  // A frame leaves: the track was looked at in it. Results without anything in them, and failures,
  // let the track be looked at again at once.
  void keep(Track& track, TrackResults results);
  void keep_failure(Track& track, std::string problem);
  // What a frame that leaves takes over. Null if there is nothing, since the look was dropped; then
  // the track is looked at again. Throws Error(kFailed) if all looks at the track failed.
  std::shared_ptr<const TrackResults> take_over(Track& track);

  void clear();
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;  // guards the table, and what is in its tracks
  TrackTable<Track> tracks_;
};

}  // namespace sightline
