// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/terminal_area.h"

#include <cstdio>
#include <mutex>

#include <sys/ioctl.h>
#include <unistd.h>

namespace sightline {

namespace {

std::mutex mutex;
std::size_t drawn = 0;  // lines that stand at the bottom; the cursor is at the end of the last

void take_away() {
  if (drawn == 0) return;
  std::fputs("\r\033[K", stderr);
  for (std::size_t line = 1; line < drawn; ++line) std::fputs("\033[A\033[K", stderr);
  drawn = 0;
}

}  // namespace

bool is_terminal() {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  return terminal;
}

TerminalSize terminal_size() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) size = {};
  return {size.ws_col > 0 ? size.ws_col : 80, size.ws_row > 0 ? size.ws_row : 24};
}

void draw_area(const std::vector<std::string>& lines) {
  if (!is_terminal()) return;
  const std::lock_guard lock(mutex);
  take_away();
  for (const std::string& line : lines)
    std::fputs(((drawn++ == 0 ? "" : "\n") + line).c_str(), stderr);
  std::fflush(stderr);
}

void clear_area() {
  const std::lock_guard lock(mutex);
  take_away();
}

void write_above_area(const std::string& line) {
  const std::lock_guard lock(mutex);
  take_away();
  std::fputs((line + "\n").c_str(), stderr);
}

}  // namespace sightline
