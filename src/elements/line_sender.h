// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lines on their way to somebody slow: a bounded queue, and a thread that empties it.

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "elements/line_transport.h"
#include "elements/seldom.h"

namespace sightline {

enum class Overflow { kDropOldest, kDropNewest, kBlock };

// Beside `most_lines`, as a line may be of any length.
inline constexpr std::size_t kMostQueuedBytes = std::size_t{64} << 20;

struct LineSenderOptions {
  std::size_t most_lines = 256;  // that wait; those which are being delivered are not among them
  Overflow overflow = Overflow::kDropOldest;
  std::size_t most_at_once = 1;  // that the transport is given
  // What failed and may pass is tried again after a pause, which doubles up to the longest.
  std::chrono::milliseconds first_pause{500};
  std::chrono::milliseconds longest_pause{10'000};
  std::chrono::milliseconds between_complaints{10'000};
};

// Each line that was pushed ends in one of these; what is none of them yet is on its way.
struct LineCounts {
  std::uint64_t delivered = 0;
  std::uint64_t dropped = 0;   // there was no room
  std::uint64_t failed = 0;    // refused by the receiver, or left when the sender ended
  std::uint64_t waiting = 0;   // in the queue or being delivered
  std::uint64_t failures = 0;  // to deliver, whether or not it worked later
};

// push(), set_flushing(), flush(), interrupt() and counts() may be called from any thread.
class LineSender {
 public:
  // `complain` is called by the sender's thread or by whoever pushes, without any lock held, at
  // most once in `between_complaints`. Throws std::system_error if there is no thread to be had.
  LineSender(std::unique_ptr<LineTransport> transport, const LineSenderOptions& options,
             std::function<void(const std::string&)> complain);
  LineSender(const LineSender&) = delete;
  LineSender& operator=(const LineSender&) = delete;
  ~LineSender();  // end(): what still waits has failed

  // Never waits, but for Overflow::kBlock, which waits for room until set_flushing() or
  // interrupt(), and then drops the line.
  void push(std::string line);
  // While it is set, push() does not wait.
  void set_flushing(bool flushing);
  // Waits until nothing waits any more, for `patience` at the longest, or until set_flushing() or
  // interrupt(). Gives the number of lines that still wait.
  std::uint64_t flush(std::chrono::milliseconds patience);
  // For good: nothing waits for anything, no line is delivered any more.
  void interrupt();
  // Likewise, and waits for the sender's thread: counts() is final. Of the thread that made it.
  void end();

  LineCounts counts() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  bool has_room(std::size_t bytes) const;
  void drop_for(std::size_t bytes);
  std::optional<std::string> drop_complaint();
  std::vector<std::string> next_lines();
  void deliver(std::vector<std::string> lines);
  bool handle_failure(const DeliveryError& error, std::chrono::milliseconds pause);
  void run();

  const std::unique_ptr<LineTransport> transport_;
  const LineSenderOptions options_;
  const std::function<void(const std::string&)> complain_;

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::deque<std::string> queue_;
  std::size_t queued_bytes_ = 0;
  std::size_t in_delivery_ = 0;
  LineCounts counts_;
  std::uint64_t dropped_silently_ = 0;
  Seldom complaints_;
  bool flushing_ = false;
  bool interrupted_ = false;

  std::thread thread_;  // the last: it uses all of them
};

}  // namespace sightline
