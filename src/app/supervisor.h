// SPDX-License-Identifier: LGPL-2.1-or-later
//
// All streams of a run at once: live inputs side by side from the beginning, files in their order,
// some at a time. Each plays in a thread of its own, so that none waits for another.

#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "app/stream.h"

namespace sightline {

class Supervisor {
 public:
  // `files_at_once` ≥ 1 files are played side by side.
  Supervisor(std::vector<std::unique_ptr<Stream>> streams, int files_at_once);
  ~Supervisor();  // ends the streams that still play, and waits for them
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void start(const Interrupts& interrupts);
  bool finished() const { return playing_ == 0; }

  const std::vector<std::unique_ptr<Stream>>& streams() const { return streams_; }

 private:
  void play_files(const Interrupts& interrupts);

  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> files_;
  int files_at_once_;
  const Interrupts* interrupts_ = nullptr;
  std::atomic<std::size_t> next_file_ = 0;
  std::atomic<int> playing_ = 0;  // threads that are at it
  std::vector<std::thread> threads_;
};

}  // namespace sightline
