// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Slots are claimed, written and submitted by any thread; worker threads gather what was submitted
// into batches and run them. Knows a Session, no runtime and no files.

#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "engine/session.h"

namespace sightline {

// A worker that is free takes submitted slots as soon as one of these holds: they fill a batch; the
// deadline of one has passed; no claimed slot is still being written; a claimer waits for memory,
// so that no company can come. Of several workers each takes its share, since on a CPU two small
// batches side by side beat a large one. Higher priorities go first, and who came first within one.
//
// Rows of a block that lie one after the other run where they were written. Holes (slots that were
// abandoned, or are still being written) cost a copy into a fresh block, since a slot's memory
// stays where it is.
//
// Slots share in owning the batcher. Its end waits for the runs that are under way, answers what is
// still queued with an error, and after it no callback runs. The last owner may let go inside of a
// callback.
class Batcher : public std::enable_shared_from_this<Batcher> {
 public:
  static std::shared_ptr<Batcher> start(std::shared_ptr<const Session> session, int workers,
                                        int max_batch);
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;
  ~Batcher();

  // As Engine::claim.
  std::vector<Slot> claim(int count, Clock::time_point deadline, int priority);

  int max_batch() const;
  void grow(int max_batch);  // to at least this

  Engine::Statistics statistics() const;

 private:
  friend class Slot;
  friend struct Slot::State;
  struct Core;

  explicit Batcher(std::shared_ptr<Core> core);

  std::shared_ptr<Core> core_;  // shared with the threads
  std::vector<std::thread> threads_;
};

}  // namespace sightline
