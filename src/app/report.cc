// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/report.h"

#include <cstdio>

#include "app/progress.h"

namespace sightline {

namespace {

void write_line(const std::string& line) {
  ProgressBar::clear_line();
  std::fputs((line + "\n").c_str(), stderr);
}

}  // namespace

void report_error(const std::string& message) { write_line("sightline: " + message); }
void report_warning(const std::string& message) { write_line("sightline: warning: " + message); }
void report_note(const std::string& message) { write_line(message); }

std::string counted(long count, const std::string& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

}  // namespace sightline
