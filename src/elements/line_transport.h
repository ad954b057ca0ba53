// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A way to somebody who takes lines, and may be slow or away.

#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/error.h"

namespace sightline {

// A line was not delivered. The text names who it was for, and says what to do.
class DeliveryError : public Error {
 public:
  DeliveryError(const std::string& message, bool may_pass)
      : Error(ErrorCode::kFailed, message), may_pass_(may_pass) {}

  bool may_pass() const { return may_pass_; }  // trying again later makes sense

 private:
  bool may_pass_;
};

// Of one thread, but for interrupt().
class LineTransport {
 public:
  LineTransport() = default;
  LineTransport(const LineTransport&) = delete;
  LineTransport& operator=(const LineTransport&) = delete;
  virtual ~LineTransport() = default;

  // Delivers at least the first of `lines` (there is one; none has its line feed) and gives the
  // number that it delivered, in order. Throws DeliveryError if it cannot even that one, which may
  // have been received all the same.
  virtual std::size_t deliver(std::span<const std::string> lines) = 0;

  // From any thread: deliver() returns soon or throws, now and whenever it is called later.
  virtual void interrupt() = 0;
};

}  // namespace sightline
