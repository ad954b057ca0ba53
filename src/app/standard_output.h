// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Results on standard output.

#pragma once

#include <string_view>

namespace sightline {

// Writes a line at once. Throws Error(kFailed) if nobody takes it: a full disk, a closed pipe.
void print_line(std::string_view line);
// Likewise, what is not a line.
void print_bytes(std::string_view bytes);

}  // namespace sightline
