// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/turns.h"

#include <map>

namespace sightline {

std::shared_ptr<Turns> Turns::of_gpu(int ordinal) {
  static std::mutex mutex;
  static std::map<int, std::weak_ptr<Turns>> all;
  const std::lock_guard lock(mutex);
  std::weak_ptr<Turns>& known = all[ordinal];
  auto turns = known.lock();
  if (turns == nullptr) known = turns = std::make_shared<Turns>(2);
  return turns;
}

bool Turns::take(const std::shared_ptr<Seat>& seat) {
  const std::lock_guard lock(mutex_);
  if (free_ > 0 && waiting_.empty()) {
    --free_;
    return true;
  }
  if (!seat->waits_) waiting_.push_back(seat);
  seat->waits_ = true;
  return false;
}

// Who waits longest, and the turn is his; null if nobody waits, and the turn is free.
std::shared_ptr<Turns::Seat> Turns::next() {
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty()) {
    const std::shared_ptr<Seat> seat = waiting_.front().lock();
    waiting_.pop_front();
    if (seat == nullptr) continue;
    seat->waits_ = false;
    return seat;
  }
  ++free_;
  return nullptr;
}

void Turns::give_back() {
  while (const std::shared_ptr<Seat> seat = next())
    if (seat->offer()) return;
}

}  // namespace sightline
