// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The scenes of all streams that come through one place.

#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "analytics/rules.h"
#include "analytics/scene.h"

namespace sightline {

// For one thread at a time. A stream that has not come for Rules::stream_timeout is forgotten, with
// its counts.
class Analyzer {
 public:
  // Of more streams than this the one that has not come for longest is forgotten.
  static constexpr std::size_t kMaxStreams = 1024;

  explicit Analyzer(Rules rules) : rules_(std::move(rules)) {}

  // Where `stream` is watched, of which a frame of running time `time` has come. Valid until the
  // next call.
  Scene& scene_of(const std::string& stream, std::optional<std::chrono::nanoseconds> time);

  // From now on `rules` hold, as Scene::replace() says.
  void replace(Rules rules);

  std::size_t stream_count() const { return streams_.size(); }

 private:
  struct Stream {
    Scene scene;
    std::chrono::nanoseconds last_time{0};
    std::uint64_t last_turn = 0;
  };

  void forget_old_streams();
  void make_room();

  Rules rules_;
  std::map<std::string, Stream> streams_;
  std::chrono::nanoseconds now_{0};  // running time of the latest frame that has one
  std::chrono::nanoseconds last_cleaning_{0};
  std::uint64_t turn_ = 0;
};

}  // namespace sightline
