// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The right to change a frame and the objects made in it.
//
// Each frame has a token; each object holds the token of the frame in which it was made or last
// copied for editing. Sealing the token ends editing of all of them at once and for ever, and any
// number of threads may seal it. So what a buffer carries is a snapshot that costs nothing to take.

#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/error.h"

namespace sightline {

class EditToken {
 public:
  void seal() { sealed_.store(true, std::memory_order_release); }
  bool sealed() const { return sealed_.load(std::memory_order_acquire); }

  // Throws Error(kReadOnly) if sealed. `what` is "the frame" or the like.
  void require_open(const std::string& what) const {
    if (sealed())
      throw Error(ErrorCode::kReadOnly,
                  what +
                      " has been read, shared or pushed and can no longer be changed; get it for "
                      "changing with sight_buffer_edit_frame() and sight_frame_edit_object()");
  }

 private:
  std::atomic<bool> sealed_{false};
};

using EditTokenPtr = std::shared_ptr<EditToken>;

}  // namespace sightline
