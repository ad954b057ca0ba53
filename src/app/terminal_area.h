// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The last lines of the terminal on standard error, which are drawn anew again and again while
// other lines appear above them. From any thread.

#pragma once

#include <string>
#include <vector>

namespace sightline {

struct TerminalSize {
  int columns, rows;
};

bool is_terminal();  // whether there is one: elsewhere nothing is drawn
TerminalSize terminal_size();

// Replaces what was drawn before. The lines must be shorter than the terminal is wide, and fewer
// than it is high: what has been scrolled away or wrapped can't be taken back.
void draw_area(const std::vector<std::string>& lines);
void clear_area();

// Writes a line for good: above the area, which disappears until it is drawn again.
void write_above_area(const std::string& line);

}  // namespace sightline
