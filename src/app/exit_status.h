// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the program's exit status says, and the error of a wrong command line.

#pragma once

#include <stdexcept>

namespace sightline {

inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;     // something failed; it was named on standard error
inline constexpr int kWrongUsage = 2;  // the command line was wrong; nothing was done

// A command line that could be parsed but makes no sense. The text says what to write instead.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace sightline
