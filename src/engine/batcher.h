// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Requests are submitted by any thread; worker threads gather them into batches and run them. Knows
// a Session, no runtime and no files.

#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "engine/session.h"

namespace sightline {

// A worker that is free takes requests at once, unless all of them may wait (Standing::may_wait),
// in the order of RequestQueue. Of several workers each takes its share of what is queued, since on
// a CPU two small batches side by side beat a large one.
//
// Each worker has memory for one batch's items and uses it again for the next. The end of a batcher
// waits for the runs that are under way and answers what is still queued with an error; after it no
// callback runs. The last owner may let go inside of a callback.
class Batcher {
 public:
  Batcher(std::shared_ptr<const Session> session, int workers, int max_batch);
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;
  ~Batcher();

  // As Engine::submit.
  void submit(std::vector<Request> requests);
  void drop_abandoned();

  int max_batch() const;
  void grow(int max_batch);  // to at least this

  Engine::Statistics statistics() const;

 private:
  struct Core;

  std::shared_ptr<Core> core_;  // shared with the threads
  std::vector<std::thread> threads_;
};

}  // namespace sightline
