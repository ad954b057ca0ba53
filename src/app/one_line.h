// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Text from outside as it may be shown.

#pragma once

#include <string>
#include <string_view>

namespace sightline {

// With control characters as C writes them, \n or \x1b: a name of a file can neither begin a line
// of its own nor steer a terminal.
std::string one_line(std::string_view text);

// A text as one word for a shell, and on one line.
std::string shell_word(std::string_view text);

}  // namespace sightline
