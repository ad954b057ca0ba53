// SPDX-License-Identifier: LGPL-2.1-or-later

#include "stage/late_results.h"

#include <algorithm>

namespace sightline {

namespace {

// Streams that come and go by the thousand do not lengthen the wait for one of them for ever.
constexpr std::size_t kMostStreamsWaitedFor = 64;

}  // namespace

struct LateState {
  struct Entry {
    LateResult result;
    bool ready = false;
    std::uint64_t seen = 0;  // the last frame that the track was in
  };
  using Key = std::pair<std::string, std::uint64_t>;

  std::mutex mutex;
  std::condition_variable changed;
  std::map<Key, Entry> entries;
  std::uint64_t frames = 0;                      // of all streams
  std::map<std::string, std::uint64_t> streams;  // which of them was a stream's last
  std::size_t under_way = 0;                     // of this generation
  std::size_t held = 0;                          // of any
  std::uint64_t generation = 0;
  std::shared_ptr<std::atomic<bool>> abandoned = std::make_shared<std::atomic<bool>>(false);

  // Moves what has come of a stream to `results`; whether that is all of it.
  bool take_all_of(const std::string& stream, std::vector<LateResult>& results) {
    bool all = true;
    auto entry = entries.lower_bound({stream, 0});
    while (entry != entries.end() && entry->first.first == stream) {
      all = all && entry->second.ready;
      if (entry->second.ready) results.push_back(std::move(entry->second.result));
      entry = entry->second.ready ? entries.erase(entry) : std::next(entry);
    }
    return all;
  }
};

LateResults::LateResults() : state_(std::make_shared<LateState>()) {}

LateResults::Look::~Look() {
  const auto state = state_.lock();
  if (state == nullptr) return;
  const std::lock_guard lock(state->mutex);
  --state->held;
  state->changed.notify_all();
}

void LateResults::Look::end(Results results, std::optional<CropQuality> quality,
                            std::string problem) {
  const auto state = state_.lock();
  if (state == nullptr) return;
  const std::lock_guard lock(state->mutex);
  if (state->generation != generation_) return;
  --state->under_way;
  LateState::Entry& entry = state->entries[key_];
  entry.ready = true;
  entry.result.results = std::move(results);
  entry.result.quality = quality;
  entry.result.problem = std::move(problem);
  state->changed.notify_all();
}

std::shared_ptr<const std::atomic<bool>> LateResults::Look::abandoned() const { return abandoned_; }

std::shared_ptr<LateResults::Look> LateResults::begin(const std::string& stream,
                                                      std::uint64_t track, std::uint64_t frame,
                                                      Size size, ObjectHandle object) {
  const std::lock_guard lock(state_->mutex);
  const LateState::Key key{stream, track};
  const auto [entry, is_new] = state_->entries.try_emplace(key);
  if (!is_new) return nullptr;
  entry->second = {{stream, track, frame, size, std::move(object), {}, {}, {}}, false, frame};
  ++state_->under_way;
  ++state_->held;
  auto look = std::make_shared<Look>();
  look->state_ = state_;
  look->key_ = key;
  look->generation_ = state_->generation;
  look->abandoned_ = state_->abandoned;
  return look;
}

std::optional<LateResult> LateResults::take(const std::string& stream, std::uint64_t track,
                                            std::uint64_t frame) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->entries.find({stream, track});
  if (found == state_->entries.end() || !found->second.ready || found->second.result.frame == frame)
    return std::nullopt;
  LateResult result = std::move(found->second.result);
  state_->entries.erase(found);
  return result;
}

void LateResults::seen(const std::string& stream, std::uint64_t track, std::uint64_t frame) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->entries.find({stream, track});
  if (found != state_->entries.end()) found->second.seen = frame;
}

std::vector<LateResult> LateResults::of_ended_tracks(const std::string& stream, std::uint64_t frame,
                                                     std::uint64_t patience) {
  std::vector<LateResult> results;
  const std::lock_guard lock(state_->mutex);
  auto entry = state_->entries.lower_bound({stream, 0});
  while (entry != state_->entries.end() && entry->first.first == stream) {
    const bool ended = frame < entry->second.seen || frame - entry->second.seen > patience;
    if (!ended || !entry->second.ready) {
      ++entry;
      continue;
    }
    results.push_back(std::move(entry->second.result));
    entry = state_->entries.erase(entry);
  }
  return results;
}

std::vector<LateResult> LateResults::of_vanished_streams(const std::string& stream,
                                                         std::uint64_t patience) {
  std::vector<LateResult> results;
  const std::lock_guard lock(state_->mutex);
  state_->streams[stream] = ++state_->frames;
  const std::uint64_t wait = patience * std::min(state_->streams.size(), kMostStreamsWaitedFor);
  for (auto known = state_->streams.begin(); known != state_->streams.end();) {
    const bool is_gone = state_->frames - known->second > wait;
    known = is_gone && state_->take_all_of(known->first, results) ? state_->streams.erase(known)
                                                                  : std::next(known);
  }
  return results;
}

std::size_t LateResults::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->entries.size();
}

std::vector<LateResult> LateResults::finish() {
  std::unique_lock lock(state_->mutex);
  const std::uint64_t generation = state_->generation;
  state_->changed.wait(lock,
                       [&] { return state_->under_way == 0 || state_->generation != generation; });
  std::vector<LateResult> results;
  if (state_->generation != generation) return results;
  for (auto& [key, entry] : state_->entries) results.push_back(std::move(entry.result));
  state_->entries.clear();
  state_->streams.clear();
  return results;
}

void LateResults::clear() {
  const std::lock_guard lock(state_->mutex);
  ++state_->generation;
  *state_->abandoned = true;
  state_->abandoned = std::make_shared<std::atomic<bool>>(false);
  state_->under_way = 0;
  state_->entries.clear();
  state_->streams.clear();
  state_->changed.notify_all();
}

void LateResults::join() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return state_->held == 0; });
}

}  // namespace sightline
