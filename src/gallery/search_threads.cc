// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/search_threads.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace sightline {
namespace {

constexpr std::size_t kMostThreads = 16;  // more do not make memory faster

class Workers {
 public:
  Workers() {
    for (std::size_t i = 1; i < search_threads(); ++i)
      std::thread([this] { help_for_ever(); }).detach();
  }

  // False if somebody else's work is under way.
  bool share(std::size_t parts, const std::function<void(std::size_t)>& work) {
    const std::unique_lock turn(turn_, std::try_to_lock);
    if (!turn.owns_lock()) return false;
    std::unique_lock lock(mutex_);
    work_ = &work;
    next_ = 0;
    parts_ = parts;
    wake_.notify_all();
    take_parts(lock);
    // Only parts that a helper has begun are waited for: in a process that was forked there are no
    // helpers, and its caller has done everything.
    done_.wait(lock, [this] { return under_way_ == 0; });
    work_ = nullptr;
    return true;
  }

 private:
  void take_parts(std::unique_lock<std::mutex>& lock) {
    while (work_ != nullptr && next_ < parts_) {
      const std::size_t part = next_++;
      const auto* work = work_;
      ++under_way_;
      lock.unlock();
      (*work)(part);
      lock.lock();
      if (--under_way_ == 0 && next_ == parts_) done_.notify_all();
    }
  }

  void help_for_ever() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return work_ != nullptr && next_ < parts_; });
      take_parts(lock);
    }
  }

  std::mutex turn_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_, done_;
  const std::function<void(std::size_t)>* work_ = nullptr;
  std::size_t parts_ = 0, next_ = 0, under_way_ = 0;
};

}  // namespace

std::size_t search_threads() {
  static const std::size_t count =
      std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
  return count;
}

void share_search(std::size_t parts, const std::function<void(std::size_t)>& work) {
  // Never destroyed: its threads may still be waiting when the process ends.
  static Workers* const workers = new Workers();  // NOLINT
  if (parts > 1 && search_threads() > 1 && workers->share(parts, work)) return;
  for (std::size_t part = 0; part < parts; ++part) work(part);
}

}  // namespace sightline
