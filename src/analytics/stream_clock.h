// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The time of a stream, which never goes back: after a seek, or when a clip begins again, it goes
// on where it was.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace sightline {

class StreamClock {
 public:
  // A frame has come. `time` is its running time if it has one; else it is as much later than the
  // frame before as their numbers say. Returns the stream's time, from 0.
  std::chrono::nanoseconds advance(std::optional<std::chrono::nanoseconds> time,
                                   std::uint64_t number, std::chrono::nanoseconds frame_duration);

 private:
  std::chrono::nanoseconds now_{0};
  std::optional<std::chrono::nanoseconds> last_time_;
  std::optional<std::uint64_t> last_number_;
};

}  // namespace sightline
