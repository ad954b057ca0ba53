// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lines that tests have made, for event_schema_test.py: in the file that EVENT_LINES names, if any.

#pragma once

#include <cstdlib>
#include <fstream>
#include <string>

inline const std::string& keep_line(const std::string& line) {
  if (const char* file = std::getenv("EVENT_LINES"))
    std::ofstream(file, std::ios::app) << line << '\n';
  return line;
}
