// SPDX-License-Identifier: LGPL-2.1-or-later

#include "engine/turns.h"

#include "core/shared_values.h"

namespace sightline {

std::shared_ptr<Turns> Turns::of_gpu(int ordinal) {
  static SharedValues<int, Turns> all;
  return all.get(ordinal, [] { return std::make_shared<Turns>(2); });
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
