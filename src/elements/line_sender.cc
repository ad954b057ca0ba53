// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/line_sender.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <utility>

namespace sightline {

namespace {

std::string seconds(std::chrono::milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", std::chrono::duration<double>(time).count());
  return text;
}

}  // namespace

LineSender::LineSender(std::unique_ptr<LineTransport> transport, const LineSenderOptions& options,
                       std::function<void(const std::string&)> complain)
    : transport_(std::move(transport)),
      options_(options),
      complain_(std::move(complain)),
      complaints_(options.between_complaints),
      thread_([this] { run(); }) {}

LineSender::~LineSender() { end(); }

void LineSender::end() {
  interrupt();
  if (thread_.joinable()) thread_.join();
}

// --- whoever pushes

bool LineSender::has_room(std::size_t bytes) const {
  return queue_.size() < options_.most_lines &&
         (queue_.empty() || queued_bytes_ + bytes <= kMostQueuedBytes);
}

// Makes room by dropping the oldest lines.
void LineSender::drop_for(std::size_t bytes) {
  while (!has_room(bytes)) {
    queued_bytes_ -= queue_.front().size();
    queue_.pop_front();
    ++counts_.dropped;
    ++dropped_silently_;
  }
}

void LineSender::push(std::string line) {
  Lock lock(mutex_);
  if (options_.overflow == Overflow::kBlock)
    changed_.wait(lock, [&] { return has_room(line.size()) || flushing_ || interrupted_; });
  if (options_.overflow == Overflow::kDropOldest) drop_for(line.size());
  if (interrupted_) {
    ++counts_.failed;
  } else if (has_room(line.size())) {
    queued_bytes_ += line.size();
    queue_.push_back(std::move(line));
    changed_.notify_all();
  } else {
    ++counts_.dropped;
    ++dropped_silently_;
  }
  const std::optional<std::string> complaint = drop_complaint();
  lock.unlock();
  if (complaint) complain_(*complaint);
}

std::optional<std::string> LineSender::drop_complaint() {
  if (dropped_silently_ == 0 || !complaints_.due()) return std::nullopt;
  return std::to_string(std::exchange(dropped_silently_, 0)) +
         " lines were dropped, since the receiver takes them more slowly than they come and " +
         std::to_string(queue_.size()) +
         " wait already. Raise queue-size, send less (skip-empty, tensors=none) or several at once "
         "(batch-size)";
}

void LineSender::set_flushing(bool flushing) {
  const std::lock_guard lock(mutex_);
  flushing_ = flushing;
  changed_.notify_all();
}

std::uint64_t LineSender::flush(std::chrono::milliseconds patience) {
  Lock lock(mutex_);
  changed_.wait_for(lock, patience, [&] {
    return (queue_.empty() && in_delivery_ == 0) || flushing_ || interrupted_;
  });
  return queue_.size() + in_delivery_;
}

void LineSender::interrupt() {
  {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    changed_.notify_all();
  }
  transport_->interrupt();
}

LineCounts LineSender::counts() const {
  const std::lock_guard lock(mutex_);
  LineCounts counts = counts_;
  counts.waiting = queue_.size() + in_delivery_;
  return counts;
}

// --- the sender's thread

void LineSender::run() {
  for (;;) {
    std::vector<std::string> lines = next_lines();
    if (lines.empty()) return;
    deliver(std::move(lines));
  }
}

// Waits for lines; none: it is over.
std::vector<std::string> LineSender::next_lines() {
  Lock lock(mutex_);
  changed_.wait(lock, [&] { return !queue_.empty() || interrupted_; });
  if (interrupted_) {
    counts_.failed += queue_.size();
    queue_.clear();
    queued_bytes_ = 0;
    return {};
  }
  std::vector<std::string> lines;
  while (!queue_.empty() && lines.size() < options_.most_at_once) {
    queued_bytes_ -= queue_.front().size();
    lines.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  in_delivery_ = lines.size();
  changed_.notify_all();  // there is room
  return lines;
}

void LineSender::deliver(std::vector<std::string> lines) {
  std::span<const std::string> rest(lines);
  auto pause = options_.first_pause;
  while (!rest.empty()) {
    try {
      const std::size_t count = transport_->deliver(rest);
      rest = rest.subspan(count);
      pause = options_.first_pause;
      const std::lock_guard lock(mutex_);
      counts_.delivered += count;
      in_delivery_ = rest.size();
    } catch (const DeliveryError& error) {
      if (!handle_failure(error, pause)) break;
      pause = std::min(2 * pause, options_.longest_pause);
    } catch (const std::exception& error) {
      handle_failure(DeliveryError(error.what(), false), pause);
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  counts_.failed += rest.size();
  in_delivery_ = 0;
  changed_.notify_all();
}

// Whether it is to be tried again; then the pause is over.
bool LineSender::handle_failure(const DeliveryError& error, std::chrono::milliseconds pause) {
  Lock lock(mutex_);
  if (interrupted_) return false;
  ++counts_.failures;
  if (complaints_.due()) {
    lock.unlock();
    complain_(std::string(error.what()) +
              (error.may_pass() ? ". It is tried again in " + seconds(pause) + "; up to " +
                                      std::to_string(options_.most_lines) + " lines wait meanwhile"
                                : ". What was refused is lost"));
    lock.lock();
  }
  if (!error.may_pass()) return false;
  changed_.wait_for(lock, pause, [&] { return interrupted_; });
  return !interrupted_;
}

}  // namespace sightline
