// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lines from standard input, without waiting for them.

#pragma once

#include <optional>
#include <string>

namespace sightline {

class LineInput {
 public:
  bool is_terminal() const;

  // The next line, without its end, if a whole one is there. At the end of the input what remains
  // is one.
  std::optional<std::string> next();

 private:
  void read_what_is_there();

  std::string text_;
  bool ended_ = false;
};

}  // namespace sightline
