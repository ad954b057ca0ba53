// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a stream did so far: frames, faces, how long each frame took. It outlives the pipelines that
// play the stream one after another.

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>

#include "app/latency_histogram.h"

namespace sightline {

enum class StreamState { kWaiting, kOpening, kRunning, kPausing, kEnded, kFailed };
const char* name_of(StreamState state);  // "waiting", "opening", …

struct FaceCounts {
  long faces = 0;
  long unknown = 0;                   // faces that were compared with the gallery and not named
  std::map<std::string, long> named;  // name → how often
};

// At one moment.
struct StreamSnapshot {
  std::string name;
  bool live = false;
  StreamState state = StreamState::kWaiting;
  long frames = 0;   // that left the networks
  long dropped = 0;  // that a newer one overtook before the networks had room
  long restarts = 0;
  FaceCounts counts;
  double frames_per_second = 0;  // over the last seconds
  LatencyHistogram latency;      // of all frames
  LatencyHistogram recent;       // of the last seconds
  std::string problem;           // of the last failure; empty: none
};

// Of one stream, for any thread. A frame's latency is the time from when the decoder gave it until
// it left the last network.
class StreamFigures {
 public:
  using Clock = std::chrono::steady_clock;

  StreamFigures(std::string name, bool live);

  // A pipeline begins: what its predecessor left behind is forgotten.
  void open();
  // A frame of this timestamp left the decoder.
  void enter(std::uint64_t timestamp, Clock::time_point now = Clock::now());
  // It left the networks, with these faces. Frames that entered before it were dropped on the way.
  void leave(std::uint64_t timestamp, const FaceCounts& found,
             Clock::time_point now = Clock::now());

  void set_state(StreamState state);
  void add_restart();
  void set_problem(const std::string& problem);

  long frames() const;
  // When the decoder gave the last frame; when the pipeline was opened if it has not given one.
  Clock::time_point last_entered() const;
  StreamSnapshot snapshot(Clock::time_point now = Clock::now()) const;

 private:
  struct Entered {
    std::uint64_t timestamp;
    Clock::time_point at;
  };
  struct Period {
    Clock::time_point begin;
    LatencyHistogram latency;
    long frames = 0;
  };

  void roll(Clock::time_point now);

  mutable std::mutex mutex_;
  std::deque<Entered> under_way_;  // oldest first
  Clock::time_point last_entered_ = Clock::now();
  StreamSnapshot totals_;
  Period previous_, current_;
};

}  // namespace sightline
