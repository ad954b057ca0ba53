// SPDX-License-Identifier: LGPL-2.1-or-later

#include "analytics/analyzer.h"

#include <algorithm>

namespace sightline {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kCleaningInterval = std::chrono::seconds(1);

}  // namespace

Scene& Analyzer::scene_of(const std::string& stream, std::optional<nanoseconds> time) {
  now_ = time.value_or(now_);
  // After a seek time may lie before the last cleaning.
  if (now_ < last_cleaning_ || now_ - last_cleaning_ >= kCleaningInterval) forget_old_streams();
  auto found = streams_.find(stream);
  if (found == streams_.end()) {
    if (streams_.size() >= kMaxStreams) make_room();
    found = streams_.emplace(stream, Stream{Scene(rules_.of(stream))}).first;
  }
  found->second.last_time = now_;
  found->second.last_turn = ++turn_;
  return found->second.scene;
}

void Analyzer::replace(Rules rules) {
  rules_ = std::move(rules);
  for (auto& [name, stream] : streams_) stream.scene.replace(rules_.of(name));
}

void Analyzer::forget_old_streams() {
  last_cleaning_ = now_;
  std::erase_if(streams_, [&](const auto& entry) {
    const nanoseconds last = entry.second.last_time;
    return now_ > last && now_ - last > rules_.stream_timeout;
  });
}

void Analyzer::make_room() {
  streams_.erase(std::min_element(streams_.begin(), streams_.end(), [](auto& a, auto& b) {
    return a.second.last_turn < b.second.last_turn;
  }));
}

}  // namespace sightline
