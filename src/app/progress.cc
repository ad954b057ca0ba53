// SPDX-License-Identifier: LGPL-2.1-or-later

#include "app/progress.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/report.h"
#include "app/terminal_area.h"

namespace sightline {

namespace {

constexpr int kBarWidth = 24;
constexpr std::chrono::milliseconds kBetweenBars{100};
constexpr int kLongestLine = 200;  // where there is no terminal

}  // namespace

ProgressBar::ProgressBar(std::string title, Duration between_lines)
    : title_(std::move(title)),
      between_(is_terminal() ? kBetweenBars : between_lines),
      next_(std::chrono::steady_clock::now() + (is_terminal() ? Duration(0) : between_)) {}

ProgressBar::~ProgressBar() { clear_area(); }

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
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + between_;
  if (is_terminal())
    draw_area({line(title_, share, detail, terminal_size().columns)});
  else
    report_note(line(title_, share, detail, kLongestLine));
}

}  // namespace sightline
