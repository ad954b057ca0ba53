// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who may run on a device that several engines share: a few batches at once, and those that wait
// get their turns in the order in which they came. What waits grows meanwhile, so that a busy
// device runs few large batches rather than many small ones.

#pragma once

#include <deque>
#include <memory>
#include <mutex>

namespace sightline {

class Turns {
 public:
  // Somebody who waits.
  class Seat {
   public:
    virtual ~Seat() = default;
    // A turn, which has been counted: true if it is taken, and then given back some time. Called
    // without locks of Turns, by whoever gave one back.
    virtual bool offer() = 0;

   private:
    friend class Turns;
    bool waits_ = false;  // guarded by Turns::mutex_
  };

  explicit Turns(int at_once) : free_(at_once) {}

  // Those of a GPU, by its ordinal: one batch runs there, and the next is put behind it.
  static std::shared_ptr<Turns> of_gpu(int ordinal);

  // True: a turn, to be given back. False: all are taken, or others wait; the seat is offered one
  // later. May be asked again meanwhile.
  bool take(const std::shared_ptr<Seat>& seat);
  void give_back();

 private:
  std::shared_ptr<Seat> next();

  std::mutex mutex_;
  int free_;
  std::deque<std::weak_ptr<Seat>> waiting_;
};

}  // namespace sightline
