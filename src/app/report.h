// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lines for people, on standard error: what was asked for goes to standard output, everything about
// it goes here.

#pragma once

#include <string>

namespace sightline {

void report_error(const std::string& message);    // "sightline: message"
void report_warning(const std::string& message);  // "sightline: warning: message"
void report_note(const std::string& message);     // "message"

// "1 face", "3 faces". `word` takes an s.
std::string counted(long count, const std::string& word);

}  // namespace sightline
