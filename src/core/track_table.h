// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is remembered of tracks: a bounded table by stream and track.

#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

namespace sightline {

// A track that was not seen in `patience` frames of its stream is forgotten; so is, when there are
// more than `limit`, the one that was seen the longest ago. Whoever holds a value keeps it alive,
// forgotten or not. For one thread at a time.
template <typename Value>
class TrackTable {
 public:
  using ValuePtr = std::shared_ptr<Value>;

  TrackTable(std::size_t limit, std::uint64_t patience) : limit_(limit), patience_(patience) {}

  // Begins a frame of `stream`.
  void next_frame(const std::string& stream) {
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return;
    Stream& known = found->second;
    ++known.frames;
    while (!known.tracks.empty() && known.tracks.front().frame + patience_ < known.frames)
      forget_oldest(known);
    if (known.tracks.empty()) streams_.erase(found);
  }

  // What is remembered of the track, which is seen now; null if nothing is.
  ValuePtr find(const std::string& stream, std::uint64_t track) {
    const auto found = streams_.find(stream);
    if (found == streams_.end()) return nullptr;
    Stream& known = found->second;
    const auto place = known.places.find(track);
    if (place == known.places.end()) return nullptr;
    place->second->frame = known.frames;
    place->second->turn = ++turn_;
    known.tracks.splice(known.tracks.end(), known.tracks, place->second);
    return place->second->value;
  }

  // Whether anything is remembered of a track, which need not be seen now.
  bool contains(const std::string& stream, std::uint64_t track) const {
    const auto found = streams_.find(stream);
    return found != streams_.end() && found->second.places.contains(track);
  }

  // Remembers a track that find() did not know.
  void add(const std::string& stream, std::uint64_t track, ValuePtr value) {
    if (size_ >= limit_) forget_oldest();
    Stream& known = streams_[stream];
    known.tracks.push_back({track, known.frames, ++turn_, std::move(value)});
    known.places[track] = std::prev(known.tracks.end());
    ++size_;
  }

  void clear() {
    streams_.clear();
    size_ = 0;
  }

  std::size_t size() const { return size_; }

 private:
  struct Track {
    std::uint64_t number;
    std::uint64_t frame;  // of the stream, when it was last seen
    std::uint64_t turn;   // among all streams, likewise
    ValuePtr value;
  };
  struct Stream {
    std::uint64_t frames = 0;
    std::list<Track> tracks;  // the one seen the longest ago first
    std::unordered_map<std::uint64_t, typename std::list<Track>::iterator> places;
  };

  void forget_oldest(Stream& stream) {
    stream.places.erase(stream.tracks.front().number);
    stream.tracks.pop_front();
    --size_;
  }

  // Of all streams, of which there are no more than tracks.
  void forget_oldest() {
    auto oldest = streams_.begin();
    for (auto it = streams_.begin(); it != streams_.end(); ++it)
      if (it->second.tracks.front().turn < oldest->second.tracks.front().turn) oldest = it;
    if (oldest == streams_.end()) return;
    forget_oldest(oldest->second);
    if (oldest->second.tracks.empty()) streams_.erase(oldest);
  }

  const std::size_t limit_;
  const std::uint64_t patience_;
  std::unordered_map<std::string, Stream> streams_;  // none is empty
  std::size_t size_ = 0;
  std::uint64_t turn_ = 0;
};

}  // namespace sightline
