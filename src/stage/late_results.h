// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Looks whose frames do not wait for them: a result belongs to its object's track, and goes onto
// the next frame of it. What has no next frame, since the track or its stream ended, is given out
// then. So nothing is lost but what a flush drops.

#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/geometry.h"
#include "meta/handles.h"
#include "postprocess/postprocess.h"
#include "stage/crop_quality.h"

namespace sightline {

struct LateState;

// What a look came to.
struct LateResult {
  std::string stream;
  std::uint64_t track = 0;
  std::uint64_t frame = 0;  // that was looked at
  Size size;                // of the frame
  ObjectHandle object;      // as it was then
  Results results;
  std::optional<CropQuality> quality;
  std::string problem;  // if it failed
};

// For any thread. A track has at most one look under way or waiting to be taken.
class LateResults {
 public:
  LateResults();

  // The look has begun; null if one of this track has not been taken yet. Who calls it must see to
  // it that `end()` is called.
  class Look {
   public:
    ~Look();
    void end(Results results, std::optional<CropQuality> quality, std::string problem);
    // Becomes true when the look is of no use any more.
    std::shared_ptr<const std::atomic<bool>> abandoned() const;

   private:
    friend class LateResults;
    std::weak_ptr<LateState> state_;
    std::pair<std::string, std::uint64_t> key_;
    std::uint64_t generation_ = 0;
    std::shared_ptr<const std::atomic<bool>> abandoned_;
  };
  std::shared_ptr<Look> begin(const std::string& stream, std::uint64_t track, std::uint64_t frame,
                              Size size, ObjectHandle object);

  // What has come for a track that is in frame `frame` of its stream, which leaves: of an earlier
  // one.
  std::optional<LateResult> take(const std::string& stream, std::uint64_t track,
                                 std::uint64_t frame);

  // A track is in frame `frame` of its stream.
  void seen(const std::string& stream, std::uint64_t track, std::uint64_t frame);
  // What has come of tracks that were not seen in the last `patience` frames of the stream.
  std::vector<LateResult> of_ended_tracks(const std::string& stream, std::uint64_t frame,
                                          std::uint64_t patience);
  // Begins a frame of `stream`, and gives what has come of streams that are gone: nothing says so
  // of one that ends behind a funnel, but the others have had `patience` frames each without it.
  std::vector<LateResult> of_vanished_streams(const std::string& stream, std::uint64_t patience);
  // How many looks are under way or wait to be taken.
  std::size_t size() const;
  // All that is left. Waits for looks that are under way; clear() ends the wait.
  std::vector<LateResult> finish();
  void clear();
  // Waits until nobody holds a look.
  void join();

 private:
  std::shared_ptr<LateState> state_;
};

}  // namespace sightline
