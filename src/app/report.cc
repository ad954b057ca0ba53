// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/report.h"

#include "app/terminal_area.h"

namespace sightline {

void report_error(const std::string& message) { write_above_area("sightline: " + message); }
void report_warning(const std::string& message) {
  write_above_area("sightline: warning: " + message);
}
void report_note(const std::string& message) { write_above_area(message); }

std::string counted(long count, const std::string& word) {
  return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
}

}  // namespace sightline
