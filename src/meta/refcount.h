// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Counting the owners of the C API's types.

#pragma once

#include <atomic>

namespace sightline {

// Base of a type T that starts with one owner and deletes itself with the last. A copy has an owner
// of its own.
template <typename T>
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) {}
  RefCounted& operator=(const RefCounted&) = delete;

  T* ref() {
    owners_.fetch_add(1, std::memory_order_relaxed);
    return static_cast<T*>(this);
  }

  void unref() {
    if (owners_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete static_cast<T*>(this);
  }

 protected:
  ~RefCounted() = default;

 private:
  std::atomic<int> owners_{1};
};

}  // namespace sightline
