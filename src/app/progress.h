// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How far something is: a bar on standard error if that is a terminal, else a line now and then.

#pragma once

#include <chrono>
#include <string>

namespace sightline {

class ProgressBar {
 public:
  using Duration = std::chrono::milliseconds;

  // `between_lines`: where there is no terminal. The first one comes after as long.
  explicit ProgressBar(std::string title, Duration between_lines = std::chrono::seconds(10));
  ~ProgressBar();  // leaves an empty line
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `share` is from 0 to 1, or negative where the end is not known. Draws at most ten times a
  // second.
  void update(double share, const std::string& detail);

  // What update() draws in a line of `columns` characters.
  static std::string line(const std::string& title, double share, const std::string& detail,
                          int columns);

 private:
  std::string title_;
  const Duration between_;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace sightline
