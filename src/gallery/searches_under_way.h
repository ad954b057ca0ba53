// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Who changes what others read without a lock can wait until those have gone that saw it as it was.

#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>

namespace sightline {

// Counts searches by phases, of which there are two in turn: those that begin while one waits do
// not keep it waiting. Searches never wait.
class SearchesUnderWay {
 public:
  class Search {
   public:
    explicit Search(SearchesUnderWay& all) : count_(all.counts_[all.phase_ % 2].value) { ++count_; }
    ~Search() { --count_; }
    Search(const Search&) = delete;
    Search& operator=(const Search&) = delete;

   private:
    std::atomic<std::size_t>& count_;
  };

  // Returns when all searches have ended that began before it was called. By one thread at a time.
  // What that thread stored before, in atomics and in sequential consistency, later searches see.
  void wait_for_earlier() {
    constexpr std::chrono::microseconds kBetweenLooks{50};
    for (int phases = 0; phases < 2; ++phases) {
      const std::size_t earlier = phase_++ % 2;
      while (counts_[earlier].value != 0) std::this_thread::sleep_for(kBetweenLooks);
    }
  }

 private:
  static constexpr std::size_t kLine = 64;  // bytes, so that threads do not take it from each other
  struct alignas(kLine) Count {
    std::atomic<std::size_t> value{0};
  };

  std::atomic<std::size_t> phase_{0};
  std::array<Count, 2> counts_;
};

}  // namespace sightline
