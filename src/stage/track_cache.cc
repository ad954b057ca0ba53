// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/track_cache.h"

#include <cstring>
#include <utility>
#include <vector>

namespace sightline {

class TrackCache::Track {
 public:
  int looks = 0;
  std::uint64_t last_frame = 0;  // of the last look
  TrackView last_view;           // likewise
  TrackView seen;                // in the last frame
  bool again = false;            // the last look gave nothing
  std::string problem;
  std::shared_ptr<const TrackResults> results;
};

namespace {

// A larger output is a slice that holds a whole batch's memory, which is the engine's to use again.
constexpr std::size_t kOwnMemory = 4096;

void copy_if_large(Tensor& tensor) {
  if (tensor.bytes() < kOwnMemory) return;
  const std::byte* const elements = tensor.on_host();
  const auto copy = std::make_shared<std::vector<std::byte>>(elements, elements + tensor.bytes());
  tensor.memory = MemoryKind::kHost;
  tensor.data = copy->data();
  tensor.owner = copy;
  tensor.on_device.reset();
}

bool is_empty(const Results& results) {
  return results.classifications.empty() && results.tensors.empty() && results.landmarks.empty() &&
         results.detections.empty();
}

}  // namespace

void TrackCache::next_frame(const std::string& stream) {
  const std::lock_guard lock(mutex_);
  tracks_.next_frame(stream);
}

TrackCache::Turn TrackCache::turn(const ReinferRule& rule, const std::string& stream,
                                  std::uint64_t frame, std::uint64_t number,
                                  const TrackView& view) {
  const std::lock_guard lock(mutex_);
  TrackPtr track = tracks_.find(stream, number);
  if (track == nullptr) {
    track = std::make_shared<Track>();
    tracks_.add(stream, number, track);
  } else {
    if (rule.is_abrupt(std::exchange(track->seen, view), view)) track->looks = 0;
    if (track->looks >= rule.warm_up && !track->again &&
        !rule.is_too_long_ago(track->last_frame, frame) && !rule.is_better(track->last_view, view))
      return {std::move(track), false};
  }
  track->seen = view;
  ++track->looks;
  track->last_frame = frame;
  track->last_view = view;
  track->again = false;
  return {std::move(track), true};
}

TrackCache::TrackPtr TrackCache::find(const std::string& stream, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  return tracks_.find(stream, number);
}

void TrackCache::keep(Track& track, TrackResults results) {
  for (Tensor& tensor : results.results.tensors) copy_if_large(tensor);
  const bool empty = is_empty(results.results);
  auto kept = std::make_shared<const TrackResults>(std::move(results));
  const std::lock_guard lock(mutex_);
  track.again = empty;
  track.problem.clear();
  track.results.swap(kept);  // the old ones go without the lock
}

void TrackCache::keep_failure(Track& track, std::string problem) {
  const std::lock_guard lock(mutex_);
  track.again = true;
  track.problem = std::move(problem);
}

std::shared_ptr<const TrackResults> TrackCache::take_over(Track& track) {
  const std::lock_guard lock(mutex_);
  if (track.results != nullptr) return track.results;
  track.again = true;
  if (!track.problem.empty())
    throw Error(ErrorCode::kFailed,
                "the look at an earlier frame of this track failed: " + track.problem);
  return nullptr;
}

void TrackCache::clear() {
  const std::lock_guard lock(mutex_);
  tracks_.clear();
}

std::size_t TrackCache::size() const {
  const std::lock_guard lock(mutex_);
  return tracks_.size();
}

}  // namespace sightline
