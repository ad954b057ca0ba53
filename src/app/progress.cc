// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/progress.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <utility>

#include <sys/ioctl.h>
#include <unistd.h>

namespace sightline {

namespace {

constexpr int kBarWidth = 24;

std::atomic<bool> drawn = false;  // something of a bar stands in the terminal's last line

int terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

ProgressBar::ProgressBar(std::string title)
    : title_(std::move(title)), terminal_(isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() { clear_line(); }

void ProgressBar::clear_line() {
  if (drawn.exchange(false)) std::fputs("\r\033[K", stderr);
}

std::string ProgressBar::line(const std::string& title, double share, const std::string& detail,
                              int columns) {
  std::string text = title + " ";
  if (share >= 0) {
    const double part = std::min(share, 1.0);
    const int filled = static_cast<int>(std::lround(part * kBarWidth));
    text += "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " +
            std::to_string(static_cast<int>(part * 100)) + " % ";
  }
  text += detail;
  // A full line would wrap, and could not be taken back.
  if (static_cast<int>(text.size()) >= columns) text.resize(std::max(columns - 1, 0));
  return text;
}

void ProgressBar::update(double share, const std::string& detail) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  const std::string text = "\r\033[K" + line(title_, share, detail, terminal_columns());
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  drawn = true;
}

}  // namespace sightline
