// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Values that are made once for equal keys, and shared as long as somebody has them.

#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace sightline {

template <typename Key, typename Value>
class SharedValues {
 public:
  // What `make()` gives, a std::shared_ptr<Value>, the first time. Others wait meanwhile.
  template <typename Make>
  std::shared_ptr<Value> get(const Key& key, Make&& make) {
    const std::lock_guard lock(mutex_);
    std::erase_if(known_, [](const auto& one) { return one.second.expired(); });
    for (const auto& [known, value] : known_)
      if (known == key)
        if (auto alive = value.lock()) return alive;
    std::shared_ptr<Value> made = make();
    known_.emplace_back(key, made);
    return made;
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<Key, std::weak_ptr<Value>>> known_;
};

}  // namespace sightline
