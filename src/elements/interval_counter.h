// SPDX-License-Identifier: LGPL-2.1-or-later
//
// interval=N: of N + 1 frames of a stream the network looks at one.

#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

namespace sightline {

// Counts for each stream, so that streams behind a funnel keep their own rhythm. A frame whose turn
// it is and that is not looked at for another reason leaves its turn to the next one.
class IntervalCounter {
 public:
  // Whether the next frame of `stream` is to be looked at; each is asked about once.
  bool is_turn(const std::string& stream, int interval) {
    if (interval == 0) return true;
    if (left_.size() > kMostStreams) restart();
    int& left = left_[stream];
    if (left > interval) left = interval;  // it was changed
    if (left == 0) return true;
    --left;
    return false;
  }
  void looked(const std::string& stream, int interval) {
    if (interval > 0) left_[stream] = interval;
  }
  void restart() { left_.clear(); }

 private:
  // Streams come and go behind a funnel. Who is forgotten is looked at once too often.
  static constexpr std::size_t kMostStreams = 4096;

  std::unordered_map<std::string, int> left_;  // frames to pass over
};

// The first frames of each stream, in which a camera finds its exposure.
class SettlingFrames {
 public:
  // Whether the next frame of `stream` is one of its first `count`; each is asked about once.
  bool is_settling(const std::string& stream, int count) {
    if (count == 0) return false;
    if (passed_.size() > kMostStreams) restart();
    int& passed = passed_[stream];
    if (passed >= count) return false;
    ++passed;
    return true;
  }
  void restart() { passed_.clear(); }

 private:
  static constexpr std::size_t kMostStreams = 4096;

  std::unordered_map<std::string, int> passed_;
};

}  // namespace sightline
